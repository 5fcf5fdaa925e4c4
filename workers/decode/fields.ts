// Field rules of the native format on decoded values: one set for JSON and MessagePack.
//
// A rule gets the value (never undefined) and writes the column; it returns '' when that went well, else the reject code.

import type { Dictionary } from '../../src/model/dictionary.ts';
import { isUuid, uuidText } from '../../src/model/hash.ts';
import { ipText, parseIp, V4_PREFIX } from '../../src/model/ip.ts';
import { LOG_SEVERITIES } from '../../src/model/records.ts';
import type { RejectCode } from '../../src/model/reject.ts';
import { protocolNumber } from './protocols.ts';
import { instant, parseTimeText } from './time.ts';

/** A number literal that a double may not hold exactly. */
export class Decimal {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** A point in time that came as such (MessagePack timestamp extension). */
export class TimeValue {
  readonly ms: number;
  readonly ns: number;
  constructor(ms: number, ns: number) {
    this.ms = ms;
    this.ns = ns;
  }
}

/** An object or array, where only its being there matters. */
export const NESTED = Symbol('nested');

/** `undefined` is absent; null counts as absent and never gets here. */
export type Value = string | number | bigint | boolean | Decimal | TimeValue | Uint8Array | typeof NESTED;

export type Outcome = '' | RejectCode;

export const MAX_U64 = (1n << 64n) - 1n;

/** Text of a value that may be one: texts, numbers, 16 bytes as a UUID; null for all else. */
export function textValue(value: Value): string | null {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (value instanceof Decimal) return value.text;
  return value instanceof Uint8Array && value.length === 16 ? uuidOfBytes(value) : null;
}

export function setText(dictionary: Dictionary, value: Value, column: Uint32Array, i: number): Outcome {
  const text = textValue(value);
  if (text === null) return 'wrong_type';
  column[i] = dictionary.internText(text);
  return '';
}

export function setAddress(value: Value, column: Uint32Array, quad: number): Outcome {
  if (typeof value === 'string') return parseIp(value, column, quad) ? '' : 'bad_address';
  if (!(value instanceof Uint8Array)) return 'wrong_type';
  if (value.length === 4) {
    column[quad] = column[quad + 1] = 0;
    column[quad + 2] = V4_PREFIX;
    column[quad + 3] = wordOf(value, 0);
    return '';
  }
  if (value.length !== 16) return 'bad_address';
  for (let w = 0; w < 4; w++) column[quad + w] = wordOf(value, w * 4);
  return '';
}

const words = new Uint32Array(4);

/** Canonical text of an address value, '' when it is none. */
export function addressText(value: Value | undefined): string {
  return value !== undefined && setAddress(value, words, 0) === '' ? ipText(words) : '';
}

const NUMBER = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d{1,4})?$/;

/**
 * The non-negative whole number that a value holds (a number, or a text that spells one; 3.0 and 3e2 are whole), else why not:
 * wrong_type when it is no whole number, out_of_range when it is negative or above `max`.
 */
export function unsigned(value: Value, max: bigint): bigint | RejectCode {
  let big: bigint;
  if (typeof value === 'number' && Number.isSafeInteger(value)) big = BigInt(value);
  else if (typeof value === 'bigint') big = value;
  else {
    const text =
      typeof value === 'string'
        ? value
        : value instanceof Decimal
          ? value.text
          : typeof value === 'number'
            ? `${value}`
            : '';
    if (!NUMBER.test(text)) return 'wrong_type';
    const whole = wholeNumber(text);
    if (typeof whole === 'string') return whole;
    big = whole;
  }
  return big < 0n || big > max ? 'out_of_range' : big;
}

/** Exact, and without ever building a number of more than 40 digits. */
function wholeNumber(text: string): bigint | RejectCode {
  const negative = text.startsWith('-');
  const [mantissa, exponent = '0'] = (negative ? text.slice(1) : text).toLowerCase().split('e');
  const [integer, fraction = ''] = mantissa.split('.');
  const shift = Number(exponent) - fraction.length;
  const digits = `${integer}${fraction}`.replace(/^0+/, '');
  if (digits === '') return 0n;
  const zeros = digits.length - digits.replace(/0+$/, '').length;
  if (shift < 0 && zeros < -shift) return 'wrong_type';
  if (negative || digits.length + shift > 40) return 'out_of_range';
  return shift < 0 ? BigInt(digits.slice(0, shift)) : BigInt(digits) * 10n ** BigInt(shift);
}

export function setCounter64(value: Value, column: Uint32Array, i: number): Outcome {
  const number = unsigned(value, MAX_U64);
  if (typeof number === 'string') return number;
  column[i * 2] = Number(number & 0xffffffffn);
  column[i * 2 + 1] = Number(number >> 32n);
  return '';
}

export function setUnsigned(
  value: Value,
  column: Uint8Array | Uint16Array | Uint32Array,
  i: number,
  max: number,
): Outcome {
  const number = unsigned(value, BigInt(max));
  if (typeof number === 'string') return number;
  column[i] = Number(number);
  return '';
}

/** A non-negative number with a fraction, up to 2^53. */
export function fractional(value: Value): number | RejectCode {
  const text =
    typeof value === 'number' || typeof value === 'bigint' ? `${value}` : value instanceof Decimal ? value.text : value;
  if (typeof text !== 'string' || !NUMBER.test(text)) return 'wrong_type';
  const number = Number(text);
  return number >= 0 && number <= Number.MAX_SAFE_INTEGER ? number : 'out_of_range';
}

/** A number 0–255 or a protocol's name. */
export function setProtocol(value: Value, column: Uint8Array, i: number): Outcome {
  if (typeof value === 'string') {
    const number = protocolNumber(value);
    if (number >= 0) {
      column[i] = number;
      return '';
    }
  }
  return setUnsigned(value, column, i, 255);
}

/** Reads a point in time into `instant`. */
export function readTime(value: Value): Outcome {
  if (value instanceof TimeValue) {
    instant[0] = value.ms;
    instant[1] = value.ns;
    return '';
  }
  if (value instanceof Uint8Array) return 'bad_timestamp';
  const text = textValue(value);
  return text !== null && parseTimeText(text) ? '' : 'bad_timestamp';
}

/** Canonical UUID text, or null. */
export function uuidValue(value: Value): string | null {
  if (typeof value === 'string') return isUuid(value) ? value.toLowerCase() : null;
  return value instanceof Uint8Array && value.length === 16 ? uuidOfBytes(value) : null;
}

function uuidOfBytes(bytes: Uint8Array): string {
  for (let w = 0; w < 4; w++) words[w] = wordOf(bytes, w * 4);
  return uuidText(words, 0);
}

function wordOf(bytes: Uint8Array, at: number): number {
  return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
}

const SEVERITIES: ReadonlyMap<string, string> = new Map([
  ...LOG_SEVERITIES.map((name): [string, string] => [name, name]),
  ['emerg', 'emergency'],
  ['panic', 'emergency'],
  ['crit', 'critical'],
  ['fatal', 'critical'],
  ['err', 'error'],
  ['warn', 'warning'],
  ['information', 'info'],
  ['informational', 'info'],
  ['trace', 'debug'],
  ['verbose', 'debug'],
]);

/** One of LOG_SEVERITIES for the names that loggers use, else ''. */
export function severityOf(text: string): string {
  return SEVERITIES.get(text.toLowerCase()) ?? '';
}
