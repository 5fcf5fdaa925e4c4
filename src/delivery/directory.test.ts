// Promise: one live process a directory; a dead one's lock is taken over, whatever became of its pid.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { dataPaths, lockOwner, openDataDirectory, requireFreeBytes } from './directory.ts';

const base = mkdtempSync(join(tmpdir(), 'weir-directory-'));
after(() => rmSync(base, { recursive: true, force: true }));

const holder = (directory: string, then: string) => `
  import { openDataDirectory } from ${JSON.stringify(new URL('./directory.js', import.meta.url).href)};
  try {
    openDataDirectory(${JSON.stringify(directory)});
    console.log('held');
    ${then}
  } catch (error) { console.log(error.code); }`;

test('the lock of a live process is respected and named, the lock of a killed one taken over', async () => {
  const directory = join(base, 'a');
  const child = spawn(
    process.execPath,
    ['--input-type=module', '-e', holder(directory, 'setInterval(() => {}, 1000);')],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  await once(child.stdout, 'data');
  assert.equal(lockOwner(directory)?.pid, child.pid);
  assert.throws(() => openDataDirectory(directory), {
    code: 'data_directory_in_use',
    message: new RegExp(String(child.pid)),
  });
  child.kill('SIGKILL');
  await once(child, 'close');
  assert.equal(lockOwner(directory), null);
  const held = openDataDirectory(directory);
  assert.equal(lockOwner(directory)?.pid, process.pid);
  held.release();
  held.release();
  assert.equal(lockOwner(directory), null);
});

test('a reused pid, another boot, rubbish and an empty lock are stale', () => {
  const directory = join(base, 'b');
  openDataDirectory(directory).release();
  const { lock } = dataPaths(directory);
  for (const content of [
    JSON.stringify({ pid: process.pid, start: '1', boot: readBoot(), nonce: 'x' }),
    JSON.stringify({ pid: process.pid, start: '', boot: 'another', nonce: 'x' }),
    'rubbish',
    '',
  ]) {
    writeFileSync(lock, content);
    if (content.includes('"start":"1"') && readBoot() === '') continue; // without /proc a reused pid looks alive
    openDataDirectory(directory).release();
    assert.equal(existsSync(lock), false);
  }
});

test('of many processes at a stale lock, exactly one gets it', async () => {
  const directory = join(base, 'c');
  openDataDirectory(directory).release();
  writeFileSync(
    dataPaths(directory).lock,
    JSON.stringify({ pid: 999_999_999, start: '1', boot: readBoot(), nonce: 'x' }),
  );
  const outputs = await Promise.all(
    Array.from({ length: 6 }, async () => {
      const child = spawn(
        process.execPath,
        ['--input-type=module', '-e', holder(directory, 'setTimeout(() => {}, 2000);')],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      let output = '';
      child.stdout.on('data', (chunk) => (output += chunk));
      await once(child, 'close');
      return output.trim();
    }),
  );
  assert.deepEqual(outputs.sort(), [
    'data_directory_in_use',
    'data_directory_in_use',
    'data_directory_in_use',
    'data_directory_in_use',
    'data_directory_in_use',
    'held',
  ]);
});

test('what is no data directory is refused and left alone', () => {
  const foreign = mkdtempSync(join(base, 'foreign-'));
  writeFileSync(join(foreign, 'letter.txt'), 'dear');
  assert.throws(() => openDataDirectory(foreign), { code: 'data_directory_foreign' });
  assert.equal(existsSync(dataPaths(foreign).lock), false);
  assert.throws(() => openDataDirectory(join(foreign, 'letter.txt')), { code: 'data_directory_unusable' });
  assert.throws(() => openDataDirectory(join(base, 'nowhere'), { create: false }), { code: 'data_directory_missing' });
  const other = join(base, 'format');
  openDataDirectory(other).release();
  writeFileSync(dataPaths(other).manifest, '{"format":2}');
  assert.throws(() => openDataDirectory(other), { code: 'data_directory_format' });
  assert.equal(lockOwner(other), null);
});

test('what an interrupted first start leaves does not make the directory a stranger', () => {
  const begun = mkdtempSync(join(base, 'begun-'));
  const { manifest } = dataPaths(begun);
  writeFileSync(`${manifest}.next`, ''); // the disk was full, or the process killed
  openDataDirectory(begun).release();
  assert.match(readFileSync(manifest, 'utf8'), /format/);
  assert.equal(existsSync(`${manifest}.next`), false);
});

test('too little room is a sentence with numbers', () => {
  requireFreeBytes(base, 1);
  assert.throws(() => requireFreeBytes(base, 1e18), { code: 'disk_full', message: /MB free/ });
});

function readBoot(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

test('a directory without permission is a sentence', (t) => {
  if (process.getuid?.() === 0) return t.skip('root may write anywhere');
  const closed = mkdtempSync(join(base, 'closed-'));
  spawnSync('chmod', ['500', closed]);
  assert.throws(() => openDataDirectory(join(closed, 'data')), { code: 'data_directory_unusable' });
});
