// Which format a file is in, judged by its first (decompressed) bytes. A wrong guess would store rubbish, so whatever
// is not plainly one of the known formats is none.

import { isUtf8 } from 'node:buffer';
import type { FormatName } from './batch.ts';
import { MsgpackWalker } from './msgpack-walk.ts';
import { looksLikeFlowMessages } from './sniff-protobuf.ts';

export const SNIFF_BYTES = 64 * 1024;
const LINES = 20;
const LINE_LENGTH = 4000;
const NEWLINE = 10;

/** The format of a file that begins with `head` (its first 64 KiB or all of it), or null. */
export function sniff(head: Uint8Array, _path: string): FormatName | null {
  const bytes = Buffer.from(head.buffer, head.byteOffset, Math.min(head.byteLength, SNIFF_BYTES));
  if (looksLikeMsgpack(bytes)) return 'native-msgpack';
  if (looksLikeFlowMessages(bytes)) return 'goflow2-protobuf';
  const lines = textLines(bytes);
  if (lines.length === 0) return null;
  if (/^#(separator|fields|path)\b/.test(lines[0]))
    return lines.some((l) => l.startsWith('#fields')) ? 'zeek-tsv' : null;
  if (lines.some((line) => line.startsWith('{'))) return json(lines);
  return logs(lines);
}

/**
 * The first lines that are text. A few others (blocks of NUL that a crash left, say) are passed over: each will be a
 * reject of its own. None when they are the greater part: that is no text file.
 */
function textLines(bytes: Buffer): readonly string[] {
  const lines: string[] = [];
  let unreadable = 0;
  let readable = 0;
  for (let at = 0; at < bytes.length && readable + unreadable < LINES * 4; ) {
    const newline = bytes.indexOf(NEWLINE, at);
    const end = newline < 0 ? bytes.length : newline;
    const raw = bytes.subarray(at, end);
    at = end + 1;
    const text = isText(raw);
    const line = text
      ? raw
          .toString('utf8')
          .replace(/^\uFEFF/, '')
          .trim()
      : '';
    if (text && line === '') continue;
    if (!text) unreadable++;
    else readable++;
    if (text && lines.length < LINES) lines.push(line);
  }
  return unreadable > readable ? [] : lines;
}

function isText(bytes: Buffer): boolean {
  if (bytes.includes(0)) return false;
  if (isUtf8(bytes)) return true;
  // A few broken sequences (or a character cut at the end) do not make text binary; control characters do.
  let odd = 0;
  for (const byte of bytes) if (byte < 9 || (byte > 13 && byte < 32 && byte !== 27)) odd++;
  return odd * 200 < bytes.length;
}

/** Dialect by the keys of the first object that tells. */
function json(lines: readonly string[]): FormatName | null {
  let objects = 0;
  for (const line of lines) {
    const keys = keysOf(line);
    if (keys === null) continue;
    objects++;
    const dialect = dialectOf(keys);
    if (dialect !== null) return dialect;
  }
  if (objects > 0) return 'native-json';
  return lines.some((line) => /^\{\s*"/.test(line)) ? 'native-json' : null;
}

function keysOf(line: string): ReadonlySet<string> | null {
  if (!line.startsWith('{')) return null;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? new Set(Object.keys(value)) : null;
  } catch {
    // Cut off or damaged: what looks like keys has to do.
    const keys = [...line.slice(0, LINE_LENGTH).matchAll(/[{,]\s*"([^"\\]{1,60})"\s*:/g)].map((match) => match[1]);
    return keys.length > 0 ? new Set(keys) : null;
  }
}

function dialectOf(keys: ReadonlySet<string>): FormatName | null {
  const has = (...names: readonly string[]): boolean => names.some((name) => keys.has(name));
  if (has('tenant_id')) return 'native-json';
  if (has('event_type') && has('flow_id', 'src_ip', 'stats')) return 'suricata-eve';
  if (has('_path') || (has('id.orig_h') && has('uid', 'ts'))) return 'zeek-json';
  if (has('ts') && (has('certificate.version', 'port_num', 'host_p') || (has('id') && has('uid')))) return 'zeek-json';
  if (has('TimeReceived') && has('ExporterAddress')) return 'akvorado-json';
  if (has('time_received_ns', 'sampler_address')) return 'goflow2-json';
  if (has('SamplerAddress') && has('TimeReceived', 'TimeFlowStart', 'SequenceNum')) return 'goflow2-json';
  return null;
}

const MONTH = '(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)';
const WEEKDAY = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)';
const CEF = /(?:^|\s)CEF:\d{1,2}\|/;
const SYSLOG_5424 = /^<\d{1,3}>1 /;
const SYSLOG_3164 = new RegExp(`^(?:<\\d{1,3}>)?${MONTH} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d(?:\\.\\d{1,9})? \\S`);
/** rsyslog's file format; without a priority only with a program's tag, since many logs begin with such a time. */
const ISO = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\S{0,20}';
const SYSLOG_ISO = new RegExp(
  `^(?:<\\d{1,3}>${ISO} \\S|${ISO} [\\w.:-]{1,255} [\\w./()-]{1,128}(?:\\[\\d{1,10}\\])?: )`,
);
const HTTPD_ACCESS = new RegExp(
  `^\\S+ \\S+ \\S+ (?:\\S+ )?\\[\\d\\d/${MONTH}/\\d{4}:\\d\\d:\\d\\d:\\d\\d [+-]\\d{4}\\] "`,
);
const HTTPD_ERROR = new RegExp(`^\\[${WEEKDAY} ${MONTH} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d(?:\\.\\d{1,9})? \\d{4}\\] `);

function logs(lines: readonly string[]): FormatName | null {
  const votes = new Map<FormatName, number>();
  for (const whole of lines) {
    const format = logFormat(whole.slice(0, LINE_LENGTH));
    if (format !== null) votes.set(format, (votes.get(format) ?? 0) + 1);
  }
  const best = [...votes].sort((a, b) => b[1] - a[1])[0];
  return best !== undefined && best[1] * 3 >= lines.length ? best[0] : null;
}

function logFormat(line: string): FormatName | null {
  const header = SYSLOG_5424.test(line) || SYSLOG_3164.test(line) || SYSLOG_ISO.test(line);
  if ((header || line.startsWith('CEF:')) && CEF.test(line)) return 'cef';
  if (header) return 'syslog';
  return HTTPD_ACCESS.test(line) || HTTPD_ERROR.test(line) ? 'httpd' : null;
}

/** Maps or msgpackr records with text keys, one after the other, and nothing else. */
function looksLikeMsgpack(bytes: Buffer): boolean {
  const walker = new MsgpackWalker();
  let at = 0;
  while (at < bytes.length) {
    const first = bytes[at];
    const map = (first >= 0x80 && first <= 0x8f) || first === 0xde || first === 0xdf;
    const definition = (first === 0xd4 || first === 0xd5) && bytes[at + 1] === 0x72;
    const instance = at > 0 && first >= 0x40 && first <= 0x7f && walker.context() !== null;
    if (!map && !definition && !instance) return false;
    if (map && !textKey(bytes, at + (first === 0xde ? 3 : first === 0xdf ? 5 : 1), first === 0x80)) return false;
    const next = walker.walk(bytes, at, bytes.length);
    // The head may end in the middle of a record, but what holds not one whole record says too little: one random start in
    // ten thousand reads as the beginning of a map.
    if (next < 0) return next === -1 && (at > 0 || bytes.length === SNIFF_BYTES);
    at = next;
  }
  return at > 0;
}

function textKey(bytes: Buffer, at: number, empty: boolean): boolean {
  if (empty) return true;
  const type = bytes[at];
  const length = type >= 0xa1 && type <= 0xbf ? type - 0xa0 : type === 0xd9 ? bytes[at + 1] : 0;
  if (length === 0) return false;
  const from = at + (type === 0xd9 ? 2 : 1);
  for (let i = from; i < Math.min(from + length, bytes.length); i++)
    if (bytes[i] < 0x20 || bytes[i] > 0x7e) return false;
  return true;
}
