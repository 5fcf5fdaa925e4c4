// The records of a fetched batch as objects: for topics of Weir's own, where they are few.

import { decompress } from '../model/kafka/codecs.ts';
import { HEADER_BYTES, RecordWalker, readHeader } from '../model/kafka/record-batch.ts';
import type { RawRecordBatch } from './reader.ts';

export interface KafkaRecord {
  readonly offset: number;
  readonly timestamp: number;
  /** '' for none. */
  readonly key: string;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}

const MOST_BYTES = 256 << 20;

/** Throws CodecError for bytes that cannot be read. */
export function* recordsOf({ bytes }: RawRecordBatch): Generator<KafkaRecord> {
  const header = readHeader(bytes, 0, bytes.length);
  if (header === null) return;
  const { codec, count, baseOffset, baseTimestamp, maxTimestamp, logAppendTime } = header;
  const records = decompress(codec, bytes.subarray(HEADER_BYTES, header.bytes), MOST_BYTES);
  const buffer = Buffer.from(records.buffer, records.byteOffset, records.byteLength);
  const walker = new RecordWalker();
  walker.open(records, 0, records.length);
  for (let i = 0; i < count; i++) {
    walker.next();
    const { keyStart, keyLength, valueStart, valueLength } = walker;
    yield {
      offset: baseOffset + walker.offsetDelta,
      timestamp: logAppendTime ? maxTimestamp : baseTimestamp + walker.timestampDelta,
      key: keyLength > 0 ? buffer.toString('utf8', keyStart, keyStart + keyLength) : '',
      value: valueLength < 0 ? null : buffer.subarray(valueStart, valueStart + valueLength),
      headers: Object.fromEntries(walker.headerTexts()),
    };
  }
  walker.finish();
}
