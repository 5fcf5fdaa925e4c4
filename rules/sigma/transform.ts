// Modifiers that rewrite a value before it is compared: encodings and dash variants. A value may become several.

import type { Reporter } from '../yaml.ts';
import { literalOf, type Part, type Pattern, parsePattern } from './wildcard.ts';

export const TRANSFORMS = ['base64', 'base64offset', 'wide', 'utf16', 'utf16le', 'utf16be', 'windash'] as const;
export type Transform = (typeof TRANSFORMS)[number];

/** Text with wildcards; once `encoded`, each character of its literals is one byte, U+0000 to U+00FF. */
interface Value {
  readonly pattern: Pattern;
  readonly encoded: boolean;
}

const DASHES = ['-', '/', '–', '—', '―'];
/** A dash or slash that begins an option: not after a word character, before one (or the mark of a placeholder). */
const OPTION_DASH = /(?<![\p{L}\p{N}_])[-/–—―](?=[\p{L}\p{N}_\uE000])/gu;
/** 5^4 spellings; more would swamp the matcher. */
const MAX_DASHES = 4;

/** Applies the transforms in the order written. Reports and returns [] when one cannot be applied. */
export function applyTransforms(
  text: string,
  transforms: readonly Transform[],
  report: Reporter,
  at: number,
): readonly Pattern[] {
  let values: readonly Value[] = [{ pattern: parsePattern(text), encoded: false }];
  for (const transform of transforms) {
    const next: Value[] = [];
    for (const value of values) {
      const made = transformOne(value, transform, report, at);
      if (made === null) return [];
      next.push(...made);
    }
    values = next;
  }
  return values.map(({ pattern }) => pattern);
}

function transformOne(value: Value, transform: Transform, report: Reporter, at: number): readonly Value[] | null {
  if (transform === 'windash') {
    if (value.encoded) return [value];
    const spellings = windash(value.pattern);
    if (spellings !== null) return spellings.map((pattern) => ({ pattern, encoded: false }));
    report.error(at, 'sigma.unsupported', `'windash' on a value with more than ${MAX_DASHES} option dashes.`);
    return null;
  }
  if (transform !== 'base64' && transform !== 'base64offset') return [wide(value, transform)];
  const text = literalOf(value.pattern);
  if (text === null) {
    report.error(at, 'sigma.wildcard_encoded', `'${transform}' cannot encode a value with wildcards.`);
    return null;
  }
  const plain = Buffer.from(text, value.encoded ? 'latin1' : 'utf8');
  const made = transform === 'base64' ? [plain.toString('base64')] : base64Offsets(plain);
  if (made.every((one) => one !== '')) return made.map((one) => ({ pattern: [one], encoded: true }));
  // An empty text would be found in everything.
  report.error(at, 'sigma.value', `'${text}' is too short for '${transform}': nothing of it is sure to be left.`);
  return null;
}

/** Wildcards stay what they are; a byte order mark comes first. What is encoded already is taken as text. */
function wide({ pattern }: Value, transform: Transform): Value {
  const parts = pattern.map((part): Part => {
    if (typeof part !== 'string') return part;
    const bytes = Buffer.from(part, 'utf16le');
    return (transform === 'utf16be' ? bytes.swap16() : bytes).toString('latin1');
  });
  if (transform !== 'utf16') return { pattern: parts, encoded: true };
  const [first, ...rest] = parts;
  const mark = '\u00FF\u00FE';
  const marked = typeof first === 'string' ? [mark + first, ...rest] : [mark, ...parts];
  return { pattern: marked, encoded: true };
}

/** The part of the Base64 text that does not depend on what stands before and after, for the three alignments. */
function base64Offsets(plain: Buffer): readonly string[] {
  const start = [0, 2, 3];
  const endCut = [0, -3, -2];
  return [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset, ' '), plain]).toString('base64');
    const cut = endCut[(plain.length + offset) % 3];
    return text.slice(start[offset], cut === 0 ? undefined : cut);
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
