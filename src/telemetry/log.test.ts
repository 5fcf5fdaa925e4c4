// Promise: no secret is ever logged, wherever it stands; a repeated warning is one line a minute that says how often it came.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { loadConfig } from '../config/load.ts';
import { secretsOf } from '../config/secrets.ts';
import { createLog, type Log, type LogOptions } from './log.ts';

function captured(options: LogOptions = {}): { log: Log; lines: Record<string, unknown>[]; text: () => string } {
  const written: string[] = [];
  const log = createLog('info', { ...options, destination: { write: (line) => void written.push(line) } });
  return {
    log,
    get lines() {
      return written.map((line) => JSON.parse(line) as Record<string, unknown>);
    },
    text: () => written.join(''),
  };
}

describe('secrets', () => {
  const overrides = {
    'kafka.sasl.password': 'p"w/1',
    'scylla.password': 'scylla-pw',
    'clickhouse.password': 'ch-pw',
    'clickhouse.url': 'http://me:in%20url@db:8123',
  };
  const secrets = secretsOf(loadConfig(null, overrides, {}).config);

  test('every secret key of the schema is known, and passwords of URLs', () => {
    assert.deepEqual(new Set(secrets), new Set(['p"w/1', 'scylla-pw', 'ch-pw', 'in%20url', 'in url']));
  });

  test('not in messages, fields, errors, causes, URLs or Base64', () => {
    const seen = captured({ secrets });
    const { log } = seen;
    log.warn('connecting with scylla-pw');
    log.info({ options: { nested: { deep: ['x ch-pw y'] } } }, 'p"w/1');
    log.error({ err: new Error('ch-pw refused', { cause: new Error('http://me:in%20url@db:8123') }) }, 'it failed');
    log.error(Object.assign(new Error('in url'), { config: { password: 'short-lived' } }));
    log.warn({ header: `Basic ${Buffer.from('ch-pw').toString('base64')}`, sasl: { password: 'anything' } }, 'sent');
    log.warn({ url: `http://me:${encodeURIComponent('p"w/1')}@h` }, 'sent');
    for (const secret of [...secrets, 'short-lived', 'anything', 'p\\"w', Buffer.from('ch-pw').toString('base64')])
      assert.ok(!seen.text().includes(secret), `${secret} in ${seen.text()}`);
    assert.equal(seen.lines.length, 6);
    assert.match(seen.text(), /"type":"Error","message":"\[redacted\] refused"/);
  });

  test('what is no secret stays as it is', () => {
    const seen = captured({ secrets });
    seen.log.warn({ table: 'flows', rows: 5, at: { nested: [1, null, true] } }, 'the store cannot take a block now');
    const [{ time, level, ...rest }] = seen.lines;
    const at = { nested: [1, null, true] };
    assert.deepEqual(rest, { table: 'flows', rows: 5, at, msg: 'the store cannot take a block now' });
  });
});

describe('repeated warnings', () => {
  test('said once, then once a minute with the number held back; silence ends it', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    let counted = 0;
    const seen = captured({ counted: () => counted++ });
    for (let i = 0; i < 100; i++) seen.log.warn({ table: 'flows', attempt: i, error: `try ${i}` }, 'cannot write');
    assert.equal(seen.lines.length, 1);
    t.mock.timers.tick(60_000);
    assert.equal(seen.lines.length, 2);
    const { repeated, attempt } = seen.lines[1];
    assert.deepEqual([repeated, attempt], [99, 99]);
    t.mock.timers.tick(60_000);
    assert.equal(seen.lines.length, 2);
    seen.log.warn({ table: 'flows', attempt: 1 }, 'cannot write');
    assert.equal(seen.lines.length, 3, 'after a minute of silence it is news');
    assert.equal(counted, 101);
  });

  test('other parts, other messages and errors are not held back', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const seen = captured();
    for (const table of ['flows', 'alerts']) seen.log.warn({ table }, 'cannot write');
    seen.log.warn('something else');
    for (let i = 0; i < 3; i++) seen.log.error('refused');
    assert.equal(seen.lines.length, 6);
  });

  test('messages without end take bounded memory', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const seen = captured();
    for (let i = 0; i < 2000; i++) seen.log.warn(`message ${i}`);
    seen.log.warn('message 1999');
    assert.equal(seen.lines.length, 2000);
    seen.log.warn('message 0');
    assert.equal(seen.lines.length, 2001, 'the oldest was forgotten');
  });
});
