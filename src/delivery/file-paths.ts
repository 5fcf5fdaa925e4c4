// Where files lay when they were last read. Rows name files by identity only, since a path says nothing lasting.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SpoolFolder } from '../sources/sort-spool.ts';
import type { FileProgress } from '../sources/source.ts';
import { readCommit } from './ledger.ts';

/** Path by file identity, from the ledgers of a data directory. For people: what cannot be read is left out. */
export async function filePaths(directory: string): Promise<ReadonlyMap<string, string>> {
  const paths = new Map<string, string>();
  const take = (file: FileProgress): unknown => paths.set(file.file, file.path);
  for (const lane of await namesIn(join(directory, 'lanes'))) {
    const commit = await readCommit(join(directory, 'lanes', lane, 'ledger')).catch(() => null);
    for (const [, file] of commit?.files ?? []) take(file);
  }
  // What was sorted by event time is booked with its spool.
  for (const source of await namesIn(join(directory, 'input'))) {
    for (const name of await namesIn(join(directory, 'input', source, 'sort'))) {
      const spools = new SpoolFolder(join(directory, 'input', source, 'sort', name));
      for (const { inputs } of await spools.manifests().catch(() => [])) inputs.forEach(take);
    }
  }
  return paths;
}

function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []);
}
