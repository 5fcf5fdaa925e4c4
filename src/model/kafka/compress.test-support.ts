// Snappy and LZ4 as their formats allow them, written from a list of steps and not by a compressor: so every kind of element is met,
// overlapping copies and forms that no compressor chooses included. What the steps mean is said here once more, byte by byte.

import fc from 'fast-check';

/** A stretch of bytes as they are, then a repetition of what lies `distance` bytes back. */
export interface Step {
  readonly literal: Uint8Array;
  readonly distance: number;
  readonly length: number;
}

/** Steps whose repetitions stay inside what was written; `least` is the shortest one of the format. */
export function steps(least: number): fc.Arbitrary<readonly Step[]> {
  const literal = fc.oneof(
    { weight: 8, arbitrary: fc.uint8Array({ maxLength: 20 }) },
    { weight: 1, arbitrary: fc.uint8Array({ minLength: 60, maxLength: 700, size: 'max' }) },
  );
  const length = fc.oneof(fc.nat(12), fc.nat(70), fc.nat(900));
  const raw = fc.array(fc.record({ literal, length, back: fc.nat(4000) }), { minLength: 1, maxLength: 12 });
  return raw.map((list) => {
    let written = 0;
    return list.map((one, i) => {
      const own = i === 0 && one.literal.length === 0 ? Uint8Array.of(7) : one.literal;
      written += own.length;
      const step = { literal: own, distance: 1 + (one.back % written), length: least + one.length };
      written += step.length;
      return step;
    });
  });
}

export function meaning(list: readonly Step[]): number[] {
  const out: number[] = [];
  for (const { literal, distance, length } of list) {
    out.push(...literal);
    for (let i = 0; i < length; i++) out.push(out[out.length - distance]);
  }
  return out;
}

const little = (value: number, width: number): number[] =>
  Array.from({ length: width }, (_, i) => Math.floor(value / 256 ** i) % 256);

function leb128(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 128, ...leb128(Math.floor(value / 128))];
}

/** One bare Snappy block. Copies of each width are used in turn, where they reach. */
export function snappyBlock(list: readonly Step[]): Buffer {
  const size = meaning(list).length;
  const body: number[] = [];
  const literal = (bytes: Uint8Array): void => {
    if (bytes.length === 0) return;
    const less = bytes.length - 1;
    if (less < 60 && bytes[0] % 2 === 0) body.push(less << 2);
    else {
      const width = less < 256 ? 1 : less < 65_536 ? 2 : 3;
      body.push((59 + width) << 2, ...little(less, width));
    }
    body.push(...bytes);
  };
  list.forEach((step, turn) => {
    literal(step.literal);
    const { distance } = step;
    for (let left = step.length; left > 0; ) {
      const length = Math.min(left, 64);
      if (length >= 4 && length <= 11 && distance < 2048) {
        body.push(1 | ((length - 4) << 2) | ((distance >>> 8) << 5), distance & 255);
      } else if (distance < 65_536 && turn % 3 !== 2) body.push(2 | ((length - 1) << 2), ...little(distance, 2));
      else body.push(3 | ((length - 1) << 2), ...little(distance, 4));
      left -= length;
    }
  });
  return Buffer.from([...leb128(size), ...body]);
}

/** The framing of Java clients: a header of 16 bytes, then blocks with their lengths. */
export function xerial(blocks: readonly Uint8Array[]): Buffer {
  const header = Buffer.from([0x82, ...Buffer.from('SNAPPY'), 0, 0, 0, 0, 1, 0, 0, 0, 1]);
  return Buffer.concat([
    header,
    ...blocks.flatMap((block) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(block.length);
      return [length, block];
    }),
  ]);
}

/** The sequences of an LZ4 block; its last one has literals only. */
export function lz4Block(list: readonly Step[], last: Uint8Array): Buffer {
  const out: number[] = [];
  const rest = (value: number): void => {
    if (value < 15) return;
    let left = value - 15;
    for (; left >= 255; left -= 255) out.push(255);
    out.push(left);
  };
  for (const { literal, distance, length } of list) {
    out.push((Math.min(15, literal.length) << 4) | Math.min(15, length - 4));
    rest(literal.length);
    out.push(...literal, ...little(distance, 2));
    rest(length - 4);
  }
  out.push(Math.min(15, last.length) << 4);
  rest(last.length);
  return Buffer.from([...out, ...last]);
}

export interface Lz4Options {
  readonly contentSize: boolean;
  readonly blockChecksums: boolean;
  readonly dictionaryId: boolean;
}

/** A frame of blocks up to 64 KiB; a block given as `stored` is kept as it is. */
export function lz4Frame(
  blocks: readonly { readonly bytes: Uint8Array; readonly stored: boolean }[],
  { contentSize, blockChecksums, dictionaryId }: Lz4Options,
): Buffer {
  const flags = 0x40 | (blockChecksums ? 0x10 : 0) | (contentSize ? 8 : 0) | 4 | (dictionaryId ? 1 : 0);
  const header = [
    ...little(0x184d2204, 4),
    flags,
    0x40,
    ...(contentSize ? little(12_345, 8) : []),
    ...(dictionaryId ? little(9, 4) : []),
    0xaa, // header checksum
  ];
  const body = blocks.flatMap(({ bytes, stored }) => [
    ...little(bytes.length + (stored ? 2 ** 31 : 0), 4),
    ...bytes,
    ...(blockChecksums ? [1, 2, 3, 4] : []),
  ]);
  return Buffer.from([...header, ...body, 0, 0, 0, 0, 5, 6, 7, 8]);
}

/** A Zstandard frame of blocks that need no coding: raw, or one byte repeated. */
export function zstdFrame(
  blocks: readonly ({ readonly raw: Uint8Array } | { readonly byte: number; readonly times: number })[],
): Buffer {
  const out: number[] = [...little(0xfd2fb528, 4), 0, 0x58];
  blocks.forEach((block, i) => {
    const last = i === blocks.length - 1 ? 1 : 0;
    if ('raw' in block) out.push(...little((block.raw.length << 3) | last, 3), ...block.raw);
    else out.push(...little((block.times << 3) | 2 | last, 3), block.byte);
  });
  return Buffer.from(out);
}
