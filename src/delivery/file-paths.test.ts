import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { SpoolFolder } from '../sources/sort-spool.ts';
import type { FileProgress } from '../sources/source.ts';
import { neverCrash } from './crashpoints.ts';
import { filePaths } from './file-paths.ts';
import { EMPTY_COMMIT, writeCommit } from './ledger.ts';

const file = (id: string, path: string): FileProgress => ({
  file: id,
  path,
  fingerprint: '',
  fingerprintLength: 0,
  generation: 0,
  position: 0,
  done: true,
  inputBytes: 0,
  referenceMs: 0,
});

test('paths come from every ledger and sorted spool; a damaged ledger costs its own only', async () => {
  const data = mkdtempSync(join(tmpdir(), 'weir-paths-'));
  assert.equal((await filePaths(data)).size, 0);
  for (const lane of ['one', 'two', 'damaged']) mkdirSync(join(data, 'lanes', lane), { recursive: true });
  const commit = (lane: string, files: FileProgress[]) =>
    writeCommit(
      join(data, 'lanes', lane, 'ledger'),
      { ...EMPTY_COMMIT, files: files.map((f) => ['edge', f] as const) },
      neverCrash,
    );
  await commit('one', [file('a', '/logs/a.log')]);
  await commit('two', [file('b', '/logs/b.log')]);
  writeFileSync(join(data, 'lanes', 'damaged', 'ledger'), 'rubbish');
  const spools = new SpoolFolder(join(data, 'input', 'edge', 'sort', 'edge'));
  await spools.prepare();
  const inputs = [file('c', '/logs/c.log')];
  await spools.complete({ version: 1, id: 'sorted:1', inputs, inputBytes: 0, origins: [] });
  assert.deepEqual(Object.fromEntries(await filePaths(data)), {
    a: '/logs/a.log',
    b: '/logs/b.log',
    c: '/logs/c.log',
  });
  rmSync(data, { recursive: true, force: true });
});
