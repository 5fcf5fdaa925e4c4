// Regular expressions of rules run in linear time (RE2): a rule may be careless, an event may be hostile.

import { RE2JS } from 're2js';

/** Only this many characters of a value are searched; documented in docs/policies.md. */
export const REGEX_INPUT_CAP = 8192;

export interface Regex {
  test(text: string): boolean;
}

/** Compiles `source` (searched anywhere in the text) with flags of `ims`; null when RE2 cannot express it. */
export function compileRegex(source: string, flags: string): Regex | null {
  let bits = 0;
  for (const flag of flags) {
    if (flag === 'i') bits |= RE2JS.CASE_INSENSITIVE;
    else if (flag === 'm') bits |= RE2JS.MULTILINE;
    else if (flag === 's') bits |= RE2JS.DOTALL;
    else return null;
  }
  try {
    return RE2JS.compile(source, bits);
  } catch {
    return null;
  }
}

/** Why `compileRegex` gave null, as a sentence. */
export function regexFault(source: string, flags: string): string {
  const unknown = [...flags].find((flag) => !'ims'.includes(flag));
  if (unknown !== undefined) return `the flag "${unknown}" is not one of i, m, s`;
  try {
    RE2JS.compile(source, 0);
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
