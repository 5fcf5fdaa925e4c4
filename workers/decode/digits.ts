// Unsigned integers from decimal bytes, and 64-bit counters as (low, high) pairs, exact where a double is not.

/** Counters are stored as signed 64-bit by some stores: nothing above is accepted. */
const HIGHEST = 2n ** 63n - 1n;

export const NOT_A_NUMBER = -1;
export const TOO_LARGE = -2;

/** The integer in `bytes[start, end)`, up to `max` (at most 2^53); NOT_A_NUMBER or TOO_LARGE. `12.0` and `1e3` count. */
export function readUnsigned(bytes: Uint8Array, start: number, end: number, max: number): number {
  if (start >= end) return NOT_A_NUMBER;
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = bytes[i] - 48;
    if (digit < 0 || digit > 9) return readLoosely(bytes, start, end, max);
    value = value * 10 + digit;
    if (value > max) return onlyDigits(bytes, i, end) ? TOO_LARGE : readLoosely(bytes, start, end, max);
  }
  return value;
}

/** Stores the integer in `bytes[start, end)` as counter `i`; 0 when done, else NOT_A_NUMBER or TOO_LARGE (above 2^63-1). */
export function readCounter(bytes: Uint8Array, start: number, end: number, column: Uint32Array, i: number): number {
  const length = end - start;
  if (length <= 15) {
    const value = readUnsigned(bytes, start, end, Number.MAX_SAFE_INTEGER);
    if (value < 0) return value;
    column[i * 2] = value % 4294967296;
    column[i * 2 + 1] = Math.floor(value / 4294967296);
    return 0;
  }
  if (!onlyDigits(bytes, start, end)) return NOT_A_NUMBER;
  if (length > 64) return TOO_LARGE;
  return put(column, i, BigInt(decimal(bytes, start, end)));
}

/** Multiplies counter `i` by a sampling rate; false when the product is above 2^63-1. */
export function scaleCounter(column: Uint32Array, i: number, rate: number): boolean {
  const value = column[i * 2 + 1] * 4294967296 + column[i * 2];
  const product = value * rate;
  if (product <= Number.MAX_SAFE_INTEGER) {
    column[i * 2] = product % 4294967296;
    column[i * 2 + 1] = Math.floor(product / 4294967296);
    return true;
  }
  return put(column, i, counterBig(column, i) * BigInt(rate)) === 0;
}

/** True when counter `a` of row `i` is above counter `b`. */
export function counterAbove(a: Uint32Array, b: Uint32Array, i: number): boolean {
  const high = i * 2 + 1;
  return a[high] === b[high] ? a[high - 1] > b[high - 1] : a[high] > b[high];
}

export function counterBig(column: Uint32Array, i: number): bigint {
  return (BigInt(column[i * 2 + 1]) << 32n) | BigInt(column[i * 2]);
}

/** A non-negative decimal fraction (`0.000064`) times 1000, rounded once; NaN when it is none. */
export function readMilliseconds(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  let digits = 0;
  let decimals = -1;
  for (let i = start; i < end; i++) {
    const c = bytes[i];
    if (c === 46 && decimals < 0) decimals = 0;
    else if (c >= 48 && c <= 57) {
      if (value > 0 && ++digits > 14) {
        if (decimals < 0) return loose(bytes, start, end) * 1000;
        continue;
      }
      value = value * 10 + c - 48;
      if (decimals >= 0) decimals++;
    } else return loose(bytes, start, end) * 1000;
  }
  if (end - start === 0 || (decimals >= 0 && end - start === 1)) return Number.NaN;
  const scale = decimals < 0 ? 3 : 3 - decimals;
  return scale >= 0 ? value * 10 ** scale : value / 10 ** -scale;
}

/** 64-bit nanoseconds since 1970 as whole milliseconds and the rest, exact: 2^32 ns are 4,294 ms and 967,296 ns. */
export function splitNanoseconds(low: number, high: number, into: Float64Array): void {
  const rest = high * 967_296 + low;
  into[0] = high * 4294 + Math.floor(rest / 1_000_000);
  into[1] = rest % 1_000_000;
}

function put(column: Uint32Array, i: number, value: bigint): number {
  if (value > HIGHEST) return TOO_LARGE;
  column[i * 2] = Number(value & 0xffffffffn);
  column[i * 2 + 1] = Number(value >> 32n);
  return 0;
}

function onlyDigits(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i] < 48 || bytes[i] > 57) return false;
  return end > start;
}

function decimal(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]);
  return text;
}

function readLoosely(bytes: Uint8Array, start: number, end: number, max: number): number {
  const value = loose(bytes, start, end);
  if (!Number.isInteger(value)) return NOT_A_NUMBER;
  return value > max ? TOO_LARGE : value;
}

/** Any other JSON spelling of a non-negative number; NaN for all else. */
function loose(bytes: Uint8Array, start: number, end: number): number {
  if (end - start > 40) return Number.NaN;
  const text = decimal(bytes, start, end);
  return /^\d+(\.\d+)?([eE][-+]?\d+)?$/.test(text) ? Number(text) : Number.NaN;
}
