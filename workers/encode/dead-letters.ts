// Refused records as messages of the dead-letter topic: the original bytes, and in the headers why, whose and where from.

import type { RawBatch } from '../../src/model/batch.ts';
import { positionOf } from '../../src/model/batch.ts';
import { utf8 } from '../../src/model/bytes.ts';
import type { ControlSnapshot } from '../../src/model/control.ts';
import { uuidFrom } from '../../src/model/hash.ts';
import { MessageWriter } from '../../src/model/messages.ts';
import type { RejectedRecord } from '../../src/model/records.ts';
import type { TableRows } from '../../src/model/tables.ts';

/** Bytes of a refused record that its dead letter keeps. */
export const REJECT_BYTES = 64 * 1024;

export const NO_TENANT = '00000000-0000-0000-0000-000000000000';

/** Same input, same id: a dead letter that is sent twice is the same one. */
export function rejectId({ segments }: RawBatch, { segment, rawStart, code }: RejectedRecord): string {
  const { file } = segments[segment];
  return uuidFrom('reject', file, String(positionOf(segments[segment], rawStart)), code);
}

export function createDeadLetters(
  snapshot: ControlSnapshot,
): (rejects: readonly RejectedRecord[], batch: RawBatch) => TableRows {
  const writer = new MessageWriter();
  return (rejects, batch) => {
    for (const reject of rejects) {
      const { code, detail, length, rawStart, rawLength, tenant } = reject;
      const segment = batch.segments[reject.segment];
      const id = snapshot.tenants[tenant]?.id ?? NO_TENANT;
      writer.add({
        key: utf8(id),
        headers: [
          ['weir-reject-id', rejectId(batch, reject)],
          ['weir-code', code],
          ['weir-detail', detail],
          ['weir-tenant-id', id],
          ['weir-source', snapshot.sources[segment.source]?.name ?? ''],
          ['weir-stream', segment.file],
          ['weir-position', String(positionOf(segment, rawStart))],
          ['weir-length', String(length)],
          ['weir-format', segment.format],
        ],
        value: batch.bytes.subarray(rawStart, rawStart + Math.min(rawLength, REJECT_BYTES)),
      });
    }
    return { table: 'dead_letters', rows: rejects.length, bytes: writer.take() };
  };
}
