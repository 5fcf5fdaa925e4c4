// Regular expressions of rules run in linear time (RE2): a rule may be careless, an event may be hostile.

import { RE2JS } from 're2js';
import { re2Flags } from '../sigma/regex.ts';

/** Only this many characters of a value are searched; documented in docs/policies.md. */
export const REGEX_INPUT_CAP = 8192;

export interface Regex {
  test(text: string): boolean;
}

/** Compiles `source` (searched anywhere in the text) with flags of `ims`; null when RE2 cannot express it. */
export function compileRegex(source: string, flags: string): Regex | null {
  try {
    return RE2JS.compile(source, re2Flags(flags));
  } catch {
    return null;
  }
}
