// ArcSight Common Event Format: `CEF:0|vendor|product|version|signature|name|severity|key=value …`, bare or behind a
// syslog header. In: lines. Out: log events, extension keys kept under their names.

import { LOG_SEVERITIES } from '../../src/model/records.ts';
import type { DecodeContext, SegmentDecoder } from './context.ts';
import { readSyslogHeader, type SyslogHeader } from './syslog-header.ts';
import { type LineSource, type ParsedLine, textDecoder } from './text-lines.ts';
import { instant, parseTimeText } from './time.ts';
import { monthOf, timeOfDayMs, wallDateMs } from './wall-clock.ts';

const MAX_KEYS = 512;

export function createCefDecoder(context: DecodeContext): SegmentDecoder {
  return textDecoder(context, (line, source) => {
    if (line.startsWith('CEF:')) return parseCef(line, source, null);
    const header = readSyslogHeader(line, source);
    if ('code' in header) return header;
    if (carriesCef(header)) return parseCef(line.slice(line.indexOf('CEF:')), source, header);
    return { code: 'format_mismatch', detail: 'the line holds no CEF: record' };
  });
}

/** True when a syslog line is an envelope around a CEF record. */
export function carriesCef({ program, message }: SyslogHeader): boolean {
  return program === 'CEF' || message.startsWith('CEF:');
}

interface Envelope {
  readonly ms: number;
  readonly ns: number;
  readonly host: string;
}

export function parseCef(line: string, source: LineSource, envelope: Envelope | null): ParsedLine {
  const header = splitHeader(line);
  if (!header) return { code: 'syntax', detail: 'a CEF header has seven fields separated by |' };
  const [version, vendor, product, productVersion, signature, name, severity] = header.fields;
  const fields: Record<string, string | number> = {
    cef_version: version.replace(/^CEF:/, ''),
    device_vendor: vendor,
    device_product: product,
    device_version: productVersion,
    signature_id: signature,
    name,
    severity,
  };
  const extension = readExtension(line.slice(header.end));
  if (!extension) return { code: 'too_many_keys', detail: `more than ${MAX_KEYS} extension keys` };
  for (const [key, value] of extension) fields[key] = value;
  const time = timeOf(String(fields.rt ?? fields.end ?? fields.start ?? ''), source) ?? envelope;
  if (!time) return { code: 'missing_field', detail: 'neither rt, end nor start nor a syslog header gives a time' };
  return {
    ms: time.ms,
    ns: time.ns,
    logsource: { product: vendor.toLowerCase(), category: '', service: product.toLowerCase() },
    fields,
    sourceIp: String(fields.src ?? fields.c6a2 ?? ''),
    destinationIp: String(fields.dst ?? fields.c6a3 ?? ''),
    host: String(fields.dvchost ?? fields.shost ?? envelope?.host ?? ''),
    user: String(fields.suser ?? fields.duser ?? ''),
    severity: severityOf(severity),
    message: String(fields.msg ?? name),
  };
}

/** The seven header fields (`\|` and `\\` unescaped) and where the extension begins. */
function splitHeader(line: string): { fields: string[]; end: number } | null {
  const fields: string[] = [];
  let field = '';
  for (let i = 0; i < line.length && i < 8192; i++) {
    if (line[i] === '\\' && (line[i + 1] === '|' || line[i + 1] === '\\')) field += line[++i];
    else if (line[i] !== '|') field += line[i];
    else if (fields.push(field) === 7) return { fields, end: i + 1 };
    else field = '';
  }
  return fields.push(field) === 7 ? { fields, end: line.length } : null;
}

/** `key=value` pairs; a value runs to the next ` key=`. `\=`, `\\`, `\n` and `\r` are unescaped. Null for too many. */
function readExtension(text: string): Map<string, string> | null {
  const pairs = new Map<string, string>();
  const starts: { key: string; keyAt: number; valueAt: number }[] = [];
  for (const match of text.matchAll(/(?:^|\s)([A-Za-z0-9_.[\]-]{1,100})=/g)) {
    const valueAt = match.index + match[0].length;
    starts.push({ key: match[1], keyAt: match.index, valueAt });
    if (starts.length > MAX_KEYS) return null;
  }
  starts.forEach(({ key, valueAt }, i) => {
    const end = starts[i + 1]?.keyAt ?? text.length;
    const value = text
      .slice(valueAt, end)
      .trim()
      .replace(/\\([=\\nr])/g, (_, c: string) => (c === 'n' ? '\n' : c === 'r' ? '\r' : c));
    if (key !== '__proto__') pairs.set(key, value);
  });
  return pairs;
}

const CEF_TIME = /^([A-Z][a-z]{2}) (\d{1,2})(?: (\d{4}))? (\d\d):(\d\d):(\d\d)(?:\.(\d{1,3}))?/;

function timeOf(text: string, { clock, referenceMs }: LineSource): { ms: number; ns: number } | null {
  if (text === '') return null;
  const match = CEF_TIME.exec(text);
  if (!match) return parseTimeText(text) ? { ms: instant[0], ns: instant[1] } : null;
  const [, monthName, day, year, hour, minute, second, milli = '0'] = match;
  const month = monthOf(monthName);
  const timeOfDay = timeOfDayMs(hour, minute, second) + Number(milli.padEnd(3, '0'));
  if (month < 0 || Number.isNaN(timeOfDay)) return null;
  const ms = year
    ? clock.utc(wallDateMs(Number(year), month, Number(day)) + timeOfDay)
    : clock.utcWithoutYear(month, Number(day), timeOfDay, referenceMs);
  return Number.isNaN(ms) ? null : { ms, ns: 0 };
}

const WORDS = new Map([
  ['low', 2],
  ['medium', 5],
  ['high', 8],
  ['very-high', 10],
]);

/** CEF counts 0 (low) to 10 (very high), or writes words. */
function severityOf(text: string): string {
  const value = /^\d{1,2}$/.test(text) ? Number(text) : (WORDS.get(text.toLowerCase()) ?? -1);
  if (value < 0) return '';
  return LOG_SEVERITIES[value >= 9 ? 2 : value >= 7 ? 3 : value >= 4 ? 4 : 6];
}
