// Rows of a batch as CQL batch statements. A column of which a record says nothing is unset, so it costs four bytes and leaves no
// tombstone.

import { isAhead, type RawBatch, recordAt } from '../../src/model/batch.ts';
import { utf8 } from '../../src/model/bytes.ts';
import type { ControlSnapshot } from '../../src/model/control.ts';
import type { Dictionary } from '../../src/model/dictionary.ts';
import { DIRECTIONS, type FlowColumns } from '../../src/model/flow.ts';
import { hash128, hashWords, uuidWords } from '../../src/model/hash.ts';
import { parseIp } from '../../src/model/ip.ts';
import type { ScyllaSettings } from '../../src/model/outputs.ts';
import { SESSION_STATUSES, type SessionEvent, type TunnelStat } from '../../src/model/records.ts';
import { SKEW_MS } from '../decode/context.ts';
import { tenantWords } from '../encode/flows.ts';
import type { ScyllaEncoder } from '../encode/scylla.ts';
import type { Encoded } from '../parcels.ts';
import { FLOW_COLUMNS, QUERY, SESSION_COLUMNS, TUNNEL_COLUMNS } from './columns.ts';
import { CONSISTENCY } from './consistency.ts';
import type { CqlWriter } from './cql-writer.ts';
import { routingKeyOf, type Statement, StatementWriter } from './statements.ts';

/** Rows for ScyllaDB, ready to be sent. */
export interface ScyllaParcel extends Encoded {
  readonly statements: readonly Statement[];
}

/** What started_at counts down from, 2101-01-01 in ms, and where write timestamps of named starts begin: above all others. */
const LAST_MS = Date.UTC(2101, 0, 1);
const NAMED_BASE = 10_000_000_000_000;

/** Partition keys that are kept from one batch to the next. */
const MOST_KEYS = 20_000;

export function createScyllaEncoder(
  snapshot: ControlSnapshot,
  dictionary: Dictionary,
  settings: ScyllaSettings,
): ScyllaEncoder {
  return new Encoder(snapshot, dictionary, settings);
}

class Encoder implements ScyllaEncoder {
  private readonly writer: StatementWriter;
  private readonly dictionary: Dictionary;
  private readonly tenants: Uint32Array;
  private readonly policies: readonly { readonly id: Uint8Array; readonly version: number }[];
  private readonly directions = DIRECTIONS.map((direction) => utf8(direction));
  private readonly bucketMs: number;
  private readonly words = new Uint32Array(4);
  /** Partition keys as they were last used, by PoP and tenant: making one costs as much as several rows. */
  private readonly keys = new Map<number, { readonly bucket: number; readonly key: Buffer }>();
  /** Of the dictionary, whose numbers for PoPs are others in the next one. */
  private generation = -1;
  private order = new Uint32Array(1024);
  private groups = new Uint32Array(1024);

  constructor(snapshot: ControlSnapshot, dictionary: Dictionary, settings: ScyllaSettings) {
    this.writer = new StatementWriter(settings.batchBytes, CONSISTENCY[settings.consistency]);
    this.dictionary = dictionary;
    this.tenants = tenantWords(snapshot);
    this.policies = snapshot.policies.map(({ id, version }) => ({ id: utf8(id), version }));
    this.bucketMs = settings.flowBucketMs;
  }

  flows(flows: FlowColumns): ScyllaParcel {
    const { writer, bucketMs, dictionary } = this;
    if (this.generation !== dictionary.generation || this.keys.size > MOST_KEYS) this.keys.clear();
    this.generation = dictionary.generation;
    const members = this.byPartition(flows);
    for (let i = 0, group = -1; i < flows.length; i++) {
      const row = members[i];
      if (this.groups[row] !== group) {
        group = this.groups[row];
        writer.partition(this.flowKey(flows, row));
      }
      writer.row(QUERY.flow, FLOW_COLUMNS.length + (bucketMs > 0 ? 1 : 0), row);
      this.flow(flows, row);
    }
    return this.parcel(flows.length);
  }

  sessions(events: readonly SessionEvent[], batch: RawBatch): ScyllaParcel {
    events.forEach((event, i) => {
      this.writer.partition(routingKeyOf([this.tenantKey(event.tenant)]));
      this.session(event, i, batch);
    });
    return this.parcel(events.length);
  }

  tunnels(stats: readonly TunnelStat[], batch: RawBatch): ScyllaParcel {
    const { writer, words } = this;
    const { values } = writer;
    stats.forEach((stat, i) => {
      uuidWords(stat.tunnelId, words, 0);
      writer.partition(routingKeyOf([wordsBuffer(words, 0)]));
      writer.row(QUERY.tunnel, TUNNEL_COLUMNS.length + 1, i);
      values.uuid(words, 0);
      values.long(stat.ms);
      values.int(stat.latencyMs);
      values.int(stat.jitterMs);
      values.float(stat.packetLossPercent);
      values.wideInteger(stat.rxBytes);
      values.wideInteger(stat.txBytes);
      values.wideInteger(stat.uptimeSeconds);
      values.uuid(this.tenants, stat.tenant * 4);
      this.textOrUnset(stat.pop);
      values.int(stat.ns);
      this.stamp(stat, stat.id, 0, 1000, batch);
    });
    return this.parcel(stats.length);
  }

