// Names of PoPs, which are part of keys, rows and lines of terminals.

/** Characters of the longest name. */
export const MAX_POP = 128;

const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** Whether a text can name a PoP; the empty one names none. */
export function isPopName(text: string): boolean {
  return text.length <= MAX_POP && !CONTROL.test(text);
}
