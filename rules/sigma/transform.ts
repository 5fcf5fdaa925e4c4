// Modifiers that rewrite a value before it is compared: encodings and dash variants. A value may become several.

import type { Reporter } from '../yaml.ts';
import { literalOf, type Part, type Pattern, parsePattern } from './wildcard.ts';

export const TRANSFORMS = ['base64', 'base64offset', 'wide', 'utf16', 'utf16le', 'utf16be', 'windash'] as const;
export type Transform = (typeof TRANSFORMS)[number];

/** Text with wildcards, or bytes once an encoding was applied. */
type Value = { readonly pattern: Pattern } | { readonly bytes: Buffer };

const DASHES = ['-', '/', '–', '—', '―'];
/** A dash or slash that begins an option: not after a word character, before one. */
const OPTION_DASH = /(?<![\p{L}\p{N}_])[-/](?=[\p{L}\p{N}_])/gu;
/** 5^4 spellings; more would swamp the matcher. */
const MAX_DASHES = 4;

/** Applies the transforms in the order written. Reports and returns [] when one cannot be applied. */
export function applyTransforms(
  text: string,
  transforms: readonly Transform[],
  report: Reporter,
  at: number,
): readonly Pattern[] {
  let values: readonly Value[] = [{ pattern: parsePattern(text) }];
  for (const transform of transforms) {
    const next: Value[] = [];
    for (const value of values) {
      const made = transformOne(value, transform, report, at);
      if (made === null) return [];
      next.push(...made);
    }
    values = next;
  }
  // Bytes of an encoding are compared as the characters U+0000 to U+00FF.
  return values.map((value) => ('pattern' in value ? value.pattern : literal(value.bytes.toString('latin1'))));
}

function literal(text: string): Pattern {
  return text === '' ? [] : [text];
}

function transformOne(value: Value, transform: Transform, report: Reporter, at: number): readonly Value[] | null {
  if (transform === 'windash') {
    if (!('pattern' in value)) return [value];
    const spellings = windash(value.pattern);
    if (spellings !== null) return spellings.map((pattern) => ({ pattern }));
    report.error(at, 'sigma.unsupported', `'windash' on a value with more than ${MAX_DASHES} option dashes.`);
    return null;
  }
  const plain = 'bytes' in value ? value.bytes : bytesOf(value.pattern);
  if (plain === null) {
    report.error(at, 'sigma.wildcard_encoded', `'${transform}' cannot encode a value with wildcards.`);
    return null;
  }
  if (transform === 'base64') return [{ bytes: Buffer.from(plain.toString('base64'), 'latin1') }];
  if (transform === 'base64offset') return base64Offsets(plain).map((bytes) => ({ bytes }));
  // Encoding twice has no meaning that anybody relies on: what is text stays text.
  const text = 'bytes' in value ? value.bytes.toString('latin1') : plain.toString('utf8');
  const little = Buffer.from(text, 'utf16le');
  if (transform === 'utf16be') return [{ bytes: Buffer.from(little).swap16() }];
  return [{ bytes: transform === 'utf16' ? Buffer.concat([Buffer.from([0xff, 0xfe]), little]) : little }];
}

function bytesOf(pattern: Pattern): Buffer | null {
  const text = literalOf(pattern);
  return text === null ? null : Buffer.from(text, 'utf8');
}

/** The part of the Base64 text that does not depend on what stands before and after, for the three alignments. */
function base64Offsets(plain: Buffer): readonly Buffer[] {
  const start = [0, 2, 3];
  const endCut = [0, -3, -2];
  return [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset, ' '), plain]).toString('base64');
    const cut = endCut[(plain.length + offset) % 3];
    return Buffer.from(text.slice(start[offset], cut === 0 ? undefined : cut), 'latin1');
  });
}

function windash(pattern: Pattern): readonly Pattern[] | null {
  const dashes = pattern.reduce(
    (count, part) => count + (typeof part === 'string' ? (part.match(OPTION_DASH)?.length ?? 0) : 0),
    0,
  );
  if (dashes > MAX_DASHES) return null;
  let spellings: Part[][] = [[]];
  for (const part of pattern) {
    const variants = typeof part === 'string' ? dashVariants(part) : [part];
    spellings = spellings.flatMap((done) => variants.map((variant) => [...done, variant]));
  }
  return spellings;
}

function dashVariants(text: string): readonly string[] {
  let done = [''];
  let from = 0;
  for (const match of text.matchAll(OPTION_DASH)) {
    const before = text.slice(from, match.index);
    const found = match[0];
    const order = [found, ...DASHES.filter((dash) => dash !== found)];
    done = done.flatMap((head) => order.map((dash) => head + before + dash));
    from = match.index + 1;
  }
  return done.map((head) => head + text.slice(from));
}