  private parcel(rows: number): ScyllaParcel {
    const { statements, bytes } = this.writer.take();
    return { rows, bytes, statements };
  }

  /** Rows in the order of their partitions; `groups` says which one each row is in. */
  private byPartition(flows: FlowColumns): Uint32Array {
    const { length, tenant, pop, timeMs } = flows;
    const { bucketMs } = this;
    if (this.order.length < length) {
      this.order = new Uint32Array(length * 2);
      this.groups = new Uint32Array(length * 2);
    }
    const { order, groups } = this;
    const known = new Map<number, Map<number, number>>();
    const counts: number[] = [];
    for (let i = 0; i < length; i++) {
      const bucket = bucketMs > 0 ? Math.floor(timeMs[i] / bucketMs) : 0;
      const key = pop[i] * 65_536 + tenant[i];
      const buckets = known.get(key) ?? new Map<number, number>();
      if (buckets.size === 0) known.set(key, buckets);
      let group = buckets.get(bucket);
      if (group === undefined) {
        group = counts.push(0) - 1;
        buckets.set(bucket, group);
      }
      groups[i] = group;
      counts[group]++;
    }
    let at = 0;
    const starts = counts.map((count) => {
      at += count;
      return at - count;
    });
    for (let i = 0; i < length; i++) order[starts[groups[i]]++] = i;
    return order;
  }

  private flowKey(flows: FlowColumns, row: number): Buffer {
    const group = flows.pop[row] * 65_536 + flows.tenant[row];
    const bucket = this.bucketMs > 0 ? this.bucketOf(flows.timeMs[row]) : 0;
    const known = this.keys.get(group);
    if (known?.bucket === bucket) return known.key;
    const key = this.newFlowKey(flows, row);
    this.keys.set(group, { bucket, key });
    return key;
  }

  private newFlowKey(flows: FlowColumns, row: number): Buffer {
    const pop = Buffer.from(this.dictionary.bytes(flows.pop[row]));
    const parts = [this.tenantKey(flows.tenant[row]), pop];
    if (this.bucketMs > 0) parts.push(longBuffer(this.bucketOf(flows.timeMs[row])));
    return routingKeyOf(parts);
  }

  private tenantKey(tenant: number): Buffer {
    return wordsBuffer(this.tenants, tenant * 4);
  }

  private bucketOf(ms: number): number {
    return Math.floor(ms / this.bucketMs) * this.bucketMs;
  }

  private flow(f: FlowColumns, i: number): void {
    const { values } = this.writer;
    values.uuid(this.tenants, f.tenant[i] * 4);
    values.blob(this.dictionary.bytes(f.pop[i]));
    values.long(f.timeMs[i]);
    values.uuid(f.id, i * 4);
    values.inet(f.source, i * 4);
    values.inet(f.destination, i * 4);
    values.int(f.sourcePort[i]);
    values.int(f.destinationPort[i]);
    values.int(f.protocol[i]);
    values.bigint(f.bytesSent[2 * i], f.bytesSent[2 * i + 1]);
    values.bigint(f.bytesReceived[2 * i], f.bytesReceived[2 * i + 1]);
    values.bigint(f.packetsSent[2 * i], f.packetsSent[2 * i + 1]);
    values.bigint(f.packetsReceived[2 * i], f.packetsReceived[2 * i + 1]);
    this.string(values, f.application[i]);
    this.string(values, f.action[i]);
    this.string(values, f.user[i]);
    this.string(values, f.device[i]);
    this.string(values, f.site[i]);
    this.string(values, f.session[i]);
    if (f.durationMs[i] < 0) values.unset();
    else values.double(f.durationMs[i]);
    number(values, f.tcpFlags[i]);
    this.string(values, f.host[i]);
    this.string(values, f.ja3[i]);
    this.string(values, f.ja4[i]);
    if (f.samplingRate[i] === 1) values.unset();
    else values.long(f.samplingRate[i]);
    this.string(values, f.exporter[i]);
    wide(values, f.inputInterface[i]);
    wide(values, f.outputInterface[i]);
    counter(values, f.ipBytesSent, i);
    counter(values, f.ipBytesReceived, i);
    this.string(values, f.service[i]);
    this.string(values, f.producerId[i]);
    this.string(values, f.connectionState[i]);
    this.string(values, f.history[i]);
    this.string(values, f.category[i]);
    if (f.direction[i] === 0) values.unset();
    else values.blob(this.directions[f.direction[i]]);
    this.string(values, f.sourceCountry[i]);
    this.string(values, f.destinationCountry[i]);
    wide(values, f.sourceAsn[i]);
    wide(values, f.destinationAsn[i]);
    this.string(values, f.threat[i]);
    const policy = this.policies[f.policy[i] - 1];
    if (policy === undefined) {
      values.unset();
      values.unset();
    } else {
      values.blob(policy.id);
      values.long(policy.version);
    }
    number(values, f.flags[i]);
    number(values, f.timeNs[i]);
    if (this.bucketMs > 0) values.long(this.bucketOf(f.timeMs[i]));
  }

