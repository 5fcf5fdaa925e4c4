// What holds for every server, shown with a small one of our own: nothing is signalled or deleted that is not ours.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, test } from 'node:test';
import { TREE } from '../support/run.ts';
import { newHolder } from './holders.ts';
import { withLock } from './lock.ts';
import { orSkip } from './or-skip.ts';
import { postgres } from './postgres.ts';
import { ended, identify, signal } from './process.ts';
import { kill9, release, running, type Server, start, status, stop, wipe } from './server.ts';
import { isolated, type Settings, settingsOf } from './settings.ts';

/** Answers on its port, writes what it was started for, and takes the place of ClickHouse. */
const small: Server = {
  name: 'clickhouse',
  ports: ['clickhouse'],
  patience: 20,
  stopSignal: 'SIGTERM',
  install: async () => process.execPath,
  prepare: async ({ software, directory, ports }) => {
    writeFileSync(join(directory, 'data'), 'kept', { flag: 'a' });
    const program = `require('http').createServer((_, answer) => answer.end()).listen(${ports.clickhouse}, '127.0.0.1', () => console.log('ready'))`;
    return { command: software, args: ['-e', program] };
  },
  isReady: async (_ports, log) => log().includes('ready'),
};

let settings: Settings;
const children: ChildProcess[] = [];

beforeEach(async () => {
  settings = await isolated(settingsOf({}));
});
afterEach(() => wipe(small, settings.home).then(() => rm(settings.home, { recursive: true })));
after(() => {
  for (const child of children) child.kill('SIGKILL');
});

test('started twice it is one server; stopped and started again it has its data', async () => {
  const [first, second] = await Promise.all([start(small, settings), start(small, settings)]);
  assert.equal(first.running.pid, second.running.pid);
  assert.deepEqual([first.already, second.already].sort(), [false, true]);
  assert.equal(status(small, settings.home).port, settings.ports.clickhouse);
  assert.equal(await stop(small, settings.home), true);
  assert.equal(identify(first.running.pid), undefined);
  assert.equal(await stop(small, settings.home), false);
  await start(small, settings);
  assert.equal(readFileSync(join(settings.home, 'clickhouse', 'data'), 'utf8'), 'keptkept');
});

test('a process that only has the number of the recorded one is never signalled', async () => {
  await start(small, settings);
  const record = join(settings.home, 'clickhouse.json');
  const now = running('clickhouse', settings.home)!;
  const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  children.push(stranger);
  writeFileSync(record, JSON.stringify({ ...now, pid: stranger.pid }));
  assert.equal(status(small, settings.home).up, false);
  assert.equal(await stop(small, settings.home), false);
  await assert.rejects(kill9('clickhouse', settings.home), { code: 'services_not_running' });
  assert.notEqual(identify(stranger.pid!), undefined, 'the stranger lives');
  signal(now, 'SIGKILL');
  await ended([now], 5000);
});

test('a port that another process has, and a directory that is not ours, are refused', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  const { port } = other.address() as AddressInfo;
  const taken = { ...settings, ports: { ...settings.ports, clickhouse: port } };
  await assert.rejects(start(small, taken), { code: 'services_port_taken' });
  other.close();
  const foreign = mkdtempSync(join(tmpdir(), 'weir-foreign-'));
  writeFileSync(join(foreign, 'clickhouse'), 'a file of the user');
  await assert.rejects(wipe(small, foreign), { code: 'services_home_unfit' });
  assert.equal(readFileSync(join(foreign, 'clickhouse'), 'utf8'), 'a file of the user');
  await rm(foreign, { recursive: true });
});

test('a server that ends at once, or is never ready, is told with the end of its log', async () => {
  const broken = {
    ...small,
    prepare: async () => ({ command: process.execPath, args: ['-e', 'console.log("no disk")'] }),
  };
  await assert.rejects(start(broken, settings), { code: 'services_ended', message: /no disk/ });
  const silent = { ...small, patience: 0.2, isReady: async () => false };
  await assert.rejects(start(silent, settings), { code: 'services_not_ready' });
  assert.equal(running('clickhouse', settings.home), undefined);
});

test('tests that share a server end it when the last has gone; what the command started stays', async () => {
  const [one, two] = [newHolder(), newHolder()];
  await start(small, settings, one);
  await kill9('clickhouse', settings.home);
  await start(small, settings, one);
  await start(small, settings, two);
  await release(small, settings.home, one);
  assert.equal(status(small, settings.home).up, true);
  await release(small, settings.home, two);
  assert.equal(status(small, settings.home).up, false);
  assert.equal(existsSync(join(settings.home, 'clickhouse')), false, 'the data that tests began went with them');

  await start(small, settings);
  await start(small, settings, one);
  await release(small, settings.home, one);
  assert.equal(status(small, settings.home).up, true);
});

test('a lock is held by one at a time, and the lock of a dead process is free', async () => {
  const path = join(settings.home, 'lock');
  writeFileSync(path, JSON.stringify({ pid: process.pid, startTime: 'long ago' }));
  let inside = 0;
  const enter = () =>
    withLock(path, async () => {
      assert.equal(++inside, 1);
      await new Promise((resolve) => setTimeout(resolve, 5));
      inside--;
    });
  await Promise.all(Array.from({ length: 8 }, enter));
  assert.equal(existsSync(path), false);
});

test('servers end with the test that started them, even when it is killed', async (t) => {
  if (!(await orSkip(t, () => postgres.install(settings.cache)))) return;
  const script = `import { startServices } from ${JSON.stringify(join(TREE, 'test/services/index.js'))};
    const services = await startServices(['postgres'], { isolated: true });
    console.log(JSON.stringify({ pid: services.pid('postgres'), home: services.home }));
    setInterval(() => {}, 1000);`;
  const victim = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(victim);
  const line = await new Promise<string>((resolve, reject) => {
    victim.stdout.once('data', (data: Buffer) => resolve(data.toString()));
    victim.once('exit', (code) => reject(new Error(`it ended: ${code}`)));
  });
  const { pid, home } = JSON.parse(line) as { pid: number; home: string };
  const server = identify(pid)!;
  victim.kill('SIGKILL');
  assert.equal(await ended([server], 20_000), true);
  for (let waited = 0; existsSync(home) && waited < 200; waited++) await new Promise((r) => setTimeout(r, 50));
  assert.equal(existsSync(home), false);
});
