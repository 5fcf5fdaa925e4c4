// In: a batch whose segments are Kafka record batches as the broker keeps them, maybe compressed. Out: a batch as from a file,
// whose segments hold the records' values and say which offset each one has. A record batch that cannot be read is one fault.

import {
  type FormatName,
  framingOf,
  type KafkaPart,
  type RawBatch,
  type RecordTable,
  type Segment,
} from '../../../src/model/batch.ts';
import type { ControlSnapshot, Detour } from '../../../src/model/control.ts';
import { CodecError, decompress } from '../../../src/model/kafka/codecs.ts';
import {
  HEADER_BYTES,
  type RecordBatchHeader,
  RecordWalker,
  readHeader,
} from '../../../src/model/kafka/record-batch.ts';
import { SNIFF_BYTES, sniff } from '../../../src/model/sniff.ts';
import type { DecodeContext } from '../context.ts';
import { type Common, Diverted, sameRun, segmentOf } from './diverted.ts';
import { Owners } from './owners.ts';
import { Growing } from './table.ts';

/**
 * How many bytes the records of one record batch may become (guarantee 4). Real ones stay far below: a compressed bomb has far
 * more bytes than its size and the number of its records explain. Judged by the batch alone, so that a replay decides alike.
 */
const MOST_UNPACKED = 64 << 20;
const ALWAYS_UNPACKED = 1 << 20;
const UNPACKED_A_BYTE = 256;
const UNPACKED_A_RECORD = 4096;

/** Most records of one record batch: each may become a reject, which is many times as large as a record of one byte. */
const MOST_RECORDS = 1 << 20;

/** Memory that is kept for the next batch. */
const MOST_KEPT = 16 << 20;

/** Bytes of an unreadable record batch that its dead letter keeps. */
const KEPT_BYTES = 64 * 1024;

/** Values are moved towards the front to make room for what separates them: a newline, or a varint length. */
const NEWLINE = 10;

export interface Unpacked {
  readonly batch: RawBatch;
  /** Records without a value (deletions in a compacted topic), or with one of no bytes. */
  readonly empty: number;
}

export class KafkaUnpacker {
  private readonly snapshot: ControlSnapshot;
  private readonly owners: Owners;
  private readonly diverted: Diverted;
  private readonly walker = new RecordWalker();
  private readonly run = new Growing();
  private bytes = Buffer.alloc(1 << 20);
  private length = 0;
  private segments: Segment[] = [];
  private empty = 0;

  constructor(snapshot: ControlSnapshot, context: DecodeContext) {
    this.snapshot = snapshot;
    this.owners = new Owners(snapshot, context);
    this.diverted = new Diverted(snapshot, context);
  }

  /** The result shares memory with the next one. */
  unpack(batch: RawBatch): Unpacked {
    this.length = 0;
    this.segments = [];
    this.empty = 0;
    if (this.bytes.length > MOST_KEPT) this.bytes = Buffer.alloc(1 << 20);
    for (const segment of batch.segments) {
      if (segment.kafka === undefined || segment.fault !== null) this.copy(batch, segment);
      else this.expand(batch, segment, segment.kafka);
    }
    const bytes = this.bytes.subarray(0, this.length);
    return { batch: { ...batch, bytes, segments: this.segments }, empty: this.empty };
  }

  private copy({ bytes }: RawBatch, segment: Segment): void {
    const at = this.reserve(segment.end - segment.start);
    this.bytes.set(bytes.subarray(segment.start, segment.end), at);
    this.length = at + segment.end - segment.start;
    this.segments.push({ ...segment, start: at, end: this.length });
  }

  private expand(batch: RawBatch, segment: Segment, part: KafkaPart): void {
    const { bytes } = batch;
    const began = { length: this.length, segments: this.segments.length, empty: this.empty };
    try {
      const header = readHeader(bytes, segment.start, segment.end);
      if (header === null) throw new CodecError('it is cut off');
      const packed = bytes.subarray(segment.start + HEADER_BYTES, segment.start + header.bytes);
      const { count } = header;
      if (count < 0 || count > MOST_RECORDS) throw new CodecError(`it says that it has ${count} records`);
      const records = decompress(header.codec, packed, mostUnpacked(packed.length, count));
      const at = this.reserve(records.length);
      this.bytes.set(records, at);
      const diverted = this.snapshot.sources[segment.source]?.kafka?.diverted;
      if (diverted) this.walkDiverted(segment, diverted, part, header, at, records.length, batch.appendedAtMs);
      else this.walk(segment, part, header, at, records.length, batch.appendedAtMs);
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      this.length = began.length;
      this.segments.length = began.segments;
      this.empty = began.empty;
      this.fault(batch, segment, part, error.message);
    }
  }

