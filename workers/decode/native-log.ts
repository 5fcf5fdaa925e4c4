// A native log event: any JSON or MessagePack object with a time. Its fields keep their names for the rules; the few that
// Weir's own columns hold are picked out under the names that producers use most.

import type { Instant, LogSource } from '../../src/model/records.ts';
import { addressText, readTime, severityOf } from './fields.ts';
import type { JsonLog, JsonSubject } from './json-log.ts';
import { logSourceOf, textAt } from './log-source.ts';
import type { NativeRecord } from './native-general.ts';
import { K, type NativeKey } from './native-keys.ts';
import { instant } from './time.ts';
import { hoistWindowsEvent } from './windows-event.ts';

const TIMES: readonly NativeKey[] = ['timestamp', '@timestamp', 'ts', 'time', 'UtcTime', 'EventTime', 'eventTime'];
/** When producers say it elsewhere: Windows events, Okta, Kubernetes, Microsoft 365. */
export const OTHER_TIMES = ['SystemTime', 'published', 'requestReceivedTimestamp', 'CreationTime', 'createdDateTime'];
const HOSTS: readonly NativeKey[] = ['host', 'hostname', 'host.name', 'Computer', 'node'];
const USERS: readonly NativeKey[] = ['user', 'User', 'user.name', 'username', 'user_id'];
const SOURCES: readonly NativeKey[] = ['source_ip', 'src_ip', 'SourceIp', 'SourceIP', 'source.ip'];
const DESTINATIONS: readonly NativeKey[] = [
  'destination_ip',
  'dst_ip',
  'dest_ip',
  'DestinationIp',
  'DestinationIP',
  'destination.ip',
];
const SEVERITIES: readonly NativeKey[] = ['severity', 'level', 'log.level'];
const MESSAGES: readonly NativeKey[] = ['message', 'msg'];
const PRODUCTS: readonly NativeKey[] = ['product', 'logsource.product'];
const CATEGORIES: readonly NativeKey[] = ['category', 'logsource.category'];
const SERVICES: readonly NativeKey[] = ['service', 'logsource.service'];

export function acceptLog(record: NativeRecord): void {
  const moment = TIMES.find((key) => record.has(K[key]));
  if (moment === undefined) record.acceptLog(null);
  else if (readMoment(record, moment)) record.acceptLog({ ms: instant[0], ns: instant[1] });
  else record.rejectKey('bad_timestamp', moment);
}

/** A record that was parsed. `moment` is null when none of the usual keys has its time. */
export function pushFields(
  record: NativeRecord,
  moment: Instant | null,
  written: Record<string, unknown>,
  json: string,
): void {
  const fields = hoistWindowsEvent(written);
  const at = moment ?? otherMoment(record, (name) => textAt(fields, name));
  if (at === null) return;
  record.context.pushLog(record.out, record.batch, record.segmentIndex, record.start, record.length, record.tenant, {
    ms: at.ms,
    ns: at.ns,
    logsource: logSourceOf(declaredSource(record), fields),
    fields,
    fieldsJson: json,
    pop: record.text('pop_id'),
    sourceIp: firstAddress(record, SOURCES),
    destinationIp: firstAddress(record, DESTINATIONS),
    host: record.firstText(HOSTS) || textAt(fields, 'Computer'),
    user: record.firstText(USERS),
    severity: severityOf(record.firstText(SEVERITIES)),
    message: record.firstText(MESSAGES),
  });
}

/** The time under a less usual name; for tools that store nothing, now. Null after the record was rejected. */
export function otherMoment(record: NativeRecord, textAt: (name: string) => string): Instant | null {
  if (OTHER_TIMES.some((name) => readTime(textAt(name)) === '')) return { ms: instant[0], ns: instant[1] };
  if (record.context.storesNothing) return { ms: record.batch.appendedAtMs, ns: 0 };
  record.reject('missing_field', 'the record has no timestamp, and is no flow, session or tunnel statistic');
  return null;
}

function readMoment(record: NativeRecord, key: NativeKey): boolean {
  const value = record.at(K[key]);
  if (value === undefined) return false;
  if (readTime(value) === '') return true;
  return typeof value === 'string' && readYearless(record, value);
}

/** Where a time has no year, the year is that of the source or follows from when the record came. */
function readYearless(record: NativeRecord, text: string): boolean {
  const segment = record.batch.segments[record.segmentIndex];
  const { year } = record.context.sourceOf(segment.source);
  const latest = year > 0 ? Date.UTC(year, 11, 30, 23, 59, 59) : segment.referenceMs;
  return record.yearless.read(text, record.clock(), latest);
}

export function declaredSource(record: NativeRecord): LogSource {
  return {
    product: record.firstText(PRODUCTS).toLowerCase(),
    category: record.firstText(CATEGORIES).toLowerCase(),
    service: record.firstText(SERVICES).toLowerCase(),
  };
}

/** Paths that `declaredSource` reads. */
export const DECLARED: readonly string[] = [...PRODUCTS, ...CATEGORIES, ...SERVICES];

function firstAddress(record: NativeRecord, keys: readonly NativeKey[]): string {
  for (const key of keys) {
    const text = addressText(record.at(K[key]));
    if (text !== '') return text;
  }
  return '';
}

/** What `pushFields` picks out, of an event that stays JSON. */
export const NATIVE_SUBJECT: JsonSubject = {
  sourceIp: (log: JsonLog) => log.address(SOURCES),
  destinationIp: (log: JsonLog) => log.address(DESTINATIONS),
  host: (log: JsonLog) => log.scalar(HOSTS),
  user: (log: JsonLog) => log.scalar(USERS),
  severity: (log: JsonLog) => severityOf(log.scalar(SEVERITIES)),
  message: (log: JsonLog) => log.scalar(MESSAGES),
};
