// Syslog lines, RFC 5424 and RFC 3164, with or without priority. In: lines. Out: log events of product linux.

import { LOG_SEVERITIES } from '../../src/model/records.ts';
import { parseCef } from './cef.ts';
import type { DecodeContext, SegmentDecoder } from './context.ts';
import { shapeOf } from './syslog-messages.ts';
import { type LineSource, type ParsedLine, textDecoder } from './text-lines.ts';
import { instant, parseTimeText } from './time.ts';
import { monthOf } from './wall-clock.ts';

const FACILITIES =
  'kern user mail daemon auth syslog lpr news uucp cron authpriv ftp ntp audit alert clock local0 local1 local2 local3 local4 local5 local6 local7'.split(
    ' ',
  );

const PRIORITY = /^<(\d{1,3})>/;
const RFC5424 = /^1 (\S{1,64}) (\S{1,255}) (\S{1,128}) (\S{1,128}) (\S{1,64}) (.*)$/s;
const RFC3164 = /^([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))? (\S{1,255}) (.*)$/s;
const ISO_STAMP = /^(\d{4}-\d\d-\d\dT\S{8,30}) (\S{1,255}) (.*)$/s;
const TAG = /^([^\s:[]{1,128})(?:\[([^\]\s]{1,32})\])?:? ?(.*)$/s;

/** The header of a syslog line and what follows it. */
interface Header {
  readonly ms: number;
  readonly ns: number;
  readonly host: string;
  readonly program: string;
  readonly processId: string;
  readonly messageId: string;
  readonly structured: Record<string, string>;
  readonly message: string;
}

export function createSyslogDecoder(context: DecodeContext): SegmentDecoder {
  return textDecoder(context, parseSyslog);
}

export function parseSyslog(line: string, source: LineSource): ParsedLine {
  const priority = PRIORITY.exec(line);
  const level = priority ? Number(priority[1]) : -1;
  if (level > 191) return { code: 'out_of_range', detail: `syslog priority ${level} is above 191` };
  const header = readHeader(priority ? line.slice(priority[0].length) : line, source);
  if ('code' in header) return header;
  if (header.program === 'CEF' || header.message.startsWith('CEF:')) {
    const at = line.indexOf('CEF:');
    return parseCef(line.slice(at), source, { ms: header.ms, ns: header.ns, host: header.host });
  }
  const { ms, ns, host, program, message } = header;
  const shape = shapeOf(program, message);
  const fields: Record<string, string | number> = { program, message };
  if (header.processId) fields.pid = header.processId;
  if (header.messageId) fields.msgid = header.messageId;
  if (level >= 0) fields.facility = FACILITIES[level >> 3] ?? '';
  for (const [key, value] of Object.entries(header.structured)) fields[key] = value;
  Object.assign(fields, shape.fields);
  if (host) fields.host = host;
  return {
    ms,
    ns,
    logsource: { product: 'linux', category: shape.category, service: shape.service },
    fields,
    host,
    user: shape.user,
    sourceIp: shape.sourceIp,
    destinationIp: shape.destinationIp,
    severity: level >= 0 ? LOG_SEVERITIES[level & 7] : '',
    message,
  };
}

function readHeader(
  rest: string,
  source: LineSource,
): Header | { code: 'syntax' | 'bad_timestamp' | 'format_mismatch'; detail: string } {
  const modern = RFC5424.exec(rest);
  if (modern) return header5424(modern);
  const classic = RFC3164.exec(rest);
  if (classic) return header3164(classic, source);
  const iso = ISO_STAMP.exec(rest);
  if (iso) return parseTimeText(iso[1]) ? tagged(instant[0], instant[1], iso[2], iso[3]) : badTime(iso[1]);
  return { code: 'format_mismatch', detail: 'the line begins with neither an RFC 5424 nor an RFC 3164 header' };
}

const badTime = (text: string) => ({
  code: 'bad_timestamp' as const,
  detail: `'${text.slice(0, 40)}' is no timestamp`,
});

function header3164(match: RegExpExecArray, { clock, referenceMs }: LineSource): ReturnType<typeof readHeader> {
  const [, monthName, day, hour, minute, second, fraction = '', host, rest] = match;
  const month = monthOf(monthName);
  const stamp = `${monthName} ${day} ${hour}:${minute}:${second}`;
  if (
    month < 0 ||
    Number(day) < 1 ||
    Number(day) > 31 ||
    Number(hour) > 23 ||
    Number(minute) > 59 ||
    Number(second) > 60
  ) {
    return badTime(stamp);
  }
  const timeOfDay = (Number(hour) * 3600 + Number(minute) * 60 + Number(second)) * 1000;
  const ms = clock.utcWithoutYear(month, Number(day), timeOfDay, referenceMs);
  if (Number.isNaN(ms)) return badTime(stamp);
  const nanos = Number(fraction.padEnd(9, '0').slice(0, 9)) || 0;
  return tagged(ms + Math.floor(nanos / 1e6), nanos % 1e6, host, rest);
}

/** `program[pid]: message`, as RFC 3164 has it. */
function tagged(ms: number, ns: number, host: string, rest: string): Header {
  const tag = TAG.exec(rest);
  const [, program = '', processId = '', message = rest] = tag ?? [];
  return { ms, ns, host, program, processId, messageId: '', structured: {}, message };
}

const nil = (text: string): string => (text === '-' ? '' : text);

function header5424(match: RegExpExecArray): ReturnType<typeof readHeader> {
  const [, stamp, host, program, processId, messageId, rest] = match;
  if (stamp === '-') return { code: 'bad_timestamp', detail: 'the record has no timestamp' };
  if (!parseTimeText(stamp)) return badTime(stamp);
  const [ms, ns] = instant;
  const structured: Record<string, string> = {};
  const end = readStructured(rest, structured);
  if (end < 0) return { code: 'syntax', detail: 'the structured data does not end' };
  const message = rest
    .slice(end)
    .replace(/^ /, '')
    .replace(/^\uFEFF/, '');
  return {
    ms,
    ns,
    host: nil(host),
    program: nil(program),
    processId: nil(processId),
    messageId: nil(messageId),
    structured,
    message,
  };
}

const MAX_PARAMETERS = 256;

/** `[id name="value" …]…` into `id.name` keys. Returns where the message begins, or -1. */
function readStructured(text: string, into: Record<string, string>): number {
  if (text[0] === '-') return 1;
  let at = 0;
  let count = 0;
  while (text[at] === '[') {
    const id = /^[^\s=\]"]{1,64}/.exec(text.slice(at + 1, at + 66))?.[0] ?? '';
    at += 1 + id.length;
    while (text[at] === ' ') {
      const name = /^[^\s=\]"]{1,64}(?==")/.exec(text.slice(at + 1, at + 68))?.[0];
      if (!name || ++count > MAX_PARAMETERS) return -1;
      at += name.length + 3;
      let value = '';
      while (at < text.length && text[at] !== '"') {
        if (text[at] === '\\' && /["\\\]]/.test(text[at + 1] ?? '')) at++;
        value += text[at++];
      }
      at++;
      if (name !== '__proto__') into[`${id}.${name}`] = value;
    }
    if (text[at] !== ']') return -1;
    at++;
  }
  return at;
}
