// A native log event: any JSON or MessagePack object with a time. Its fields keep their names for the rules; the few that
// Weir's own columns hold are picked out under the names that producers use most.

import type { LogSource } from '../../src/model/records.ts';
import { addressText, readTime, severityOf } from './fields.ts';
import { logSourceOf, textAt } from './log-source.ts';
import type { NativeRecord } from './native-general.ts';
import { K, type NativeKey } from './native-keys.ts';
import { instant } from './time.ts';
import { monthOf } from './wall-clock.ts';
import { hoistWindowsEvent } from './windows-event.ts';

const TIMES: readonly NativeKey[] = ['timestamp', '@timestamp', 'ts', 'time', 'UtcTime', 'EventTime', 'eventTime'];
/** When producers say it elsewhere: Windows events, Okta, Kubernetes, Microsoft 365. */
const OTHER_TIMES = ['SystemTime', 'published', 'requestReceivedTimestamp', 'CreationTime', 'createdDateTime'];
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

export function acceptLog(record: NativeRecord): void {
  const { context, out } = record;
  const moment = TIMES.find((key) => record.has(key));
  if (moment !== undefined && !readMoment(record, moment)) {
    record.rejectKey('bad_timestamp', moment);
    return;
  }
  let ms = instant[0];
  let ns = instant[1];
  const { fields: written, json } = record.fields();
  const fields = hoistWindowsEvent(written);
  if (moment === undefined) {
    const timed = OTHER_TIMES.some((name) => readTime(textAt(fields, name)) === '');
    if (!timed && !context.storesNothing) {
      record.reject('missing_field', 'the record has no timestamp, and is no flow, session or tunnel statistic');
      return;
    }
    ms = timed ? instant[0] : record.batch.appendedAtMs;
    ns = timed ? instant[1] : 0;
  }
  context.pushLog(out, record.batch, record.segmentIndex, record.start, record.length, record.tenant, {
    ms,
    ns,
    logsource: logSourceOf(declaredSource(record), fields),
    fields,
    fieldsJson: json,
    pop: record.text('pop_id'),
    sourceIp: firstAddress(record, SOURCES),
    destinationIp: firstAddress(record, DESTINATIONS),
    host: record.firstText(HOSTS) || textAt(fields, 'Computer'),
    user: record.firstText(USERS),
    severity: severityOf(record.firstText(['severity', 'level', 'log.level'])),
    message: record.firstText(['message', 'msg']),
  });
}

function readMoment(record: NativeRecord, key: NativeKey): boolean {
  const value = record.values[K[key]];
  if (value === undefined) return false;
  if (readTime(value) === '') return true;
  return typeof value === 'string' && readYearless(record, value);
}

const YEARLESS = /^([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d)$/;

/** Syslog's `Jun 14 15:16:01`, which forwarders keep when they make JSON of a line. */
function readYearless(record: NativeRecord, text: string): boolean {
  const match = YEARLESS.exec(text);
  if (!match) return false;
  const [month, day, hour, minute, second] = [monthOf(match[1]), ...match.slice(2).map(Number)];
  if (month < 0 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) return false;
  const segment = record.batch.segments[record.segmentIndex];
  const { year } = record.context.sourceOf(segment.source);
  const latest = year > 0 ? Date.UTC(year, 11, 30, 23, 59, 59) : segment.referenceMs;
  const ms = record.clock().utcWithoutYear(month, day, hour * 3_600_000 + minute * 60_000 + second * 1000, latest);
  instant[0] = ms;
  instant[1] = 0;
  return !Number.isNaN(ms);
}

function declaredSource(record: NativeRecord): LogSource {
  return {
    product: record.firstText(['product', 'logsource.product']).toLowerCase(),
    category: record.firstText(['category', 'logsource.category']).toLowerCase(),
    service: record.firstText(['service', 'logsource.service']).toLowerCase(),
  };
}

function firstAddress(record: NativeRecord, keys: readonly NativeKey[]): string {
  for (const key of keys) {
    const text = addressText(record.values[K[key]]);
    if (text !== '') return text;
  }
  return '';
}
