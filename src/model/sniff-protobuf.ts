// Whether bytes are length-delimited goflow2 FlowMessages: frames that walk cleanly and hold what only they hold.

const TYPE = 1;
const SOURCE_ADDRESS = 6;
const DESTINATION_ADDRESS = 7;
const SAMPLER_ADDRESS = 11;
const TIME_RECEIVED_NS = 110;
/** goflow2's numbers end near 1,100; its extension range goes on to 2,000. */
const MAX_FIELD = 4000;

export function looksLikeFlowMessages(bytes: Uint8Array): boolean {
  let at = 0;
  let messages = 0;
  while (at < bytes.length) {
    const length = varint(bytes, at, bytes.length);
    if (length === null) break;
    const end = length.next + length.value;
    if (length.value === 0 || length.value > 1 << 20) return false;
    if (end > bytes.length) break; // the head ends in the middle of it
    if (!flowMessage(bytes, length.next, end)) return false;
    messages++;
    at = end;
  }
  return messages > 0;
}

function flowMessage(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  /** Fields that every FlowMessage has, seen with a value that they can have. One may be chance. */
  const telling = new Set<number>();
  while (at < end) {
    const tag = varint(bytes, at, end);
    if (tag === null) return false;
    const field = Math.floor(tag.value / 8);
    const wire = tag.value % 8;
    if (field === 0 || field > MAX_FIELD) return false;
    at = tag.next;
    if (wire === 0) {
      const value = varint(bytes, at, end);
      if (value === null) return false;
      if (field === TIME_RECEIVED_NS || (field === TYPE && value.value > 0 && value.value < 10)) telling.add(field);
      at = value.next;
    } else if (wire === 2) {
      const size = varint(bytes, at, end);
      if (size === null) return false;
      const address = field === SOURCE_ADDRESS || field === DESTINATION_ADDRESS || field === SAMPLER_ADDRESS;
      if (address && size.value !== 4 && size.value !== 16 && size.value !== 0) return false;
      if (address && size.value > 0) telling.add(field);
      at = size.next + size.value;
    } else if (wire === 1) at += 8;
    else if (wire === 5) at += 4;
    else return false;
    if (at > end) return false;
  }
  return telling.size > 1;
}

function varint(bytes: Uint8Array, at: number, end: number): { value: number; next: number } | null {
  let value = 0;
  for (let i = 0; i < 10 && at + i < end; i++) {
    value += (bytes[at + i] & 0x7f) * 2 ** (7 * i);
    if (bytes[at + i] < 0x80) return { value, next: at + i + 1 };
  }
  return null;
}
