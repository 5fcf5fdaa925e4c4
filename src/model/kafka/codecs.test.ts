// Compressed records: what Java's compressors wrote, what the formats allow, and what they do not.

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { CODECS, type Codec, CodecError, decompress } from './codecs.ts';
import { lz4Block, lz4Frame, meaning, snappyBlock, steps, xerial, zstdFrame } from './compress.test-support.ts';
import { unlz4 } from './lz4.ts';
import { HEADER_BYTES } from './record-batch.ts';
import { unsnappy } from './snappy.ts';
import { VECTORS } from './vectors.test-support.ts';
import { unzstd } from './zstd.ts';
import { EDITED_BASE64, editedBytes, sampleBytes, ZSTD_SAMPLES } from './zstd-samples.test-support.ts';

const PLENTY = 1 << 22;
const unpacked = (codec: Codec, bytes: Uint8Array, limit = PLENTY): number[] => [...decompress(codec, bytes, limit)];

/** The records of a vector, compressed. */
const packedOf = (bytes: Buffer): Buffer => bytes.subarray(HEADER_BYTES);

const plainRecords = VECTORS.find(({ codec }) => codec === 'none')!.bytes.subarray(HEADER_BYTES);

/** Without the net that makes an error of any kind a refusal. */
function bare(codec: Codec, bytes: Uint8Array, limit: number): Uint8Array {
  if (codec === 'snappy') return unsnappy(bytes, limit);
  if (codec === 'lz4') return unlz4(bytes, limit);
  return codec === 'zstd' ? unzstd(bytes, limit) : decompress(codec, bytes, limit);
}

/** Runs it; a refusal must be a CodecError. */
function refusalOf(work: () => unknown): CodecError | null {
  try {
    work();
    return null;
  } catch (error) {
    assert.ok(error instanceof CodecError, `${String(error)} is no CodecError`);
    assert.notEqual(error.message, '');
    return error;
  }
}

suite('what real compressors write', () => {
  for (const { codec, content, bytes } of VECTORS) {
    test(`${codec}, ${content} records of Kafka's own library`, () => {
      const records = decompress(codec, packedOf(bytes), PLENTY);
      if (content === 'few') assert.deepEqual([...records], [...plainRecords]);
      else {
        const gzip = VECTORS.find((one) => one.codec === 'gzip' && one.content === 'many')!;
        assert.ok(Buffer.from(records).equals(decompress('gzip', packedOf(gzip.bytes), PLENTY)));
        assert.ok(records.length > 2 * 65_536, 'more than one block');
      }
    });
  }

  test('our own Zstandard reads what Node has none for', () => {
    for (const { bytes } of VECTORS.filter(({ codec }) => codec === 'zstd'))
      assert.deepEqual(unzstd(packedOf(bytes), PLENTY), new Uint8Array(decompress('zstd', packedOf(bytes), PLENTY)));
  });

  test('zstd of many shapes of data, at low and high levels', () => {
    for (const sample of ZSTD_SAMPLES)
      assert.ok(
        sampleBytes(sample).equals(unzstd(Buffer.from(sample.base64, 'base64'), PLENTY)),
        `seed ${sample.seed}`,
      );
    assert.ok(editedBytes().equals(unzstd(Buffer.from(EDITED_BASE64, 'base64'), PLENTY)));
  });

  test('gzip of any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
        assert.deepEqual(unpacked('gzip', gzipSync(bytes)), [...bytes]);
      }),
    );
  });
});

