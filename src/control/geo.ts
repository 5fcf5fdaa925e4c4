// Country and ASN databases: found, hashed, and copied to `<data>/geo/<hash>.mmdb`, since an update of a package or a
// download must not change what a snapshot that is still needed means.

import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { ControlSnapshot } from '../model/control.ts';
import { exists, keepFile } from './files.ts';

const PACKAGE = '@ip-location-db/geo-whois-asn-country-mmdb';
const FILE = 'geo-whois-asn-country.mmdb';

/** The freely licensed country database that comes with Weir; '' where the package was left out of an installation. */
export function builtinDatabase(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve(`${PACKAGE}/package.json`)), FILE);
  } catch {
    return '';
  }
}

/** Databases that a configuration names, or the built-in one. */
export function databasesOf(configured: readonly string[]): readonly string[] {
  return configured.length > 0 ? configured : [builtinDatabase()].filter((path) => path !== '');
}

/** Hash and, with a data directory, copy of each database. Throws what the file system throws. */
export async function keepDatabases(
  paths: readonly string[],
  root: string | null,
): Promise<ControlSnapshot['enrich']['geo']> {
  return Promise.all(
    paths.map(async (path) => {
      const hash = await hashFile(path);
      return { path: root === null ? path : await keepCopy(path, hash, root), hash };
    }),
  );
}

async function keepCopy(path: string, hash: string, root: string): Promise<string> {
  const kept = join(root, 'geo', `${hash}.mmdb`);
  if (await exists(kept)) return kept;
  return keepFile(join(root, 'geo'), '.mmdb', async (temporary) => {
    await copyFile(path, temporary, constants.COPYFILE_FICLONE);
    return hash;
  });
}

async function hashFile(path: string): Promise<string> {
  const digest = createHash('sha256');
  for await (const chunk of createReadStream(path)) digest.update(chunk as Buffer);
  return digest.digest('hex').slice(0, 32);
}