  /** The records' bytes stand at `at`; their values are moved there, one behind the other. */
  private walk(
    segment: Segment,
    part: KafkaPart,
    header: RecordBatchHeader,
    at: number,
    length: number,
    fetchedAtMs: number,
  ): void {
    const { walker, bytes, owners } = this;
    const format = this.formatOf(segment, at, length, header.count);
    const rule = owners.open(segment.source, format);
    const { run } = this;
    run.reset();
    let runStart = at;
    let to = at;
    const close = (): void => {
      if (run.count > 0) this.push(segment, format, runStart, to, run.take(), owners);
      runStart = to;
    };
    walker.open(bytes, at, at + length);
    for (let i = 0; i < header.count; i++) {
      const offset = this.next(header, part);
      if (offset < 0) continue;
      if (rule !== null && owners.changes(bytes, walker)) close();
      to = this.place(format, to, offset, owners.tenant);
      // With log append time the batch has one; else a record's own, which is never trusted beyond the time of its fetch.
      const timestamp = header.logAppendTime ? header.maxTimestamp : header.baseTimestamp + walker.timestampDelta;
      run.appended(timestamp > 0 ? Math.min(timestamp, fetchedAtMs) : fetchedAtMs);
    }
    walker.finish();
    this.length = to;
    close();
  }

  /** The same for records that were diverted to where they are: each says itself what it is. */
  private walkDiverted(
    segment: Segment,
    detour: Detour,
    part: KafkaPart,
    header: RecordBatchHeader,
    at: number,
    length: number,
    fetchedAtMs: number,
  ): void {
    const { walker, bytes, run } = this;
    run.reset();
    let common: Common | null = null;
    let runStart = at;
    let to = at;
    const close = (): void => {
      if (common !== null && run.count > 0)
        this.segments.push(segmentOf(common, segment, detour, runStart, to, run.take()));
      runStart = to;
    };
    walker.open(bytes, at, at + length);
    for (let i = 0; i < header.count; i++) {
      if (this.next(header, part) < 0) continue;
      const read = this.diverted.read(walker);
      if (read === null) {
        this.empty++;
        continue;
      }
      const { origin } = read;
      if (!sameRun(common, read.common)) close();
      common = read.common;
      to = this.place(common.format, to, origin.position, common.tenant, origin.inside);
      run.appended(Math.min(origin.appendedAtMs, fetchedAtMs));
    }
    walker.finish();
    this.length = to;
    close();
  }

  /** Moves to the next record of the batch; its offset, or -1 when it is not meant or has no value. */
  private next({ baseOffset, lastOffset }: RecordBatchHeader, { from, to }: KafkaPart): number {
    const { walker } = this;
    walker.next();
    if (walker.offsetDelta < 0 || walker.offsetDelta > lastOffset - baseOffset)
      throw new CodecError('a record has an offset outside its batch');
    const offset = baseOffset + walker.offsetDelta;
    if (offset < from || offset >= to) return -1;
    if (walker.valueLength > 0) return offset;
    this.empty++;
    return -1;
  }

  /** Moves the value of the record at hand to `to` and adds it to the run; returns where the next one goes. */
  private place(format: FormatName, to: number, position: number, tenant: number, inside = 0): number {
    const { bytes, run } = this;
    const { valueStart: start, valueLength: size } = this.walker;
    const framing = framingOf(format);
    if (framing === 'varint') {
      const end = this.delimited(to, start, size);
      run.add(to, end, position, tenant, inside);
      return end;
    }
    bytes.copyWithin(to, start, start + size);
    const end = to + size;
    if (framing === 'lines') this.oneLine(format, to, end);
    run.add(to, end, position, tenant, inside);
    if (framing !== 'lines') return end;
    bytes[end] = NEWLINE;
    return end + 1;
  }

