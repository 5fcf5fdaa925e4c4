// What a diverted record says of where it came from, so that wherever it is read again it is the same record: same identifiers,
// same position in dead letters and evidence.

import { type FormatName, isFormat } from '../../src/model/batch.ts';
import type { RecordWalker } from '../../src/model/kafka/record-batch.ts';
import { LANE_HEADER } from '../../src/model/messages.ts';

export interface Origin {
  /** Name of its source. */
  readonly source: string;
  /** topic/partition. */
  readonly stream: string;
  /** Offset there. */
  readonly position: number;
  /** Bytes before it of the Kafka record that it was first in, where that one holds several. */
  readonly inside: number;
  readonly appendedAtMs: number;
  readonly format: FormatName;
  /** UUID. */
  readonly tenant: string;
  /** Of records that name none; undefined leaves it to the source. */
  readonly pop: string | undefined;
}

/** `lane`: which one it is sent to; null for the one that it is in. */
export function headersOf(origin: Origin, lane: number | null): [string, string][] {
  return [
    ...(lane === null ? [] : [[LANE_HEADER, String(lane)] as [string, string]]),
    ['weir-source', origin.source],
    ['weir-stream', origin.stream],
    ['weir-position', String(origin.position)],
    ['weir-inside', String(origin.inside)],
    ['weir-appended', String(origin.appendedAtMs)],
    ['weir-format', origin.format],
    ['weir-tenant-id', origin.tenant],
    ...(origin.pop === undefined ? [] : [['weir-pop', origin.pop] as [string, string]]),
  ];
}

/** Null for a record that Weir did not send there. */
export function originOf(walker: RecordWalker): Origin | null {
  const headers = new Map(walker.headerTexts());
  const text = (name: string): string => headers.get(`weir-${name}`) ?? '';
  const number = (name: string): number => (/^\d{1,16}$/.test(text(name)) ? Number(text(name)) : Number.NaN);
  const format = text('format');
  const origin = { position: number('position'), inside: number('inside'), appendedAtMs: number('appended') };
  if (!isFormat(format) || text('stream') === '' || Object.values(origin).some(Number.isNaN)) return null;
  const pop = headers.get('weir-pop');
  return { ...origin, source: text('source'), stream: text('stream'), format, tenant: text('tenant-id'), pop };
}
