// Promise: reading works beside a running process and without one, and never writes or leaves the stored data.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { dataPaths, openDataDirectory } from '../../delivery/directory.ts';
import type { Reader } from '../sink.ts';
import { type ChdbStore, openChdbStore } from './chdb.ts';
import { type Endpoint, serveEndpoint } from './endpoint.ts';
import { openReader } from './reader.ts';

const base = mkdtempSync(join(tmpdir(), 'weir-reader-'));

describe('a reader beside a running process', () => {
  // A path too long for a Unix socket: the socket must move elsewhere.
  const directory = join(base, 'long'.repeat(30));
  let release = () => {};
  let store: ChdbStore;
  let endpoint: Endpoint;
  let reader: Reader;

  before(async () => {
    mkdirSync(directory, { recursive: true });
    ({ release } = openDataDirectory(directory));
    store = await openChdbStore({ directory, memoryBytes: 1_000_000_000 });
    endpoint = await serveEndpoint(directory, store.reader());
    reader = await openReader(directory, { patienceMs: 0 });
  });
  after(async () => {
    const socket = (JSON.parse(readFileSync(dataPaths(directory).endpoint, 'utf8')) as { path: string }).path;
    await endpoint.close();
    assert.equal(existsSync(socket), false);
    assert.equal(existsSync(dataPaths(directory).endpoint), false);
    await store.close();
    release();
    rmSync(base, { recursive: true, force: true });
  });

  test('tables need no database name; parameters are bound', async () => {
    assert.equal((await reader.query('SELECT count() FROM flows', 'TSV')).trim(), '0');
    const hostile = "x' OR 1=1; DROP TABLE flows --";
    assert.equal((await reader.query('SELECT {a:String} AS a', 'TSVRaw', { a: hostile })).trim(), hostile);
    assert.equal((await reader.query('SELECT length({a:Array(String)})', 'TSV', { a: ["it's", 'b'] })).trim(), '2');
  });

  test('the engine itself refuses writes that the lexer would let through', async () => {
    for (const sql of [
      'WITH 1 AS x INSERT INTO rejects SELECT * FROM rejects',
      'SELECT 1 SETTINGS readonly = 0',
      'SELECT * FROM `/etc/passwd`',
    ]) {
      await assert.rejects(
        reader.query(sql, 'TSV'),
        (error: Error) => /readonly|cannot be read|Unknown table/.test(error.message),
        sql,
      );
    }
  });

  test('errors arrive as sentences with their class', async () => {
    await assert.rejects(reader.query('SELECT nothing FROM flows', 'TSV'), {
      code: 'query_failed',
      message: /nothing/,
    });
    await assert.rejects(reader.query('SELECT FROM WHERE', 'TSV'), { name: 'UsageError' });
    await assert.rejects(reader.query('DROP TABLE flows', 'TSV'), { name: 'UsageError' });
    await assert.rejects(reader.query('SELECT number FROM numbers(1000000000)', 'TSV'), {
      code: 'query_failed',
      message: /too large/,
    });
  });

  test('the socket and its address are for this user only', () => {
    const { endpoint: address } = dataPaths(directory);
    const { path } = JSON.parse(readFileSync(address, 'utf8')) as { path: string };
    assert.ok(Buffer.byteLength(path) <= 100);
    assert.equal(statSync(address).mode & 0o777, 0o600);
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });
});

describe('a reader alone', () => {
  const directory = join(base, 'alone');

  test('a directory without data is a sentence', async () => {
    await assert.rejects(openReader(directory), { code: 'data_directory_missing' });
    assert.equal(existsSync(directory), false);
  });

  test('opens the store itself, holds the lock meanwhile, and gives it back', async () => {
    openDataDirectory(directory).release();
    const reader = await openReader(directory);
    assert.equal((await reader.query('SELECT count() FROM alerts_latest', 'TSV')).trim(), '0');
    await assert.rejects(openReader(directory, { patienceMs: 0 }), { code: 'data_directory_in_use' });
    await reader.close();
    openDataDirectory(directory).release();
  });
});
