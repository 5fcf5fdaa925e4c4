import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { RecordTimes } from '../model/work.ts';
import {
  type Copied,
  collect,
  committed,
  copyOf,
  faultsOf,
  type Kit,
  kit,
  NEVER,
  rangesOf,
  readAll,
  type Settings,
  textOf,
} from './fixture.test-support.ts';
import type { SourceBatch } from './source.ts';

/** A record's time is the number at its start; headers, blank lines and words have none. */
async function timesOf(batch: SourceBatch): Promise<RecordTimes> {
  const starts: number[] = [];
  const lengths: number[] = [];
  const times: number[] = [];
  for (const segment of batch.segments) {
    if (segment.fault !== null) continue;
    const text = Buffer.from(batch.bytes).toString('latin1', segment.start, segment.end);
    let at = segment.start;
    for (const line of text.replace(/\n$/, '').split('\n')) {
      const time = /^\d/.test(line) ? Number.parseFloat(line) : Number.NaN;
      if (line !== '' && !line.startsWith('#')) {
        starts.push(at);
        lengths.push(line.length);
        times.push(time);
      }
      at += line.length + 1;
    }
  }
  return {
    starts: Uint32Array.from(starts),
    lengths: Uint32Array.from(lengths),
    timesMs: Float64Array.from(times),
  };
}

const sorted = (t: Kit, settings: Settings = {}) => t.source({ order: 'event-time', timesOf, ...settings });

const stateFiles = (t: Kit): string[] =>
  existsSync(join(t.folder, 'state'))
    ? readdirSync(join(t.folder, 'state'), { recursive: true })
        .map(String)
        .filter((name) => /\.(frames|part|next)$/.test(name))
    : [];

