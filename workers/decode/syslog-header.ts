// Headers of syslog lines, RFC 5424 and RFC 3164 (also with an ISO timestamp), with or without priority.

import type { LineReject, LineSource } from './text-lines.ts';
import { instant, parseTimeText } from './time.ts';
import { monthOf, timeOfDayMs } from './wall-clock.ts';

const PRIORITY = /^<(\d{1,3})>/;
const RFC5424 = /^1 (\S{1,64}) (\S{1,255}) (\S{1,128}) (\S{1,128}) (\S{1,64}) (.*)$/s;
const RFC3164 = /^([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))? (\S{1,255}) (.*)$/s;
const ISO_STAMP = /^(\d{4}-\d\d-\d\dT\S{8,30}) (\S{1,255}) (.*)$/s;
const TAG = /^([^\s:[]{1,128})(?:\[([^\]\s]{1,32})\])?:? ?(.*)$/s;

/** The header of a syslog line and what follows it. */
export interface SyslogHeader {
  /** facility × 8 + severity, or -1 without one. */
  readonly priority: number;
  readonly ms: number;
  readonly ns: number;
  readonly host: string;
  readonly program: string;
  readonly processId: string;
  readonly messageId: string;
  readonly structured: Record<string, string>;
  readonly message: string;
}

export function readSyslogHeader(line: string, source: LineSource): SyslogHeader | LineReject {
  const match = PRIORITY.exec(line);
  const priority = match ? Number(match[1]) : -1;
  if (priority > 191) return { code: 'out_of_range', detail: `syslog priority ${priority} is above 191` };
  const header = readHeader(match ? line.slice(match[0].length) : line, source);
  return 'code' in header ? header : { ...header, priority };
}

type Header = Omit<SyslogHeader, 'priority'>;

function readHeader(rest: string, source: LineSource): Header | LineReject {
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
  const timeOfDay = timeOfDayMs(hour, minute, second);
  if (month < 0 || Number.isNaN(timeOfDay)) return badTime(`${monthName} ${day} ${hour}:${minute}:${second}`);
  const ms = clock.utcWithoutYear(month, Number(day), timeOfDay, referenceMs);
  if (Number.isNaN(ms)) return badTime(`${monthName} ${day}`);
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