suite('what the formats allow', () => {
  test('snappy, bare and framed', () => {
    fc.assert(
      fc.property(fc.array(steps(1), { minLength: 1, maxLength: 3 }), (blocks) => {
        assert.deepEqual(unpacked('snappy', snappyBlock(blocks[0])), meaning(blocks[0]));
        assert.deepEqual(unpacked('snappy', xerial(blocks.map(snappyBlock))), blocks.flatMap(meaning));
      }),
    );
  });

  test('a snappy copy that reaches further back than two bytes can say', () => {
    const literal = Uint8Array.from({ length: 70_000 }, (_, i) => (i * i) % 251);
    const list = [{ literal, distance: 69_990, length: 40 }];
    assert.deepEqual(unpacked('snappy', snappyBlock(list)), meaning(list));
  });

  test('lz4 frames of linked blocks with every optional field', () => {
    const options = fc.record({ contentSize: fc.boolean(), blockChecksums: fc.boolean(), dictionaryId: fc.boolean() });
    fc.assert(
      fc.property(steps(4), fc.uint8Array({ maxLength: 300 }), options, fc.nat(12), (list, last, flags, cut) => {
        // Split in the middle: matches of the second block reach back into the first one.
        const split = Math.min(cut, list.length);
        const blocks = [
          { bytes: lz4Block(list.slice(0, split), new Uint8Array(0)), stored: false },
          { bytes: lz4Block(list.slice(split), last), stored: false },
          ...(last.length > 0 ? [{ bytes: last, stored: true }] : []),
        ];
        assert.deepEqual(unpacked('lz4', lz4Frame(blocks, flags)), [...meaning(list), ...last, ...last]);
      }),
    );
  });

  test('zstd frames one behind the other, skippable ones between them', () => {
    const block = fc.oneof(
      fc.record({ raw: fc.uint8Array({ maxLength: 300 }) }),
      fc.record({ byte: fc.nat(255), times: fc.nat(2000) }),
    );
    fc.assert(
      fc.property(fc.array(fc.array(block, { minLength: 1, maxLength: 4 }), { maxLength: 3 }), (frames) => {
        const skippable = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 9, 9, 9]);
        const bytes = Buffer.concat(frames.flatMap((frame) => [zstdFrame(frame), skippable]));
        const want = frames.flat().flatMap((one) => ('raw' in one ? [...one.raw] : Array(one.times).fill(one.byte)));
        assert.deepEqual([...unzstd(bytes, PLENTY)], want);
      }),
    );
  });
});

