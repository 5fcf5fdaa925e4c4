// Regular expressions of rules run on hostile input: only those that RE2 can run in linear time are taken.

import { RE2JS } from 're2js';
import type { Anchor } from './wildcard.ts';

/** null when `source` compiles, else why not. `flags` of i, m, s. */
export function regexProblem(source: string, flags: string): string | null {
  if (source.length > 4096) return 'it is longer than 4,096 characters';
  try {
    RE2JS.compile(source, re2Flags(flags));
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Expressions are searched for anywhere, so that `contains` changes nothing; `m` must not turn the ends into those of lines. */
export function anchoredRegex(source: string, anchor: Anchor): string {
  if (anchor === 'startswith') return `\\A(?:${source})`;
  return anchor === 'endswith' ? `(?:${source})\\z` : source;
}

export function re2Flags(flags: string): number {
  let bits = 0;
  if (flags.includes('i')) bits |= RE2JS.CASE_INSENSITIVE;
  if (flags.includes('m')) bits |= RE2JS.MULTILINE;
  if (flags.includes('s')) bits |= RE2JS.DOTALL;
  return bits;
}
