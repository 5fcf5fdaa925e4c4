// Promise: what is wrong around Weir (files, permissions, disk, data directory, command line) ends in a stable code, a sentence
// and the right exit status, and costs nothing that was read.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { after, before, describe, type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { answerOf, eventually, LiveWeir, oneDocument, rowsOf, runJson, Scratch, valuesOf } from './support/cli.ts';
import { flow } from './support/crooked.ts';
import { child, weir } from './support/run.ts';

const scratch = new Scratch('bad-world');
after(() => scratch.remove());

const lines = (count: number): string => `${flow({})}\n`.repeat(count);
const good = scratch.write('good.ndjson', lines(100));
const acme = (input: string, data: string): string[] => ['--input', input, '--tenant', 'acme', '--data', data];
const isRoot = process.getuid?.() === 0;

/** Peak resident memory of a living process, in MB; 0 where the system does not tell. */
function peakMegabytes(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0; // it has ended
  }
}

describe('a line of 1 GB', () => {
  const LENGTH = 2 ** 30;
  const head = lines(500);
  const tail = `"}\n${lines(3)}`;

  const inputs: Readonly<Record<string, (path: string) => void>> = {
    plain: (path) => {
      const file = openSync(path, 'w'); // sparse: it takes no disk
      writeSync(file, `${head}{"x":"`);
      ftruncateSync(file, head.length + 6 + LENGTH);
      writeSync(file, tail, head.length + 6 + LENGTH);
    },
    compressed: (path) => {
      const part = gzipSync(Buffer.alloc(LENGTH / 16, 'x'));
      writeFileSync(path, Buffer.concat([gzipSync(`${head}{"x":"`), ...Array(16).fill(part), gzipSync(tail)]));
    },
  };
  for (const [name, write] of Object.entries(inputs)) {
    test(`${name}: one reject in bounded memory, and reading goes on behind it`, async () => {
      const path = scratch.path(`long-${name}`);
      write(path);
      const data = scratch.path(`data-long-${name}`);
      await using run = new LiveWeir(['run', ...acme(path, data), '--json']);
      let peak = 0;
      const watch = setInterval(() => {
        peak = Math.max(peak, peakMegabytes(run.process.pid));
      }, 50);
      const { code, summary, stderr } = answerOf(await run.closed);
      clearInterval(watch);
      assert.equal(code, 0, stderr);
      assert.deepEqual(summary.rejects, { record_too_large: 1 });
      assert.equal(summary.stored.flows, 503);
      assert.deepEqual(await rowsOf(data, 'SELECT position, length, length(raw) AS kept FROM rejects'), [
        { position: head.length, length: LENGTH + 8, kept: 65_536 },
      ]);
      assert.ok(peak < 700, `peak resident memory: ${peak} MB`);
    });
  }
});

describe('inputs that cannot be read', () => {
  const cases: Readonly<Record<string, readonly [string, RegExp]>> = {
    '': ['input_is_directory', /is a directory; name the files in it/],
    'nothing.log': ['input_missing', /nothing\.log does not exist/],
    'nothing-*.log': ['input_missing', /No file matches/],
  };
  for (const [name, [code, sentence]] of Object.entries(cases)) {
    test(`${code}: '${name}'`, async () => {
      const answer = await runJson(acme(scratch.path(name), scratch.path('data-none')));
      assert.equal(answer.code, 1);
      assert.equal(answer.error.code, code);
      assert.match(answer.error.message, sentence);
      assert.ok(answer.stderr.includes(`[${code}]`), 'the same on standard error');
    });
  }

  test('input_unreadable: no permission', async (t) => {
    const path = scratch.write('secret/secret.log', lines(1));
    chmodSync(path, 0o000);
    const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
    if (isRoot && spawnSync(nobody[0], [...nobody.slice(1), 'true']).status !== 0)
      return t.skip('root reads everything, and setpriv is absent');
    chmodSync(scratch.folder, 0o711);
    const data = scratch.path('data-nobody');
    mkdirSync(data);
    chmodSync(data, 0o777);
    await using run = new LiveWeir(['run', ...acme(path, data), '--json'], { before: isRoot ? nobody : [] });
    const answer = answerOf(await run.closed);
    assert.equal(answer.code, 1);
    assert.equal(answer.error.code, 'input_unreadable');
    assert.match(answer.error.message, /secret\.log cannot be read: permission denied/);
  });
});