suite('hostile bytes', () => {
  test('what points outside, or is not as long as it says, is refused with the reason', () => {
    const no = { contentSize: false, blockChecksums: false, dictionaryId: false };
    const lz4 = (...bytes: number[]): Buffer => lz4Frame([{ bytes: Uint8Array.from(bytes), stored: false }], no);
    const cases: readonly [Codec, Uint8Array, RegExp][] = [
      ['snappy', Buffer.of(5, 0, 65, 1, 2), /copy points outside/],
      ['snappy', Buffer.of(5, 0, 65, 1, 0), /copy points outside/],
      ['snappy', Buffer.of(3, 0, 65, 1, 1), /copy points outside/],
      ['snappy', Buffer.of(5, 0, 65, 0b1111, 1, 0, 0, 1), /copy points outside/],
      ['snappy', Buffer.of(2, 0, 65), /shorter than it says/],
      ['snappy', Buffer.of(1, 4, 65, 66), /literal is cut off/],
      ['snappy', Buffer.alloc(0), /has no length/],
      ['snappy', xerial([]).subarray(0, 12), /header is cut off/],
      ['snappy', Buffer.concat([xerial([]), Buffer.of(0, 0, 0, 9, 0)]), /block is cut off/],
      ['lz4', lz4(0x10, 65, 2, 0, 0), /match points outside/],
      ['lz4', lz4(0x10, 65, 0, 0, 0), /match points outside/],
      ['lz4', lz4(0x20, 65), /literal is cut off/],
      ['lz4', lz4(0x10, 65, 2), /match is cut off/],
      ['lz4', Buffer.from('no frame at all'), /no LZ4 frame/],
      ['zstd', Buffer.from('no frame at all'), /no Zstandard frame/],
      // One sequence by the tables of the block before, of which there is none.
      ['zstd', Buffer.of(0x28, 0xb5, 0x2f, 0xfd, 0, 0x58, (5 << 3) | 5, 0, 0, 8, 65, 1, 0xfc, 0x80), /block is broken/],
    ];
    for (const [codec, bytes, reason] of cases)
      assert.match(String(refusalOf(() => bare(codec, bytes, PLENTY))), reason, `${codec} ${bytes.join()}`);
  });

  const samples = VECTORS.filter(({ codec }) => codec !== 'none');

  test('a limit is kept exactly', () => {
    for (const { codec, bytes } of samples) {
      const packed = packedOf(bytes);
      const size = decompress(codec, packed, PLENTY).length;
      assert.equal(decompress(codec, packed, size).length, size);
      assert.match(refusalOf(() => decompress(codec, packed, size - 1))!.message, /more than \d+ bytes/, codec);
    }
  });

  test('a bomb is told by its size, of which only the limit is ever held', () => {
    const zeros = { byte: 0, times: 1 << 17 };
    const bombs: readonly [Codec, Uint8Array][] = [
      ['gzip', gzipSync(Buffer.alloc(1 << 26))],
      ['zstd', zstdFrame(Array(4096).fill(zeros))],
      ['snappy', Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0])],
      ['snappy', xerial([Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0])])],
      [
        'lz4',
        lz4Frame([{ bytes: lz4Match(1 << 23), stored: false }], {
          contentSize: false,
          blockChecksums: false,
          dictionaryId: false,
        }),
      ],
    ];
    for (const [codec, bytes] of bombs) {
      const before = process.memoryUsage().arrayBuffers;
      assert.ok(
        refusalOf(() => decompress(codec, bytes, 1 << 20)),
        codec,
      );
      assert.ok(process.memoryUsage().arrayBuffers - before < 1 << 25, codec);
    }
  });

  test('a window of a gigabyte and blocks of nothing cost neither memory nor time', () => {
    const tiny = zstdFrame(Array(20_000).fill({ raw: Uint8Array.of(1) }));
    tiny[5] = 0xa0; // window descriptor: 1 GiB
    assert.equal(decompress('zstd', tiny, PLENTY).length, 20_000);
  });

  test('a few bytes that claim to be many sequences are no more work than what they give', () => {
    // One compressed block: no literals, 98,000 sequences, each table one symbol: the longest match there is.
    const block = [0x00, 0xff, 0xff, 0x7f, 0x54, 0, 0, 52, ...Array(40).fill(255)];
    const frame = Buffer.from([
      0x28,
      0xb5,
      0x2f,
      0xfd,
      0,
      0x58,
      ((block.length << 3) & 255) | 5,
      block.length >>> 5,
      0,
      ...block,
    ]);
    assert.ok(refusalOf(() => unzstd(frame, 1 << 26)));
  });

  test('cut off anywhere: refused, never read beyond the end', () => {
    for (const { codec, content, bytes } of samples) {
      const packed = packedOf(bytes);
      const whole = Buffer.from(decompress(codec, packed, PLENTY));
      const step = content === 'few' ? 1 : Math.ceil(packed.length / 60);
      for (let length = 0; length < packed.length; length += step) {
        const copy = Uint8Array.from(packed.subarray(0, length));
        let given: Uint8Array | null = null;
        refusalOf(() => {
          given = bare(codec, copy, PLENTY);
        });
        // Framed blocks may end early where a block does; the walk over the records then misses the others.
        if (given !== null)
          assert.ok(whole.subarray(0, (given as Uint8Array).length).equals(given), `${codec} ${length}`);
      }
    }
  });

  test('any damage is refused or gives other bytes, within the limit', () => {
    const damage = fc.array(fc.record({ at: fc.nat(), to: fc.nat(255) }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.nat(samples.length - 1), damage, (which, changes) => {
        const { codec, bytes } = samples[which];
        const packed = Uint8Array.from(packedOf(bytes));
        // Near the front stands what says how long the rest is.
        for (const { at, to } of changes) packed[(at % (at % 2 === 0 ? 40 : packed.length)) % packed.length] = to;
        let size = 0;
        refusalOf(() => {
          size = bare(codec, packed, PLENTY).length;
        });
        assert.ok(size <= PLENTY);
      }),
      { numRuns: 2500 },
    );
  });

  test('any bytes at all', () => {
    const heads: Record<Codec, readonly number[]> = {
      none: [],
      gzip: [0x1f, 0x8b, 8],
      snappy: [],
      lz4: [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0],
      zstd: [0x28, 0xb5, 0x2f, 0xfd, 0, 0x58],
    };
    fc.assert(
      fc.property(fc.constantFrom(...CODECS), fc.uint8Array({ maxLength: 200 }), (codec, bytes) => {
        refusalOf(() => bare(codec, Uint8Array.from([...heads[codec], ...bytes]), 1 << 16));
        refusalOf(() => bare(codec, bytes, 1 << 16));
      }),
      { numRuns: 2500 },
    );
  });
});

/** An LZ4 block of one byte, repeated `times`. */
function lz4Match(times: number): Uint8Array {
  return lz4Block([{ literal: Uint8Array.of(7), distance: 1, length: times }], Uint8Array.of(1));
}
