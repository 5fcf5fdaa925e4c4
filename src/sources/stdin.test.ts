import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import {
  collect,
  committed,
  copyOf,
  faultsOf,
  type Kit,
  kit,
  NEVER,
  rangesOf,
  readAll,
  textOf,
} from './fixture.test-support.ts';

const lines = (from: number, to: number): string => {
  let text = '';
  for (let i = from; i < to; i++) text += `{"n":${i}}\n`;
  return text;
};

const spools = (t: Kit): string[] =>
  readdirSync(join(t.folder, 'state'), { recursive: true })
    .map(String)
    .filter((name) => /\.(part|spool)$/.test(name));

const piped = (t: Kit, text: string | Buffer, chunk = 1000) => {
  const bytes = Buffer.from(text as string);
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += chunk) chunks.push(bytes.subarray(at, at + chunk));
  return t.source({ input: '-', stdin: Readable.from(chunks) });
};

describe('standard input', () => {
  it('is read like a file, spooled until it is committed, and known again', async () => {
    const t = kit();
    const content = `${lines(0, 3000)}{"last":1}`;
    const source = piped(t, content);
    const batches = await readAll(source);
    assert.equal(textOf(batches), content);
    assert.equal(spools(t).length, 1);
    const progress = committed(source, rangesOf(batches));
    const replayed = await collect(piped(t, '').replay(rangesOf(batches), progress, NEVER));
    assert.equal(textOf(replayed), content);
    await source.committed();
    assert.deepEqual(spools(t), []);
    const again = piped(t, content);
    assert.deepEqual(await readAll(again, progress), []);
    assert.equal(again.notes()[0].code, 'already_read');
    t.close();
  });

  it('may be compressed, or empty', async () => {
    const t = kit();
    const compressed = piped(t, gzipSync(lines(0, 500)), 37);
    assert.equal(textOf(await readAll(compressed)), lines(0, 500));
    await compressed.committed();
    const empty = piped(t, '');
    assert.deepEqual(await readAll(empty), []);
    t.close();
  });

  it('gives records as they come', async () => {
    const t = kit();
    const stdin = new PassThrough();
    const source = t.source({ input: '-', stdin });
    const batches = source.batches(new Map(), NEVER)[Symbol.asyncIterator]();
    for (let i = 0; i < 3; i++) {
      stdin.write(lines(i, i + 1));
      const { value } = await batches.next();
      assert.equal(copyOf(value).texts.join(''), lines(i, i + 1));
      value.release();
    }
    stdin.end('{"n":99}');
    const { value } = await batches.next();
    assert.equal(copyOf(value).texts.join(''), '{"n":99}');
    value.release();
    assert.equal((await batches.next()).done, true);
    t.close();
  });

  /** A run that takes `take` batches of what arrives and is then killed. */
  const interrupted = async (t: Kit, text: string, take: number) => {
    const stdin = new PassThrough();
    const source = t.source({ input: '-', stdin, batchBytes: 500 });
    const stop = new AbortController();
    const taken: ReturnType<typeof copyOf>[] = [];
    stdin.write(text);
    for await (const batch of source.batches(new Map(), stop.signal)) {
      taken.push(copyOf(batch));
      batch.release();
      if (taken.length === take) {
        const [spool] = spools(t);
        while (statSync(join(t.folder, 'state', spool)).size < text.length) await sleep(5);
        stop.abort();
      }
    }
    return { taken, progress: committed(source, rangesOf(taken)) };
  };
  it('after an interruption reads first what was spooled, then goes on where the same input went on', async () => {
    const t = kit();
    const content = lines(0, 3000);
    const { taken, progress } = await interrupted(t, content.slice(0, 20_005), 3);
    const again = piped(t, content);
    const rest = await readAll(again, progress);
    assert.equal(textOf(taken) + textOf(rest), content);
    assert.deepEqual(faultsOf(rest), []);
    await again.committed();
    assert.deepEqual(spools(t), []);
    t.close();
  });

  it('after an interruption loses nothing of what was spooled when other input follows', async () => {
    const t = kit();
    const content = lines(0, 3000);
    const { taken, progress } = await interrupted(t, content.slice(0, 20_005), 3);
    const again = piped(t, '{"other":1}\n');
    const rest = await readAll(again, progress);
    const whole = content.slice(0, content.lastIndexOf('\n', 20_004) + 1);
    assert.equal(textOf(taken) + textOf(rest), `${whole}{"other":1}\n`);
    assert.deepEqual(
      faultsOf(rest).map(({ code, text }) => [code, text]),
      [['input_truncated', content.slice(whole.length, 20_005)]],
    );
    t.close();
  });
});
