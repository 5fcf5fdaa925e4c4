// A record with hits as an event of the hits: who, where, when, its place in the stream and a sample of its bytes.

import { type LogView, numericOf } from '../../rules/plan/index.ts';
import { positionOf, type RawBatch } from '../../src/model/batch.ts';
import { utf8 } from '../../src/model/bytes.ts';
import type { ControlSnapshot } from '../../src/model/control.ts';
import type { Dictionary } from '../../src/model/dictionary.ts';
import { DIRECTIONS, FLOW_FLAG, type FlowColumns } from '../../src/model/flow.ts';
import { uuidWords } from '../../src/model/hash.ts';
import type { HitsWriter } from '../../src/model/hits.ts';
import { parseIp } from '../../src/model/ip.ts';
import type { LogEvent } from '../../src/model/records.ts';
import { PROTOCOL_NAMES } from './protocol-names.ts';

/** Evidence is a sample: of a long record its head. */
const MAX_RAW = 4096;
const MAX_TEXT = 1024;

const NOTHING = new Uint8Array(0);
const EMPTY: Uint32Array = new Uint32Array(0);
const DIRECTION_BYTES = DIRECTIONS.map((direction) => utf8(direction));
const PROTOCOL_NUMBERS = new Map([...PROTOCOL_NAMES].flatMap(([number, names]) => names.map((name) => [name, number])));

/** What `HitsWriter.see` said of the record. */
export interface Seen {
  timeMs: number;
  clockMs: number;
  clock: number;
  skewed: boolean;
}

function rawOf(batch: RawBatch, start: number, length: number): Uint8Array {
  let end = start + length;
  while (end > start && (batch.bytes[end - 1] === 10 || batch.bytes[end - 1] === 13)) end--;
  if (end - start > MAX_RAW) {
    end = start + MAX_RAW;
    // Not in the middle of a character.
    while (end > start && (batch.bytes[end] & 0xc0) === 0x80) end--;
  }
  return batch.bytes.subarray(start, end);
}

export class EventWriter {
  private readonly dictionary: Dictionary;
  private readonly policyIds: readonly Uint8Array[];
  private readonly texts: Uint8Array[] = new Array(14).fill(NOTHING);
  /** By dictionary id: its bytes, copied once, so that an event makes no views. */
  private known: Uint8Array[] = [NOTHING];
  private generation: number;
  private readonly addresses = { id: EMPTY, source: EMPTY, destination: EMPTY, at: 0 };
  private readonly own = { id: new Uint32Array(4), source: new Uint32Array(4), destination: new Uint32Array(4), at: 0 };

  constructor(snapshot: ControlSnapshot, dictionary: Dictionary) {
    this.dictionary = dictionary;
    this.generation = dictionary.generation;
    this.policyIds = [NOTHING, ...snapshot.policies.map(({ id }) => utf8(id))];
  }

  flow(batch: RawBatch, flows: FlowColumns, row: number, seen: Seen, hits: HitsWriter): void {
    const { texts, addresses } = this;
    if (this.generation !== this.dictionary.generation) {
      this.generation = this.dictionary.generation;
      this.known = [NOTHING];
    }
    // ENTITY_TEXTS order.
    texts[0] = this.bytesOf(flows.pop[row]);
    texts[1] = this.bytesOf(flows.user[row]);
    texts[2] = this.bytesOf(flows.device[row]);
    texts[3] = this.bytesOf(flows.site[row]);
    texts[4] = this.bytesOf(flows.host[row]);
    texts[5] = this.bytesOf(flows.application[row]);
    texts[6] = DIRECTION_BYTES[flows.direction[row]];
    texts[7] = this.bytesOf(flows.sourceCountry[row]);
    texts[8] = this.bytesOf(flows.destinationCountry[row]);
    texts[9] = this.bytesOf(flows.threat[row]);
    texts[10] = this.policyIds[flows.policy[row]];
    texts[11] = this.bytesOf(flows.action[row]);
    texts[12] = NOTHING;
    texts[13] = NOTHING;
    addresses.id = flows.id;
    addresses.source = flows.source;
    addresses.destination = flows.destination;
    addresses.at = row * 4;
    const segment = flows.segment[row];
    hits.event(
      seen.timeMs,
      seen.clockMs,
      flows.timeMs[row],
      flows.tenant[row],
      seen.clock,
      seen.skewed,
      addresses,
      flows.sourcePort[row],
      flows.destinationPort[row],
      flows.protocol[row],
      batch.segments[segment].file,
      positionOf(batch.segments[segment], flows.rawStart[row]),
      texts,
      rawOf(batch, flows.rawStart[row], flows.rawLength[row]),
    );
  }

  private bytesOf(id: number): Uint8Array {
    const known = this.known[id];
    if (known !== undefined) return known;
    const bytes = this.dictionary.bytes(id).slice();
    this.known[id] = bytes;
    return bytes;
  }

  /** `view` is bound to the event; `device` and `tunnel` are '' for log events. */
  log(batch: RawBatch, view: LogView<LogEvent>, device: string, tunnel: string, seen: Seen, hits: HitsWriter): void {
    const { texts, own: addresses } = this;
    const event = view.record;
    texts.fill(NOTHING);
    texts[0] = utf8(event.pop);
    texts[1] = utf8(event.user.slice(0, MAX_TEXT));
    texts[2] = utf8(device.slice(0, MAX_TEXT));
    texts[4] = utf8(event.host.slice(0, MAX_TEXT));
    texts[9] = utf8(event.threat);
    texts[12] = utf8(tunnel);
    texts[13] = utf8(event.message.slice(0, MAX_TEXT));
    if (!uuidWords(event.id, addresses.id, 0)) addresses.id.fill(0);
    if (!parseIp(event.sourceIp, addresses.source)) addresses.source.fill(0);
    if (!parseIp(event.destinationIp, addresses.destination)) addresses.destination.fill(0);
    hits.event(
      seen.timeMs,
      seen.clockMs,
      event.ms,
      event.tenant,
      seen.clock,
      seen.skewed,
      addresses,
      wholeNumber(view, 'source_port', 0xffff),
      wholeNumber(view, 'destination_port', 0xffff),
      protocolOf(view),
      batch.segments[event.segment].file,
      positionOf(batch.segments[event.segment], event.rawStart),
      texts,
      rawOf(batch, event.rawStart, event.rawLength),
    );
  }
}

/** The field as a whole number from 0 to `limit`; 0 when it is none. */
function wholeNumber(view: LogView<LogEvent>, field: string, limit: number): number {
  const value = view.values(view.slot(field)).first();
  const number = value === undefined ? Number.NaN : numericOf(value);
  return Number.isInteger(number) && number >= 0 && number <= limit ? number : 0;
}

function protocolOf(view: LogView<LogEvent>): number {
  const field = view.values(view.slot('protocol'));
  return (field.count > 0 ? PROTOCOL_NUMBERS.get(field.fold(0)) : undefined) ?? wholeNumber(view, 'protocol', 255);
}

/** Event time of a flow for windows: its end. */
export function endOf(flows: FlowColumns, row: number): number {
  const duration = flows.durationMs[row];
  return flows.timeMs[row] + Math.max(duration, 0);
}

export function isSkewed(flows: FlowColumns, row: number): boolean {
  return (flows.flags[row] & FLOW_FLAG.clockSkew) !== 0;
}