describe('data directories that cannot be used', () => {
  const data = scratch.path('data');
  before(async () => {
    assert.equal((await runJson(acme(good, data))).code, 0);
  });

  async function refusal(directory: string): Promise<string> {
    const { code, error } = await runJson(acme(good, directory));
    assert.equal(code, 1);
    assert.match(error.message, /\w+ \w+ \w+/);
    return error.code;
  }

  test('in use by another process; what is stored can still be asked for', async () => {
    await using holder = new LiveWeir(['run', ...acme('-', data), '--format', 'native-json', '--json']);
    await eventually('the first run serves queries', () => existsSync(`${data}/endpoint.json`));
    const { code, error } = await runJson(acme(good, data));
    assert.equal(code, 1);
    assert.equal(error.code, 'data_directory_in_use');
    assert.match(error.message, new RegExp(`process ${holder.process.pid}`));
    assert.deepEqual(await valuesOf(data, 'SELECT count() FROM flows'), [100]);
    holder.process.stdin.end();
    assert.equal((await holder.closed).code, 0, 'the first run is not disturbed');
  });

  test('of another format, of somebody else, and a file', async () => {
    for (const format of [0, 2]) {
      scratch.write(`format-${format}/weir.json`, `{"format":${format}}\n`);
      assert.equal(await refusal(scratch.path(`format-${format}`)), 'data_directory_format');
    }
    scratch.write('garbled/weir.json', '\0');
    assert.equal(await refusal(scratch.path('garbled')), 'data_directory_format');
    scratch.write('foreign/diary.txt', 'dear diary');
    assert.equal(await refusal(scratch.path('foreign')), 'data_directory_foreign');
    assert.equal(await refusal(good), 'data_directory_unusable');
    const { code, stdout } = await weir(['query', 'SELECT 1', '--data', scratch.path('absent'), '--json']);
    assert.equal(code, 1);
    assert.match(stdout, /"code":"data_directory_missing"/);
  });

  test('an old schema is completed, a newer one refused', async () => {
    const change = (sql: string) => child('test/support/statement.js', [data, sql]);
    await change('DROP VIEW weir.alerts_latest');
    await change('TRUNCATE TABLE weir.schema_version');
    assert.deepEqual(await valuesOf(data, 'SELECT count() FROM alerts_latest'), [0]);
    await change("INSERT INTO weir.schema_version (version, file) SELECT 999, 'tomorrow.sql'");
    assert.equal(await refusal(data), 'schema_mismatch');
  });
});

/** A file system of `megabytes` of its own, or null where it cannot be made. */
function smallDisk(t: TestContext, megabytes: number): { path: string; grow(megabytes: number): void } | null {
  const path = scratch.path('disk');
  mkdirSync(path);
  const mount = (options: string): number | null =>
    spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path]).status;
  if (!isRoot || mount(`size=${megabytes}m`) !== 0) {
    t.skip('mounting a small disk is not permitted here');
    return null;
  }
  t.after(() => execFileSync('umount', [path]));
  return { path, grow: (size) => assert.equal(mount(`remount,size=${size}m`), 0) };
}

test('a full disk: Weir waits or stops with a code; given space, everything is stored once', async (t) => {
  const disk = smallDisk(t, 4);
  if (!disk) return;
  const RECORDS = 60_000;
  const input = scratch.write('many.ndjson', lines(RECORDS));
  const data = `${disk.path}/data`;

  const { code, error } = await runJson(acme(input, data));
  assert.equal(code, 1, 'no space for what a data directory needs at first');
  assert.equal(error.code, 'disk_full');
  assert.match(error.message, /Nothing is lost/);

  disk.grow(10);
  await using waiting = new LiveWeir(['run', ...acme(input, data), '--json']);
  await eventually('it waits for space, and says so', () => waiting.stderr.includes('trying again'));
  const stopped = answerOf(await waiting.stop('SIGINT'));
  assert.equal(stopped.code, 1);
  assert.equal(stopped.error.code, 'store_unavailable');

  await using patient = new LiveWeir(['run', ...acme(input, data), '--json']);
  await eventually('the next run waits as well', () => patient.stderr.includes('trying again'));
  disk.grow(200);
  const { code: finished, summary, stderr } = answerOf(await patient.closed);
  assert.equal(finished, 0, stderr);
  assert.deepEqual(summary.rejects, {});
  const totals = 'SELECT toUInt32(count()) AS flows, toUInt32(uniqExact(flow_id)) AS distinct FROM flows';
  assert.deepEqual(await rowsOf(data, totals), [{ flows: RECORDS, distinct: RECORDS }]);
  assert.deepEqual(await valuesOf(data, 'SELECT toUInt32(sum(total_requests)) FROM traffic_analytics'), [RECORDS]);
});

describe('wrong usage and configuration end with status 2', () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['run', '--input', good, '--format', 'carrier-pigeon'], /--format takes one of auto, .*not 'carrier-pigeon'/],
    [['run', '--input', good, '--tenant', 'No Such Slug!'], /tenant 'No Such Slug!'/],
    [['run', '--input', good, '--workers', 'many'], /'workers' is 'many'/],
    [['run', '--input', good, '--set', 'no.such=1'], /no configuration key 'no\.such'/],
    [['run', '--config', scratch.path('none.yaml')], /none\.yaml/],
    [['run', '--format', 'syslog'], /--format needs --input/],
    [['run', '--input', good, '--workers', '-3'], /--workers needs a value; one that begins with '-'/],
    [['run', '--input', good, '--timezone', 'Mars/X'], /--timezone: expected an IANA time zone.*not 'Mars\/X'/],
    [['run', '--input', good, '--pop', 'p'.repeat(129)], /--pop: expected at most 128 printable characters/],
    [['run', '--no-such-option'], /--no-such-option/],
    [['query'], /query needs SQL/],
    [['alerts', 'list', 'all'], /alerts knows 'show ID'/],
  ];
  for (const [args, sentence] of cases) {
    test(`weir ${args.map((arg) => arg.replace(scratch.folder, '')).join(' ')}`, async () => {
      const { code, stdout, stderr } = await weir([...args, '--json', '--data', scratch.path('data-usage')]);
      assert.equal(code, 2, stderr);
      const { error } = oneDocument(stdout) as { error: { code: string; message: string } };
      assert.equal(error.code, 'usage');
      assert.match(error.message, sentence);
      assert.match(stderr, /^weir: .+\nSee 'weir \w+ --help'\.\n$/s);
    });
  }
});