describe('event-time order', () => {
  it('sorts all files by time, then file, then position; a record without a time follows its predecessor', async () => {
    const line = fc.oneof(
      fc.integer({ min: 0, max: 30 }).map((n) => `${n} ${'x'.repeat(n)}`),
      fc.constantFrom('word', ''),
    );
    const property = fc.asyncProperty(
      fc.array(fc.array(line, { maxLength: 60 }), { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 60, max: 500 }),
      fc.integer({ min: 0, max: 4 }),
      fc.constantFrom(200, 3000, 1 << 20),
      fc.nat(),
      async (contents, batchBytes, batchRecords, sortBytes, pick) => {
        const t = kit();
        const expected: { time: number; text: string }[] = [];
        contents.forEach((lines, i) => {
          const all = [`${i} first of file ${i}`, ...lines];
          writeFileSync(join(t.folder, `${i}.log`), all.map((l) => `${l}\n`).join(''));
          let last = Number.NEGATIVE_INFINITY;
          for (const text of all) {
            if (/^\d/.test(text)) last = Number.parseFloat(text);
            expected.push({ time: last, text: `${text}\n` });
          }
        });
        expected.sort((a, b) => a.time - b.time); // stable
        const settings = { format: 'syslog', batchBytes, batchRecords, sortBytes, recordBytes: 100 };
        const source = sorted(t, settings);
        const batches = await readAll(source);
        assert.equal(textOf(batches), expected.map(({ text }) => text).join(''));
        const byFile = new Map<string, { base: number; text: string }[]>();
        for (const b of batches) {
          b.segments.forEach((s, i) => {
            byFile.set(s.file, [...(byFile.get(s.file) ?? []), { base: s.base, text: b.texts[i] }]);
          });
        }
        const whole = [...byFile.values()].map((pieces) => {
          let text = '';
          for (const piece of pieces.sort((a, b) => a.base - b.base)) {
            assert.equal(piece.base, text.length, 'positions are those of the file');
            text += piece.text;
          }
          return text;
        });
        assert.deepEqual(
          whole.sort(),
          contents.map((lines, i) => [`${i} first of file ${i}`, ...lines].map((l) => `${l}\n`).join('')).sort(),
        );
        const cut = pick % batches.length;
        const progress = committed(source, rangesOf(batches.slice(0, cut)));
        const again = sorted(t, settings);
        assert.equal(textOf(await readAll(again, progress)), textOf(batches.slice(cut)), 'goes on in the spool');
        const replayed = await collect(sorted(t, settings).replay(rangesOf(batches.slice(cut)), progress, NEVER));
        assert.equal(textOf(replayed), textOf(batches.slice(cut)));
        await source.committed();
        assert.deepEqual(stateFiles(t), []);
        const done = committed(source, rangesOf(batches));
        assert.deepEqual(await readAll(sorted(t, settings), done), [], 'nothing is new');
        assert.deepEqual(await readAll(t.source({ ...settings }), done), [], 'nor in arrival order');
        t.close();
      },
    );
    await fc.assert(property, { numRuns: 40 });
  });

  it('gives each record the header and the fault that it had in its place', async () => {
    const t = kit();
    const header = (path: string): string => `#separator \\x09\n#path\t${path}\n#fields\tts\n`;
    writeFileSync(join(t.folder, 'a.log'), `${header('one')}5\ta\n${header('two')}1\tb\n${'9'.repeat(300)}\n3\tc\n`);
    const batches = await readAll(sorted(t, { format: 'zeek-tsv', recordBytes: 100 }));
    const pathOf = (b: Copied, i: number): string =>
      /#path\t(\w+)/.exec(Buffer.from(b.segments[i].context ?? []).toString())?.[1] ?? '';
    const seen = batches.flatMap((b) => b.texts.map((text, i) => [text, pathOf(b, i)] as const));
    const data = seen.filter(([text]) => /^\d\t/.test(text));
    assert.deepEqual(
      data.map(([text, path]) => `${text.split('\n')[0]} ${path}`),
      ['1\tb two', '3\tc two', '5\ta one'],
    );
    assert.deepEqual(
      faultsOf(batches).map(({ code, length }) => [code, length]),
      [['record_too_large', 300]],
    );
    t.close();
  });

  it('reads only what was added since', async () => {
    const t = kit();
    writeFileSync(join(t.folder, 'a.log'), '3 a\n1 b\n');
    const first = sorted(t, { format: 'syslog' });
    const batches = await readAll(first);
    assert.equal(textOf(batches), '1 b\n3 a\n');
    await first.committed();
    writeFileSync(join(t.folder, 'a.log'), '3 a\n1 b\n9 c\n7 d\n');
    writeFileSync(join(t.folder, 'b.log'), '8 e\n');
    const second = sorted(t, { format: 'syslog' });
    assert.equal(textOf(await readAll(second, committed(first, rangesOf(batches)))), '7 d\n8 e\n9 c\n');
    t.close();
  });

  it('sorts again when it was stopped while sorting, and reuses what was sorted', async () => {
    const t = kit();
    writeFileSync(join(t.folder, 'a.log'), Array.from({ length: 500 }, (_, i) => `${500 - i} x\n`).join(''));
    const stop = new AbortController();
    const settings = { format: 'syslog', sortBytes: 500, batchBytes: 200 };
    const stopped = t.source({
      ...settings,
      order: 'event-time',
      timesOf: async (batch) => {
        if (batch.ranges[0].from > 2000) stop.abort();
        return timesOf(batch);
      },
    });
    assert.deepEqual(await collect(stopped.batches(new Map(), stop.signal)), []);
    await stopped.committed();
    const taken: Copied[] = [];
    const halfway = new AbortController();
    const second = sorted(t, settings);
    for await (const batch of second.batches(new Map(), halfway.signal)) {
      taken.push(copyOf(batch));
      batch.release();
      if (taken.length === 3) halfway.abort();
    }
    const third = t.source({
      ...settings,
      order: 'event-time',
      timesOf: () => assert.fail('it was sorted already'),
    });
    const rest = await readAll(third, committed(second, rangesOf(taken)));
    const all = (textOf(taken) + textOf(rest))
      .trim()
      .split('\n')
      .map((text) => Number.parseFloat(text));
    assert.deepEqual(
      all,
      Array.from({ length: 500 }, (_, i) => i + 1),
    );
    assert.equal(third.notes()[0].code, 'spool_reused');
    t.close();
  });
});
