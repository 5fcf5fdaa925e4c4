import assert from 'node:assert/strict';
import { appendFileSync, copyFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import {
  type Copied,
  collect,
  committed,
  copyOf,
  type Kit,
  kit,
  NEVER,
  rangesOf,
  textOf,
} from './fixture.test-support.ts';
import type { FileProgress, Source } from './source.ts';

interface Run {
  readonly source: Source;
  readonly batches: Copied[];
  /** Waits until the text read is this. */
  until(text: string): Promise<void>;
  stop(): Promise<ReadonlyMap<string, FileProgress>>;
}

function run(t: Kit, progress: ReadonlyMap<string, FileProgress> = new Map(), input = '*.log'): Run {
  const stop = new AbortController();
  const source = t.source({ input: join(t.folder, input), follow: true, format: 'auto' });
  const batches: Copied[] = [];
  const done = (async () => {
    for await (const batch of source.batches(progress, stop.signal)) {
      batches.push(copyOf(batch));
      batch.release();
    }
  })();
  done.catch(() => {});
  return {
    source,
    batches,
    async until(text) {
      for (let i = 0; i < 400 && textOf(batches) !== text; i++) await Promise.race([sleep(25), done]);
      assert.equal(textOf(batches), text);
    },
    async stop() {
      stop.abort();
      await done;
      return committed(source, rangesOf(batches));
    },
  };
}

const files = (batches: readonly Copied[]): number => new Set(batches.map((b) => b.segments[0].file)).size;

describe('follow', () => {
  it('reads what is appended, and leaves a line without its end until it has one', async () => {
    const t = kit();
    const path = join(t.folder, 'a.log');
    writeFileSync(path, '{"a":1}\n{"a":');
    const first = run(t);
    await first.until('{"a":1}\n');
    appendFileSync(path, '2}\n{"a":3}\n');
    await first.until('{"a":1}\n{"a":2}\n{"a":3}\n');
    appendFileSync(path, '{"a":4}');
    await sleep(400);
    const progress = await first.stop();
    assert.equal(textOf(first.batches), '{"a":1}\n{"a":2}\n{"a":3}\n');
    assert.equal(files(first.batches), 1);
    appendFileSync(path, '\n{"a":5}\n');
    const second = run(t, progress);
    await second.until('{"a":4}\n{"a":5}\n');
    await second.stop();
    const replayed = await collect(first.source.replay(rangesOf(first.batches), progress, NEVER));
    assert.equal(textOf(replayed), textOf(first.batches));
    t.close();
  });

  it('picks up new files, and waits for the first', async () => {
    const t = kit();
    const follow = run(t);
    await sleep(50);
    writeFileSync(join(t.folder, 'a.log'), '{"a":1}\n');
    await follow.until('{"a":1}\n');
    writeFileSync(join(t.folder, 'b.log'), '{"b":1}\n');
    await follow.until('{"a":1}\n{"b":1}\n');
    await follow.stop();
    t.close();
  });

  it('finishes a file that was rotated away, then reads the new one', async () => {
    const t = kit();
    const path = join(t.folder, 'a.log');
    writeFileSync(path, '{"a":1}\n');
    const follow = run(t);
    await follow.until('{"a":1}\n');
    appendFileSync(path, '{"a":2}\n');
    renameSync(path, join(t.folder, 'a.log.1'));
    appendFileSync(join(t.folder, 'a.log.1'), '{"late":true}');
    writeFileSync(path, '{"new":1}\n');
    for (let i = 0; i < 200 && !textOf(follow.batches).includes('late'); i++) await sleep(25);
    await sleep(100);
    const progress = await follow.stop();
    const byFile = new Map<string, string>();
    for (const b of follow.batches) {
      const { file } = b.segments[0];
      byFile.set(file, (byFile.get(file) ?? '') + b.texts.join(''));
    }
    assert.deepEqual([...byFile.values()], ['{"a":1}\n{"a":2}\n{"late":true}', '{"new":1}\n']);
    const replayed = await collect(follow.source.replay(rangesOf(follow.batches), progress, NEVER));
    assert.equal(textOf(replayed), textOf(follow.batches), 'found under its new name');
    t.close();
  });

  it('reads the rest of a file that was rotated while nothing ran', async () => {
    const t = kit();
    const path = join(t.folder, 'a.log');
    writeFileSync(path, '{"a":1}\n');
    const first = run(t);
    await first.until('{"a":1}\n');
    const progress = await first.stop();
    appendFileSync(path, '{"a":2}\n');
    renameSync(path, join(t.folder, 'a.log.1'));
    writeFileSync(path, '{"b":1}\n');
    const second = run(t, progress);
    await second.until('{"a":2}\n{"b":1}\n');
    await second.stop();
    t.close();
  });

  it('begins a truncated file anew, under a new identity even if it begins alike', async () => {
    const t = kit();
    const path = join(t.folder, 'a.log');
    writeFileSync(path, '{"a":1}\n{"a":2}\n');
    const follow = run(t);
    await follow.until('{"a":1}\n{"a":2}\n');
    copyFileSync(path, join(t.folder, 'a.copy'));
    truncateSync(path, 0);
    await sleep(400);
    appendFileSync(path, '{"a":1}\n{"a":2}\n');
    await follow.until('{"a":1}\n{"a":2}\n{"a":1}\n{"a":2}\n');
    const progress = await follow.stop();
    assert.equal(files(follow.batches), 2);
    assert.equal(follow.source.notes()[0].code, 'truncated_file');
    appendFileSync(path, '{"a":3}\n');
    const second = run(t, progress);
    await second.until('{"a":3}\n');
    await second.stop();
    assert.equal(second.batches[0].segments[0].file, follow.batches.at(-1)?.segments[0].file);
    t.close();
  });

  it('reads compressed files when they are whole', async () => {
    const t = kit();
    const whole = gzipSync('{"z":1}\n{"z":2}');
    const path = join(t.folder, 'z.log');
    writeFileSync(path, whole.subarray(0, 12));
    const follow = run(t);
    await sleep(300);
    writeFileSync(path, whole);
    await follow.until('{"z":1}\n{"z":2}');
    await follow.stop();
    t.close();
  });

  it('fails at once for a named file that is not there', async () => {
    const t = kit();
    const follow = run(t, new Map(), 'absent.txt');
    await assert.rejects(() => follow.stop(), { code: 'input_missing' });
    t.close();
  });
});
