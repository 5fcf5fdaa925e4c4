// Promise: what is not plainly one reading statement over stored data is refused, and ordinary questions are not.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UsageError } from '../../cli/verb.ts';
import { readOnlyStatement, splitStatements } from './sql.ts';

export const HOSTILE = [
  '',
  ' ; ',
  '-- nothing',
  'INSERT INTO flows VALUES (1)',
  'DROP TABLE flows',
  'SELECT 1; DROP TABLE flows',
  'SELECT 1 -- x\n; DROP TABLE flows',
  "SELECT ';' ; SELECT 2",
  '/* SELECT */ DROP TABLE flows',
  'SET readonly = 0',
  'USE system',
  'KILL QUERY WHERE 1',
  'SYSTEM SHUTDOWN',
  'ALTER TABLE flows DELETE WHERE 1',
  "SELECT 1 INTO OUTFILE '/tmp/x'",
  "SELECT 1 INTO/**/outfile '/tmp/x'",
  "SELECT file('/etc/passwd')",
  "SELECT file/**/('/etc/passwd')",
  "SELECT `file`('/etc/passwd')",
  'SELECT "file"(\'/etc/passwd\')',
  "SELECT `f\\x69le`('/etc/passwd')",
  "SELECT arrayMap(file, ['/etc/passwd'])",
  "SELECT arrayMap(x -> file(x), ['/etc/passwd'])",
  "SELECT * APPLY(file) FROM (SELECT '/etc/passwd')",
  "SELECT * APPLY file FROM (SELECT '/etc/passwd')",
  "SELECT * FROM file('/etc/passwd', 'LineAsString')",
  "DESCRIBE file('/etc/passwd', 'LineAsString')",
  "SELECT * FROM url('http://127.0.0.1', 'CSV')",
  "SELECT * FROM s3('http://127.0.0.1/x')",
  "SELECT * FROM remote('127.0.0.1', 'system.one')",
  "SELECT * FROM executable('id', 'TSV', 'a String')",
  "SELECT * FROM sqlite('/tmp/x', 'y')",
  "SELECT * FROM deltaLakeLocal('/tmp/x')",
  "SELECT * FROM eval('SELECT 1')",
  'SELECT $$a$$',
  "SELECT 1 # '\n; DROP TABLE flows --'",
  'SELECT 1 /* /* */ DROP TABLE flows -- */',
  'SELECT ‘a’',
  "SELECT 'a",
  'SELECT 1 /* a',
  'SELECT 1 FORMAT CSV',
];

const FINE = [
  'SELECT count() FROM flows',
  'select 1;',
  "SELECT count() FROM flows WHERE host = 'a;b--c/*' AND user_id != 'it''s' AND host != 'x\\'; DROP TABLE flows'",
  '-- how many\nSELECT /* all */ count() FROM flows',
  'WITH t AS (SELECT 1 AS a) SELECT * FROM t',
  '(SELECT 1) UNION ALL (SELECT 2)',
  'SHOW TABLES',
  'DESCRIBE flows',
  'EXPLAIN SELECT 1',
  'SELECT file, position, format FROM rejects ORDER BY format DESC',
  'SELECT file, format FROM rejects GROUP BY file, format',
  'SELECT arrayMap(x -> x + 1, [1]), rejects.file FROM rejects',
  'SELECT count(DISTINCT file) FROM rejects',
  "SELECT 'ünï' AS a",
  'SELECT * FROM numbers(3)',
];

describe('read-only SQL', () => {
  for (const sql of HOSTILE)
    test(`refused: ${JSON.stringify(sql)}`, () => assert.throws(() => readOnlyStatement(sql), UsageError));
  for (const sql of FINE) test(`runs: ${JSON.stringify(sql)}`, () => assert.ok(readOnlyStatement(sql).length > 0));
});

test('a script is split at its semicolons only', () => {
  assert.deepEqual(splitStatements("-- a; b\nSELECT ';' ;; /* ; */ SELECT `x;y` -- end;"), [
    "SELECT ';'",
    'SELECT `x;y`',
  ]);
});