  /** An observation of a session, as writes that commute: see `stamp`. */
  private session(event: SessionEvent, item: number, batch: RawBatch): void {
    const { writer, words } = this;
    const { values } = writer;
    writer.row(QUERY.session, SESSION_COLUMNS.length + 1, item);
    values.uuid(this.tenants, event.tenant * 4);
    uuidWords(event.sessionId, words, 0);
    values.uuid(words, 0);
    const userIsUuid = this.uuidOrUnset(event.userId);
    const deviceIsUuid = this.uuidOrUnset(event.deviceId);
    if (event.sourceIp !== '' && parseIp(event.sourceIp, words)) values.inet(words, 0);
    else values.unset();
    values.long(event.ms);
    this.textOrUnset(event.status);
    if (Object.keys(event.metadata).length > 0) values.texts(event.metadata);
    else values.unset();
    this.textOrUnset(userIsUuid ? '' : event.userId);
    this.textOrUnset(deviceIsUuid ? '' : event.deviceId);
    const rank = (SESSION_STATUSES as readonly string[]).indexOf(event.status) + 1;
    this.stamp(event, event.id, rank * 200, 200, batch);
    // The earliest start must stay whatever comes later: the earlier it is, the later it claims to have been written. A start
    // that an observation names counts more than when an observation was made.
    const named = event.startedAtMs > 0;
    const startedMs = named ? event.startedAtMs : event.ms;
    writer.row(QUERY.sessionStart, 4, item);
    values.uuid(this.tenants, event.tenant * 4);
    uuidWords(event.sessionId, words, 0);
    values.uuid(words, 0);
    values.long(startedMs);
    values.long(Math.max(1, named ? NAMED_BASE + (LAST_MS - startedMs) * 1000 : LAST_MS - startedMs));
  }

  /**
   * Write timestamp in µs: event time in ms × 1000 and a rank below that, so that any order of writing gives the same row. Of two
   * events in one ms, `rank` and then the identifier decide. An event from the future must not win for ever: its time counts as
   * five minutes after it reached the broker.
   */
  private stamp(
    event: { ms: number; segment: number; rawStart: number },
    id: string,
    rank: number,
    range: number,
    batch: RawBatch,
  ): void {
    const bytes = utf8(id);
    hash128(bytes, 0, bytes.length, 0);
    const ms = isAhead(batch, event.segment, event.rawStart, event.ms, SKEW_MS)
      ? appendedAt(batch, event) + SKEW_MS
      : event.ms;
    this.writer.values.long(ms * 1000 + rank + (hashWords[0] % range));
  }

  private string(values: CqlWriter, id: number): void {
    if (id === 0) values.unset();
    else values.blob(this.dictionary.bytes(id));
  }

  private textOrUnset(text: string): void {
    if (text === '') this.writer.values.unset();
    else this.writer.values.text(text);
  }

  /** The seed's user_id and device_id of sessions are UUIDs; other names have columns of their own. */
  private uuidOrUnset(text: string): boolean {
    const isUuid = text !== '' && uuidWords(text, this.words, 0);
    if (isUuid) this.writer.values.uuid(this.words, 0);
    else this.writer.values.unset();
    return isUuid;
  }
}

/** A Kafka record's own time: that of its segment depends on where batches begin, which must not show (guarantee 2). */
function appendedAt(batch: RawBatch, { segment, rawStart }: { segment: number; rawStart: number }): number {
  const { records, appendedAtMs } = batch.segments[segment];
  if (records !== undefined) return records.appendedAtMs[recordAt(records, rawStart)];
  return appendedAtMs ?? batch.appendedAtMs;
}

function number(values: CqlWriter, value: number): void {
  if (value === 0) values.unset();
  else values.int(value);
}

function wide(values: CqlWriter, value: number): void {
  if (value === 0) values.unset();
  else values.long(value);
}

function counter(values: CqlWriter, column: Uint32Array, i: number): void {
  if (column[2 * i] === 0 && column[2 * i + 1] === 0) values.unset();
  else values.bigint(column[2 * i], column[2 * i + 1]);
}

function wordsBuffer(words: Uint32Array, at: number): Buffer {
  const bytes = Buffer.alloc(16);
  for (let w = 0; w < 4; w++) bytes.writeUInt32BE(words[at + w], w * 4);
  return bytes;
}

function longBuffer(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
}