  /** A bare protobuf message gets the length that delimits it; one that has it already stays as it is. Returns its end. */
  private delimited(to: number, start: number, size: number): number {
    const { bytes } = this;
    let prefix = 0;
    let told = 0;
    for (let shift = 0; shift < 28 && prefix < size; shift += 7) {
      const byte = bytes[start + prefix++];
      told |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    if (told + prefix === size) {
      bytes.copyWithin(to, start, start + size);
      return to + size;
    }
    let rest = size;
    let at = to;
    // A record's own framing takes at least as many bytes as this length does, so nothing is overwritten that is needed.
    const lengthBytes = size < 128 ? 1 : size < 16_384 ? 2 : size < 2_097_152 ? 3 : 4;
    bytes.copyWithin(at + lengthBytes, start, start + size);
    for (; rest >= 128; rest = Math.floor(rest / 128)) bytes[at++] = (rest % 128) | 128;
    bytes[at++] = rest;
    return at + size;
  }

  /** A document that a pretty-printer spread over lines: its newlines are blanks, as JSON has them. */
  private oneLine(format: FormatName, start: number, end: number): void {
    const { bytes } = this;
    const second = bytes[start + 1];
    if (bytes[start] !== 123 || (second !== NEWLINE && second !== 13) || !JSON_FORMATS.has(format)) return;
    try {
      JSON.parse(bytes.toString('utf8', start, end));
    } catch {
      return; // several documents, a line each; or none, which its decoder will say
    }
    for (let i = start; i < end; i++) if (bytes[i] === NEWLINE || bytes[i] === 13) bytes[i] = 32;
  }

  private push(
    { file, source, referenceMs }: Segment,
    format: FormatName,
    start: number,
    end: number,
    records: RecordTable & { readonly leastAppendedAtMs: number },
    owners: Owners,
  ): void {
    this.segments.push({
      format,
      start,
      end,
      base: records.offsets[0],
      file,
      source,
      context: null,
      referenceMs,
      fault: null,
      records,
      appendedAtMs: records.leastAppendedAtMs,
      ...owners.ofRun(),
    });
  }

  private fault({ bytes }: RawBatch, segment: Segment, { from, to }: KafkaPart, why: string): void {
    const size = segment.end - segment.start;
    const kept = Math.min(size, KEPT_BYTES);
    const at = this.reserve(kept);
    this.bytes.set(bytes.subarray(segment.start, segment.start + kept), at);
    this.length = at + kept;
    const detail = `the record batch of offsets ${from} to ${to - 1} cannot be read: ${why}`;
    const { kafka: _, ...rest } = segment;
    this.segments.push({
      ...rest,
      start: at,
      end: this.length,
      base: from,
      fault: { code: 'input_corrupt', detail, length: size },
    });
  }

  private formatOf({ source, format }: Segment, at: number, length: number, count: number): FormatName {
    const configured = this.snapshot.sources[source]?.format ?? 'auto';
    if (configured !== 'auto') return configured as FormatName;
    const { walker, bytes } = this;
    walker.open(bytes, at, at + length);
    for (let i = 0; i < count; i++) {
      walker.next();
      if (walker.valueLength <= 0) continue;
      const end = walker.valueStart + Math.min(walker.valueLength, SNIFF_BYTES);
      return sniff(bytes.subarray(walker.valueStart, end), '') ?? format;
    }
    return format;
  }

  /** Room for `more` bytes at the returned position. */
  private reserve(more: number): number {
    const need = this.length + more;
    if (need > this.bytes.length) {
      const grown = Buffer.alloc(Math.max(need, this.bytes.length * 2));
      this.bytes.copy(grown, 0, 0, this.length);
      this.bytes = grown;
    }
    return this.length;
  }
}

function mostUnpacked(packedBytes: number, count: number): number {
  return Math.min(MOST_UNPACKED, ALWAYS_UNPACKED + packedBytes * UNPACKED_A_BYTE + count * UNPACKED_A_RECORD);
}

const JSON_FORMATS: ReadonlySet<FormatName> = new Set([
  'native-json',
  'zeek-json',
  'suricata-eve',
  'goflow2-json',
  'akvorado-json',
]);
