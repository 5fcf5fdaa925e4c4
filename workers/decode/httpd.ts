// Apache httpd (and nginx) access logs, common and combined, and httpd error logs. In: lines. Out: log events.

import { parseIp } from '../../src/model/ip.ts';
import { LOG_SEVERITIES } from '../../src/model/records.ts';
import type { DecodeContext, SegmentDecoder } from './context.ts';
import { type LineSource, type ParsedLine, textDecoder } from './text-lines.ts';
import { monthOf, offsetMinutes, timeOfDayMs, wallDateMs } from './wall-clock.ts';

const ACCESS =
  /^(\S{1,255}) (\S{1,100}) (.{1,100}?) \[(\d\d)\/([A-Z][a-z]{2})\/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-]\d{4})\] "((?:[^"\\]|\\.){0,16000})" (\d{3}|-) (\d{1,19}|-)(?: "((?:[^"\\]|\\.){0,8000})" "((?:[^"\\]|\\.){0,8000})")?/;
const ERROR =
  /^\[[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))? (\d{4})\] \[(?:([a-z_0-9]{1,40}):)?([a-z0-9]{1,10})\] (.*)$/s;
const CLIENT = /^(?:\[pid [\d:tid ]{1,60}\] )?(?:\[client ([^\]\s]{1,60})\] )?(.*)$/s;

const words = new Uint32Array(4);

export function createHttpdDecoder(context: DecodeContext): SegmentDecoder {
  return textDecoder(context, parseHttpd);
}

export function parseHttpd(line: string, source: LineSource): ParsedLine {
  const access = ACCESS.exec(line);
  if (access) return accessEvent(access);
  const error = ERROR.exec(line);
  if (error) return errorEvent(error, source);
  return { code: 'format_mismatch', detail: 'the line is neither an access record nor an error record of httpd' };
}

const badTime = (text: string) => ({ code: 'bad_timestamp' as const, detail: `'${text}' is no date` });
const dash = (text: string | undefined): string => (text === undefined || text === '-' ? '' : text);
const unescaped = (text: string): string => text.replace(/\\(["\\])/g, '$1');

function accessEvent(match: RegExpExecArray): ParsedLine {
  const [
    ,
    client,
    ,
    userText,
    day,
    monthName,
    year,
    hour,
    minute,
    second,
    zone,
    requestText,
    status,
    bytes,
    referer,
    agent,
  ] = match;
  const month = monthOf(monthName);
  const wall = wallDateMs(Number(year), month, Number(day)) + timeOfDayMs(hour, minute, second);
  if (Number.isNaN(wall)) return badTime(`${day} ${monthName} ${year} ${hour}:${minute}:${second}`);
  const request = unescaped(requestText);
  const [method = '', target = '', protocol = ''] = request.split(' ', 3);
  const query = target.indexOf('?');
  const user = dash(userText);
  const sourceIp = parseIp(client, words, 0) ? client : '';
  // Names as Sigma's webserver category has them, with source_ip beside.
  const fields: Record<string, string | number> = {
    'c-ip': client,
    'cs-method': method,
    'cs-uri': target,
    'cs-uri-stem': query < 0 ? target : target.slice(0, query),
    'cs-uri-query': query < 0 ? '' : target.slice(query + 1),
    'cs-version': protocol,
    'cs-username': user,
    'sc-status': Number(status) || 0,
    'sc-bytes': Number(bytes) || 0,
    'cs-referer': unescaped(dash(referer)),
    'cs-user-agent': unescaped(dash(agent)),
    request,
  };
  if (sourceIp) fields.source_ip = sourceIp;
  return {
    ms: wall - (offsetMinutes(zone) ?? 0) * 60_000,
    ns: 0,
    logsource: { product: 'apache', category: 'webserver', service: 'access' },
    fields,
    sourceIp,
    user,
    message: `${request} ${status}`,
  };
}

function errorEvent(match: RegExpExecArray, { clock }: LineSource): ParsedLine {
  const [, monthName, day, hour, minute, second, fraction = '', year, module = '', level, rest] = match;
  const month = monthOf(monthName);
  const wall = wallDateMs(Number(year), month, Number(day)) + timeOfDayMs(hour, minute, second);
  if (Number.isNaN(wall)) return badTime(`${day} ${monthName} ${year} ${hour}:${minute}:${second}`);
  const nanos = Number(fraction.padEnd(9, '0')) || 0;
  const [, clientText = '', message = rest] = CLIENT.exec(rest) ?? [];
  const client = parseIp(clientText, words, 0) ? clientText : clientText.replace(/:\d{1,5}$/, '');
  const sourceIp = parseIp(client, words, 0) ? client : '';
  const fields: Record<string, string> = { level, message };
  if (module) fields.module = module;
  if (clientText) fields.client = clientText;
  if (sourceIp) fields.source_ip = sourceIp;
  return {
    ms: clock.utc(wall) + Math.floor(nanos / 1e6),
    ns: nanos % 1e6,
    logsource: { product: 'apache', category: 'webserver', service: 'error' },
    fields,
    sourceIp,
    severity: severityOf(level),
    message,
  };
}

const LEVELS: Readonly<Record<string, string>> = { emerg: 'emergency', crit: 'critical', warn: 'warning' };

function severityOf(level: string): string {
  const name = Object.hasOwn(LEVELS, level) ? LEVELS[level] : level;
  return LOG_SEVERITIES.find((severity) => severity === name) ?? (name.startsWith('trace') ? 'debug' : '');
}
