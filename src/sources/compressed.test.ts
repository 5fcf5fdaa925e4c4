import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { collect, committed, faultsOf, kit, NEVER, rangesOf, readAll, textOf } from './fixture.test-support.ts';

const lines = (n: number): string =>
  Array.from({ length: n }, (_, i) => `{"n":${i},"x":"${'y'.repeat(i % 50)}"}\n`).join('');

/** What a gzip stream that was cut at `length` still gives. */
function inflatable(bytes: Buffer, length: number): string {
  return gunzipSync(bytes.subarray(0, length), { finishFlush: 2 }).toString();
}

function zstd(content: string | Buffer, ...options: string[]): Buffer | null {
  try {
    return execFileSync('zstd', ['-q', '-c', ...options], { input: content, stdio: ['pipe', 'pipe', 'ignore'] });
  } catch {
    return null;
  }
}

describe('gzip', () => {
  it('reads all members, resumes and replays by decompressed position', async () => {
    const content = lines(4000);
    const property = fc.asyncProperty(
      fc.uniqueArray(fc.integer({ min: 0, max: content.length }), { maxLength: 6 }),
      fc.nat(),
      async (cuts, pick) => {
        const t = kit();
        const at = [0, ...cuts.sort((a, b) => a - b), content.length];
        const members = at.slice(1).map((end, i) => gzipSync(content.slice(at[i], end)));
        writeFileSync(join(t.folder, 'x.log'), Buffer.concat([...members, Buffer.alloc(pick % 3)]));
        const settings = { batchBytes: 10_000 };
        const source = t.source(settings);
        const batches = await readAll(source);
        assert.equal(textOf(batches), content);
        assert.deepEqual(faultsOf(batches), []);
        const cut = pick % batches.length;
        const progress = committed(source, rangesOf(batches.slice(0, cut)));
        assert.equal(textOf(await readAll(t.source(settings), progress)), textOf(batches.slice(cut)));
        const ranges = [...rangesOf(batches.slice(cut)), ...rangesOf(batches.slice(0, 2))];
        const replayed = await collect(t.source(settings).replay(ranges, progress, NEVER));
        assert.equal(textOf(replayed), textOf([...batches.slice(cut), ...batches.slice(0, 2)]));
        t.close();
      },
    );
    await fc.assert(property, { numRuns: 10 });
  });

  it('keeps what decompressed when the stream is cut anywhere, and says that it was cut', async () => {
    const content = lines(12);
    const whole = gzipSync(content);
    for (let length = 1; length < whole.length; length++) {
      const t = kit();
      writeFileSync(join(t.folder, 'x.log.gz'), whole.subarray(0, length));
      const source = t.source({ input: join(t.folder, '*.gz') });
      const batches = await readAll(source);
      const kept = length > 10 ? inflatable(whole, length) : '';
      const records = kept.slice(0, kept.lastIndexOf('\n') + 1);
      assert.equal(textOf(batches), records, `cut at ${length}`);
      const faults = faultsOf(batches);
      assert.equal(faults.length, 1, `cut at ${length}`);
      assert.equal(faults[0].code, 'input_truncated');
      if (kept !== '') assert.equal(faults[0].text, kept.slice(records.length));
      for (const { from, to } of rangesOf(batches)) assert.ok(to > from, 'everything told has a place in the stream');
      const again = t.source({ input: join(t.folder, '*.gz') });
      assert.deepEqual(await readAll(again, committed(source, rangesOf(batches))), [], 'told once');
      t.close();
    }
  });

  it('keeps every record before damage', async () => {
    const content = lines(3000);
    const whole = gzipSync(content);
    for (const at of [20, 700, whole.length >> 1, whole.length - 5]) {
      const t = kit();
      const damaged = Buffer.from(whole);
      for (let i = at; i < Math.min(at + 40, damaged.length); i++) damaged[i] ^= 0x5a;
      writeFileSync(join(t.folder, 'x.log'), damaged);
      const batches = await readAll(t.source({ batchBytes: 5000 }));
      const faults = faultsOf(batches).filter(({ code }) => code !== 'record_too_large');
      assert.equal(faults.length, 1);
      assert.equal(faults[0].code, 'input_corrupt');
      const before = inflatable(whole, at);
      assert.ok(textOf(batches).startsWith(before.slice(0, before.lastIndexOf('\n') + 1)));
      t.close();
    }
  });

  it('says that something else follows the compressed data', async () => {
    const t = kit();
    writeFileSync(join(t.folder, 'x.log'), Buffer.concat([gzipSync(lines(5)), Buffer.from('no gzip at all')]));
    const batches = await readAll(t.source({}));
    assert.equal(textOf(batches), lines(5));
    assert.deepEqual(
      faultsOf(batches).map(({ code }) => code),
      ['input_corrupt'],
    );
    t.close();
  });

  it('goes on in a truncated file once it is whole', async () => {
    const t = kit();
    const content = lines(2000);
    const whole = gzipSync(content);
    const path = join(t.folder, 'x.log');
    writeFileSync(path, whole.subarray(0, whole.length >> 1));
    const first = t.source({});
    const some = await readAll(first);
    writeFileSync(path, whole);
    const rest = await readAll(t.source({}), committed(first, rangesOf(some)));
    const [fault] = faultsOf(some);
    assert.equal(textOf(some) + fault.text + textOf(rest), content);
    t.close();
  });

  it('finds a compressed copy of what was read plain', async () => {
    const t = kit();
    writeFileSync(join(t.folder, 'a.log'), lines(500));
    writeFileSync(join(t.folder, 'b.log'), gzipSync(lines(500)));
    const source = t.source({});
    assert.equal(textOf(await readAll(source)), lines(500));
    assert.deepEqual(
      source.notes().map(({ code }) => code),
      ['already_read'],
    );
    t.close();
  });
});

describe('zstd', () => {
  it('reads frames and says when they are cut or damaged', async (t0) => {
    const content = lines(30_000);
    const whole = zstd(content, '--check');
    if (whole === null) return t0.skip('the zstd tool is absent');
    const read = async (bytes: Buffer) => {
      const t = kit();
      writeFileSync(join(t.folder, 'x.log'), bytes);
      const batches = await readAll(t.source({ batchBytes: 50_000 }));
      t.close();
      return batches;
    };
    const two = await read(Buffer.concat([whole, zstd('{"last":1}\n', '--no-check')!]));
    assert.equal(textOf(two), `${content}{"last":1}\n`);
    assert.deepEqual(faultsOf(two), []);
    const cut = await read(whole.subarray(0, whole.length - 9));
    assert.deepEqual(
      faultsOf(cut).map(({ code }) => code),
      ['input_truncated'],
    );
    assert.ok(content.startsWith(textOf(cut)));
    const garbage = await read(Buffer.concat([whole, Buffer.from('this is no zstd frame')]));
    assert.equal(textOf(garbage), content);
    assert.deepEqual(
      faultsOf(garbage).map(({ code }) => code),
      ['input_corrupt'],
    );
  });

  it('refuses a frame that would need gigabytes', async () => {
    const t = kit();
    const hostile = Buffer.from([
      0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa0, 0x01, 0x00, 0x00, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ]);
    writeFileSync(join(t.folder, 'x.log'), hostile);
    const batches = await readAll(t.source({}));
    assert.deepEqual(
      faultsOf(batches).map(({ code, length }) => [code, length]),
      [['input_corrupt', 20]],
    );
    t.close();
  });
});
