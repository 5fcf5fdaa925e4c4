import assert from 'node:assert/strict';
import { appendFileSync, copyFileSync, mkdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { collect, committed, faultsOf, kit, NEVER, rangesOf, readAll, textOf } from './fixture.test-support.ts';

describe('files', () => {
  it('gives every byte once, in whole records, in name order', async () => {
    const t = kit();
    writeFileSync(join(t.folder, 'b.log'), '{"b":1}\n{"b":2}\n');
    writeFileSync(join(t.folder, 'a.log'), '{"a":1}\n\n{"a":2}');
    writeFileSync(join(t.folder, 'c.log'), '');
    const source = t.source({});
    const batches = await readAll(source);
    assert.equal(textOf(batches), '{"a":1}\n\n{"a":2}{"b":1}\n{"b":2}\n');
    assert.equal(source.files().size, 2);
    for (const file of source.files().values()) assert.equal(file.done, true);
    for (const batch of batches) {
      assert.equal(batch.segments[0].source, 7);
      assert.match(batch.segments[0].file, /^[0-9a-f]{32}$/);
      assert.equal(batch.ranges[0].appendedAtMs, 1_700_000_000_000);
    }
    assert.equal(batches.at(-1)?.progressBytes, 32);
    assert.equal(await source.totalBytes(), 32);
    t.close();
  });

  it('cuts any content at record ends, resumes anywhere and replays exactly', async () => {
    const line = fc.oneof(
      fc.string({ maxLength: 30, unit: fc.constantFrom('a', 'b', '#', '"', 'é', '\r') }),
      fc.string({ minLength: 60, maxLength: 90, unit: fc.constantFrom('x', '#') }),
    );
    const property = fc.asyncProperty(
      fc.array(line, { maxLength: 40 }),
      fc.boolean(),
      fc.integer({ min: 40, max: 300 }),
      fc.integer({ min: 0, max: 5 }),
      fc.nat(),
      async (lines, newline, batchBytes, batchRecords, pick) => {
        const t = kit();
        const recordBytes = 50;
        const content = Buffer.from(lines.join('\n') + (newline ? '\n' : '')).toString('latin1');
        const path = join(t.folder, 'x.log');
        writeFileSync(path, content, 'latin1');
        const settings = { batchBytes, batchRecords, recordBytes, slabCount: 2 };
        const source = t.source(settings);
        const batches = await readAll(source);
        const records = content.split('\n').filter((record, i, all) => i < all.length - 1 || record !== '');
        const fit = records.filter((record) => record.length <= recordBytes);
        const tooLong = records.filter((record) => record.length > recordBytes);
        const seen = batches.flatMap((b) => b.texts.filter((_, i) => b.segments[i].fault === null));
        assert.deepEqual(
          seen.flatMap((text) => text.replace(/\n$/, '').split('\n')),
          fit,
        );
        assert.deepEqual(
          faultsOf(batches).map(({ code, length, text }) => ({ code, length, text })),
          tooLong.map((record) => ({ code: 'record_too_large', length: record.length, text: record.slice(0, 50) })),
        );
        let at = 0;
        for (const { from, to } of rangesOf(batches)) {
          assert.equal(from, at, 'ranges join');
          at = to;
        }
        assert.equal(at, content.length);
        for (const batch of batches) {
          for (const [i, segment] of batch.segments.entries()) {
            const there = content.slice(segment.base, segment.base + segment.end - segment.start);
            assert.equal(batch.texts[i], there, 'base is the position in the file');
          }
          if (batchRecords > 0) {
            const count = batch.texts.join('').replace(/\n$/, '').split('\n').length;
            assert.ok(count <= batchRecords, 'the cap of records is exact');
          }
        }
        if (batches.length > 0) {
          const cut = pick % batches.length;
          const first = rangesOf(batches.slice(0, cut));
          const again = t.source(settings);
          const rest = await readAll(again, committed(source, first));
          const remaining = batches.slice(cut).flatMap((b) => b.texts);
          assert.equal(rest.flatMap((b) => b.texts).join(''), remaining.join(''), 'where batches end may differ');
          const taken = rangesOf(batches).filter((_, i) => (i + pick) % 2 === 0);
          const replayed = await collect(t.source(settings).replay(taken, committed(source, first), NEVER));
          const texts = batches.filter((_, i) => (i + pick) % 2 === 0).flatMap((b) => b.texts);
          assert.deepEqual(replayed.flatMap((b) => b.texts).join(''), texts.join(''));
          let range = 0;
          for (const [part] of replayed.map((b) => b.ranges)) {
            while (part.from >= taken[range].to) range++;
            assert.ok(part.from >= taken[range].from && part.to <= taken[range].to, 'no batch leaves its range');
          }
        }
        t.close();
      },
    );
    const x = 'x'.repeat(60);
    const unlucky = [[x, '', x, '', '', ''], false, 124, 0, 4_135_906] as [string[], boolean, number, number, number];
    await fc.assert(property, { numRuns: 80, examples: [unlucky], interruptAfterTimeLimit: 20_000 });
  });

  it('cuts MessagePack with record structures, and hands the structures to whoever reads from the middle', async () => {
    const t = kit();
    const packr = new Packr({ sequential: true, useRecords: true });
    const messages = Array.from({ length: 60 }, (_, i) => {
      const record =
        i % 3 === 0 ? { tenant_id: 't', n: i, text: 'x'.repeat(i) } : { other: i, more: [i, { deep: null }] };
      return Buffer.from(packr.pack(record));
    });
    writeFileSync(join(t.folder, 'm.log'), Buffer.concat(messages));
    const settings = { format: 'native-msgpack', batchBytes: 150, batchRecords: 4 };
    const source = t.source(settings);
    const batches = await readAll(source);
    assert.equal(textOf(batches), Buffer.concat(messages).toString('latin1'));
    assert.equal(batches[0].segments[0].context, null);
    assert.ok(batches.length >= 15);
    const rest = await readAll(t.source(settings), committed(source, rangesOf(batches.slice(0, 9))));
    assert.ok(rest[0].texts[0].startsWith(batches[9].texts[0]));
    assert.ok(batches[9].segments[0].context);
    assert.deepEqual(rest[0].segments[0].context, batches[9].segments[0].context);
    const replayed = await collect(t.source(settings).replay(batches[11].ranges, committed(source, []), NEVER));
    assert.deepEqual(replayed[0].segments, batches[11].segments);
    t.close();
  });

  it('makes one fault of MessagePack that is too large or broken, and goes on where it can', async () => {
    const t = kit();
    const packr = new Packr({ useRecords: false });
    const good = Buffer.from(packr.pack({ a: 1 }));
    const large = Buffer.from(packr.pack({ a: 'x'.repeat(30_000), b: Array.from({ length: 500 }, (_, i) => i) }));
    writeFileSync(join(t.folder, 'm.log'), Buffer.concat([good, large, good, good, Buffer.from([0xc1, 0, 1, 2])]));
    const batches = await readAll(t.source({ format: 'native-msgpack', recordBytes: 100, batchBytes: 64 }));
    assert.equal(textOf(batches), Buffer.concat([good, good, good]).toString('latin1'));
    assert.deepEqual(
      faultsOf(batches).map(({ code, length }) => [code, length]),
      [
        ['record_too_large', large.length],
        ['syntax', 4],
      ],
    );
    t.close();
  });

  it('cuts length-delimited records', async () => {
    const t = kit();
    const frame = (body: Buffer): Buffer => {
      const prefix: number[] = [];
      let rest = body.length;
      for (; rest >= 0x80; rest = Math.floor(rest / 128)) prefix.push((rest % 128) + 128);
      return Buffer.concat([Buffer.from([...prefix, rest]), body]);
    };
    const frames = [5, 0, 200, 90_000, 3].map((length) => frame(Buffer.alloc(length, 8)));
    writeFileSync(join(t.folder, 'p.log'), Buffer.concat([...frames, Buffer.from([9, 1, 2])]));
    const batches = await readAll(t.source({ format: 'goflow2-protobuf', recordBytes: 1000, batchBytes: 100 }));
    assert.equal(textOf(batches), Buffer.concat([frames[0], frames[1], frames[2], frames[4]]).toString('latin1'));
    assert.deepEqual(
      faultsOf(batches).map(({ code, length }) => [code, length]),
      [
        ['record_too_large', 90_003],
        ['input_truncated', 3],
      ],
    );
    t.close();
  });

  it('carries the Zeek header in force to every batch, also when reading from the middle', async () => {
    const t = kit();
    const header = (path: string): string =>
      `#separator \\x09\n#path\t${path}\n#open\t2024\n#fields\tts\tuid\n#types\ttime\tstring\n`;
    const rows = (n: number): string => Array.from({ length: n }, (_, i) => `${i}.5\tC#${i}\n`).join('');
    const content = `${header('conn')}${rows(30)}#close\t2024\n${header('dns')}# a comment\n${rows(40)}`;
    writeFileSync(join(t.folder, 'z.log'), content);
    const settings = { format: 'zeek-tsv', batchBytes: 100, batchRecords: 7 };
    const source = t.source(settings);
    const batches = await readAll(source);
    assert.equal(textOf(batches), content);
    const context = (i: number): string => Buffer.from(batches[i].segments[0].context ?? []).toString();
    assert.equal(context(0), '');
    assert.equal(context(2), header('conn'));
    assert.equal(context(batches.length - 1), `#close\t2024\n${header('dns')}`);
    const rest = await readAll(t.source(settings), committed(source, rangesOf(batches.slice(0, 8))));
    assert.deepEqual(rest[0].segments, batches[8].segments);
    t.close();
  });

  it('reads a line far longer than any buffer in bounded memory', async () => {
    const t = kit();
    const path = join(t.folder, 'huge.log');
    writeFileSync(path, '{"a":1}\n');
    const piece = Buffer.alloc(1 << 20, 'x');
    for (let i = 0; i < 64; i++) appendFileSync(path, piece);
    appendFileSync(path, '\n{"b":2}\n');
    const before = process.memoryUsage().arrayBuffers;
    const batches = await readAll(t.source({ recordBytes: 1 << 20, batchBytes: 1 << 20, slabCount: 2 }));
    assert.ok(process.memoryUsage().arrayBuffers - before < 16 << 20);
    assert.equal(textOf(batches), '{"a":1}\n{"b":2}\n');
    const [fault] = faultsOf(batches);
    assert.equal(fault.code, 'record_too_large');
    assert.equal(fault.length, 64 << 20);
    assert.equal(fault.text.length, 64 * 1024);
    t.close();
  });

  it('knows a file again under another name, and a copy for a copy', async () => {
    const t = kit();
    const path = join(t.folder, 'a.log');
    writeFileSync(path, '{"a":1}\n{"a":2}\n');
    const first = t.source({});
    const batches = await readAll(first);
    const progress = committed(first, rangesOf(batches));
    renameSync(path, join(t.folder, 'renamed.log'));
    copyFileSync(join(t.folder, 'renamed.log'), join(t.folder, 'copy.log'));
    const second = t.source({});
    assert.deepEqual(await readAll(second, progress), []);
    assert.deepEqual(
      second.notes().map(({ code }) => code),
      ['already_read', 'already_read'],
    );
    const fresh = t.source({});
    assert.equal(textOf(await readAll(fresh)), '{"a":1}\n{"a":2}\n', 'of two copies one is read');
    assert.equal(fresh.notes()[0].code, 'already_read');
    t.close();
  });

  it('tells files apart that share a long head, by what follows it', async () => {
    const t = kit();
    const [a, b, c] = ['a.log', 'b.log', 'c.log'].map((name) => join(t.folder, name));
    for (const shared of [5000, 100_000]) {
      const head = '{"same":true}\n'.repeat(shared / 14);
      writeFileSync(a, `${head}{"a":1}\n{"a":2}\n`);
      writeFileSync(b, `${head}{"b":1}\n`);
      writeFileSync(c, `${head}{"a":1}\n`);
      const first = t.source({});
      const batches = await readAll(first);
      assert.equal(textOf(batches), `${head}{"a":1}\n{"a":2}\n${head}{"b":1}\n`);
      assert.deepEqual(
        first.notes().map(({ code, path, message }) => [code, path, message.includes(a)]),
        [['already_read', c, true]],
      );
      const progress = committed(first, rangesOf(batches));
      assert.deepEqual([...progress.values()].map(({ path }) => path).sort(), [a, b]);
      const second = t.source({});
      assert.deepEqual(await readAll(second, progress), [], `${shared}: known again, each for itself`);
      const replayed = await collect(t.source({}).replay(rangesOf(batches), progress, NEVER));
      assert.equal(textOf(replayed), textOf(batches));
    }
    t.close();
  });

  it('says so when it goes on in a file under another name', async () => {
    const t = kit();
    writeFileSync(join(t.folder, 'a.log'), '{"a":1}\n');
    const first = t.source({});
    const progress = committed(first, rangesOf(await readAll(first)));
    renameSync(join(t.folder, 'a.log'), join(t.folder, 'b.log'));
    appendFileSync(join(t.folder, 'b.log'), '{"a":2}\n');
    const second = t.source({});
    assert.equal(textOf(await readAll(second, progress)), '{"a":2}\n');
    assert.match(second.notes()[0].message, /begins as .*a\.log, of which 8 bytes were read/);
    t.close();
  });

  it('reads on in a file that has grown, keeping its identity', async () => {
    const t = kit();
    const path = join(t.folder, 'a.log');
    writeFileSync(path, '{"a":1}\n');
    const first = t.source({});
    const progress = committed(first, rangesOf(await readAll(first)));
    appendFileSync(path, `{"a":2}\n${'{"more":true}\n'.repeat(1000)}`);
    const second = t.source({});
    const batches = await readAll(second, progress);
    assert.equal(textOf(batches), `{"a":2}\n${'{"more":true}\n'.repeat(1000)}`);
    const [id] = progress.keys();
    assert.equal(batches[0].segments[0].file, id);
    assert.equal(batches[0].segments[0].base, 8);
    assert.equal(second.files().get(id)?.fingerprintLength, 4096, 'it is told by more of it now');
    const third = t.source({});
    assert.deepEqual(await readAll(third, committed(second, rangesOf(batches))), []);
    t.close();
  });

  it('leaves an unfinished record of a file that grows while it is read, and takes one that rests for the last', async () => {
    const t = kit();
    const path = join(t.folder, 'a.log');
    const rests = { clock: Date.now, settle: async () => {} };
    const grows = { clock: Date.now, settle: async () => appendFileSync(path, '2') };
    writeFileSync(path, '{"a":1}\n{"a":');
    const resting = t.source(rests);
    assert.equal(textOf(await readAll(resting)), '{"a":1}\n{"a":', 'nothing is added: it is the last record');
    assert.deepEqual(resting.notes(), []);
    const first = t.source(grows);
    const batches = await readAll(first);
    assert.equal(textOf(batches), '{"a":1}\n');
    assert.deepEqual(
      first.notes().map(({ code, path }) => [code, path]),
      [['unfinished_line', path]],
    );
    appendFileSync(path, '}\n');
    const second = t.source(rests);
    const rest = await readAll(second, committed(first, rangesOf(batches)));
    assert.equal(textOf(rest), '{"a":2}\n');
    assert.equal(rest[0].segments[0].base, 8);
    assert.deepEqual(await readAll(t.source(rests), committed(second, rangesOf(rest))), []);
    t.close();
  });

  it('takes the year of undated records from when the file was written, and keeps it over an interruption', async () => {
    const t = kit();
    const path = join(t.folder, 'a.log');
    writeFileSync(path, 'Jun 14 15:16:01 combo sshd: a\nJun 14 15:16:02 combo sshd: b\n');
    utimesSync(path, 1_118_700_000, 1_118_700_000);
    const source = t.source({ format: 'auto', batchRecords: 1 });
    const batches = await readAll(source);
    assert.equal(batches[0].segments[0].format, 'syslog');
    assert.equal(batches[0].ranges[0].referenceMs, 1_118_700_000_000);
    utimesSync(path, 1_600_000_000, 1_600_000_000);
    const rest = await readAll(t.source({ format: 'auto' }), committed(source, batches[0].ranges));
    assert.equal(rest[0].segments[0].referenceMs, 1_118_700_000_000);
    t.close();
  });

  it('makes one fault of a file of no known format', async () => {
    const t = kit();
    const rubbish = Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * 7919 + (i >> 3)) % 256));
    writeFileSync(join(t.folder, 'a.log'), rubbish);
    writeFileSync(join(t.folder, 'b.log'), '{"tenant_id":"t"}\n');
    const source = t.source({ format: 'auto', recordBytes: 100_000, batchBytes: 100_000 });
    const batches = await readAll(source);
    assert.deepEqual(
      faultsOf(batches).map(({ code, length, text }) => [code, length, text.length]),
      [['format_unknown', 200_000, 65_536]],
    );
    assert.equal(textOf(batches), '{"tenant_id":"t"}\n');
    assert.deepEqual(await readAll(t.source({ format: 'auto' }), committed(source, rangesOf(batches))), []);
    t.close();
  });

  it('reads a file that was refused for its format again once a format fits, and repeats the refusal on replay', async () => {
    const t = kit();
    const path = join(t.folder, 'a.log');
    writeFileSync(path, 'one\ntwo\n');
    const first = t.source({ format: 'auto' });
    const batches = await readAll(first);
    assert.equal(faultsOf(batches)[0].code, 'format_unknown');
    const progress = committed(first, rangesOf(batches));
    assert.deepEqual(await readAll(t.source({ format: 'auto' }), progress), []);
    const named = t.source({ format: 'syslog' });
    const again = await readAll(named, progress);
    assert.equal(textOf(again), 'one\ntwo\n');
    assert.notEqual(again[0].segments[0].file, batches[0].segments[0].file);
    assert.deepEqual(await readAll(t.source({ format: 'syslog' }), committed(named, rangesOf(again))), []);
    const replayed = await collect(t.source({ format: 'syslog' }).replay(rangesOf(batches), progress, NEVER));
    assert.deepEqual(replayed[0].segments, batches[0].segments);
    t.close();
  });

  it('passes over a byte order mark before text', async () => {
    const t = kit();
    const zeek = '#separator \\x09\n#path\tconn\n#fields\tts\tuid\n#types\ttime\tstring\n1.5\tC1\n2.5\tC2\n';
    for (const [name, text] of Object.entries({ 'a.log': '{"a":1}\n{"a":2}\n', 'b.log': zeek })) {
      const input = join(t.folder, name);
      writeFileSync(input, `\uFEFF${text}`);
      const source = t.source({ input, format: 'auto', batchRecords: 1 });
      const batches = await readAll(source);
      assert.equal(textOf(batches), text);
      assert.equal(batches[0].segments[0].base, 3);
      assert.equal(batches[0].ranges[0].from, 3);
      const replayed = await collect(
        t.source({ input, format: 'auto' }).replay(rangesOf(batches), committed(source, []), NEVER),
      );
      assert.equal(textOf(replayed), text);
      const rest = await readAll(t.source({ input, format: 'auto' }), committed(source, rangesOf(batches.slice(0, 1))));
      assert.equal(textOf(rest), text.slice(text.indexOf('\n') + 1));
    }
    t.close();
  });

  it('has nothing against blank lines', async () => {
    const t = kit();
    writeFileSync(join(t.folder, 'a.log'), '\n \n\n');
    const batches = await readAll(t.source({ format: 'auto' }));
    assert.deepEqual(faultsOf(batches), []);
    assert.equal(textOf(batches), '\n \n\n');
    t.close();
  });

  it('refuses what it cannot read, before reading anything', async () => {
    const t = kit();
    const code = async (input: string | string[]): Promise<string> => {
      try {
        await readAll(t.source({ input }));
        return 'read';
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    mkdirSync(join(t.folder, 'folder'));
    writeFileSync(join(t.folder, 'a[1].log'), '{}\n');
    assert.equal(await code(join(t.folder, 'absent.log')), 'input_missing');
    assert.equal(await code(join(t.folder, '*.nothing')), 'input_missing');
    assert.equal(await code(join(t.folder, 'folder')), 'input_is_directory');
    assert.equal(await code([join(t.folder, 'a[1].log'), join(t.folder, 'folder')]), 'input_is_directory');
    assert.equal(await code(join(t.folder, 'a[1].log')), 'read', 'an existing path wins over its reading as a glob');
    t.close();
  });

  it('says which file a recovery needs when it is gone or another', async () => {
    const t = kit();
    const path = join(t.folder, 'a.log');
    writeFileSync(path, '{"a":1}\n{"a":2}\n');
    const source = t.source({});
    const batches = await readAll(source);
    const progress = committed(source, []);
    const replay = () => collect(t.source({}).replay(rangesOf(batches), progress, NEVER));
    renameSync(path, join(t.folder, 'a.log.1'));
    assert.equal(textOf(await replay()), '{"a":1}\n{"a":2}\n', 'found beside its old name');
    renameSync(join(t.folder, 'a.log.1'), join(t.folder, 'elsewhere'));
    await assert.rejects(replay, { code: 'replay_input_missing', message: /a\.log/ });
    writeFileSync(path, '{"z":1}\n{"z":2}\n');
    await assert.rejects(replay, { code: 'replay_input_missing' });
    t.close();
  });

  it('stops between batches when it is asked to', async () => {
    const t = kit();
    writeFileSync(join(t.folder, 'a.log'), '{"a":1}\n'.repeat(10_000));
    const stop = new AbortController();
    let batches = 0;
    for await (const batch of t.source({}).batches(new Map(), stop.signal)) {
      batch.release();
      if (++batches === 3) stop.abort();
    }
    assert.equal(batches, 3);
    t.close();
  });
});

describe('permissions', () => {
  it('refuses a file that may not be read', async (t0) => {
    if (process.getuid?.() === 0) return t0.skip('root may read everything');
    const t = kit();
    writeFileSync(join(t.folder, 'a.log'), '{}\n', { mode: 0 });
    await assert.rejects(() => readAll(t.source({})), { code: 'input_unreadable', message: /permission denied/ });
    t.close();
  });
});
