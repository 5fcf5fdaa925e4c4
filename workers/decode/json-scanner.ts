// The bytes of one JSON record, read strictly from left to right: texts, numbers and words, with no strings made.

import { MEMBER_KIND } from '../../rules/plan/index.ts';
import type { RejectCode } from '../../src/model/reject.ts';

export const KIND = MEMBER_KIND;

/** Bytes of a string: 0 goes on, all others are looked at. */
const [QUOTE, BACKSLASH, CONTROL, WIDE] = [1, 2, 3, 4];
const CLASS = Uint8Array.from({ length: 256 }, (_, c) =>
  c === 34 ? QUOTE : c === 92 ? BACKSLASH : c < 32 ? CONTROL : c > 127 ? WIDE : 0,
);

/** After a method returned 0 or false, `code`, `detail` and `position` say why. */
export class JsonScanner {
  /** True when an integer of the record has more than 15 digits, so that a double may not hold it. */
  wideNumbers = false;
  code: RejectCode = 'syntax';
  detail = '';
  position = 0;
  bytes: Uint8Array = new Uint8Array(0);
  protected end = 0;
  protected at = 0;

  protected string(): number {
    const { bytes, end } = this;
    let kind: number = KIND.text;
    let i = this.at + 1;
    for (;;) {
      while (i < end && CLASS[bytes[i]] === 0) i++;
      if (i >= end) break;
      const found = CLASS[bytes[i]];
      if (found === QUOTE) {
        this.at = i + 1;
        return kind;
      }
      if (found === CONTROL) {
        this.at = i;
        this.fail('syntax', 'has a control character in a string');
        return 0;
      }
      if (found === WIDE) {
        kind = KIND.oddText;
        i++;
        continue;
      }
      i++;
      const letter = i < end ? bytes[i] : 0;
      if (letter === 92 || letter === 34) {
        if (kind === KIND.text) kind = KIND.escapedText;
      } else if (letter === 117) {
        for (let digit = 1; digit <= 4; digit++) {
          if (i + digit >= end || !isHex(bytes[i + digit])) return this.badEscape(i);
        }
        i += 4;
        kind = KIND.oddText;
      } else if (ESCAPES.includes(letter)) kind = KIND.oddText;
      else return this.badEscape(i);
      i++;
    }
    this.at = end;
    this.fail('syntax', 'ends inside a string');
    return 0;
  }

  protected badEscape(at: number): 0 {
    this.at = Math.min(at, this.end);
    this.fail('syntax', 'has an unknown escape in a string');
    return 0;
  }

  protected number(): number {
    const { bytes, end } = this;
    const start = this.at;
    let i = bytes[start] === 45 ? start + 1 : start;
    const first = i;
    while (i < end && isDigit(bytes[i])) i++;
    let fine = i > first && (bytes[first] !== 48 || i === first + 1);
    const whole = i;
    if (fine && i < end && bytes[i] === 46) {
      const point = ++i;
      while (i < end && isDigit(bytes[i])) i++;
      fine = i > point;
    }
    if (fine && i < end && (bytes[i] | 32) === 101) {
      i++;
      if (i < end && (bytes[i] === 43 || bytes[i] === 45)) i++;
      const exponent = i;
      while (i < end && isDigit(bytes[i])) i++;
      fine = i > exponent;
    }
    this.at = i;
    if (!fine) {
      this.fail('syntax', 'has a malformed number');
      return 0;
    }
    if (i === whole && i - first > 15) this.wideNumbers = true;
    return KIND.number;
  }

  protected word(word: string, kind: number): number {
    for (let i = 0; i < word.length; i++) {
      if (this.at + i >= this.end || this.bytes[this.at + i] !== word.charCodeAt(i)) {
        this.fail('syntax', 'has no value where one must stand');
        return 0;
      }
    }
    this.at += word.length;
    return kind;
  }

  protected space(): void {
    while (this.at < this.end) {
      const c = this.bytes[this.at];
      if (c !== 32 && c !== 9 && c !== 10 && c !== 13) return;
      this.at++;
    }
  }

  protected fail(code: RejectCode, what: string): false {
    this.code = code;
    this.position = this.at;
    this.detail = `the record ${what}`;
    return false;
  }
}

const ESCAPES: readonly number[] = [34, 92, 47, 98, 102, 110, 114, 116];
const isDigit = (c: number): boolean => c >= 48 && c <= 57;
const isHex = (c: number): boolean => isDigit(c) || ((c | 32) >= 97 && (c | 32) <= 102);
