// What the text formats share: a line becomes text, a parser makes a log event of it or says why not.

import type { RawBatch } from '../../src/model/batch.ts';
import { textOf } from '../../src/model/bytes.ts';
import type { RejectCode } from '../../src/model/reject.ts';
import type { DecodeContext, SegmentDecoder } from './context.ts';
import { readLines } from './lines.ts';
import type { LogParts } from './log-parts.ts';
import { WallClock } from './wall-clock.ts';

/** What a parser needs besides the line. */
export interface LineSource {
  readonly clock: WallClock;
  /** Latest moment that a timestamp without a year may mean. */
  readonly referenceMs: number;
}

export interface LineReject {
  readonly code: RejectCode;
  readonly detail: string;
}

/** `fieldsJson` is made here from `fields`. */
export type ParsedLine = Omit<LogParts, 'fieldsJson'> | LineReject;

export function textDecoder(
  context: DecodeContext,
  parse: (line: string, source: LineSource) => ParsedLine,
): SegmentDecoder {
  const clocks = new Map<string, WallClock>();
  return (batch: RawBatch, segmentIndex, out) => {
    const segment = batch.segments[segmentIndex];
    const definition = context.sourceOf(segment.source);
    const clock = clocks.get(definition.timezone) ?? new WallClock(definition.timezone);
    clocks.set(definition.timezone, clock);
    const referenceMs = definition.year > 0 ? Date.UTC(definition.year, 11, 30, 23, 59, 59) : segment.referenceMs;
    const tenant = context.tenantOfSource(segment.source);
    readLines(context, batch, segmentIndex, out, (start, end) => {
      const length = end - start;
      if (tenant < 0) return context.rejectTenant(out, tenant, '', segmentIndex, start, length);
      const parsed = parse(textOf(batch.bytes, start, end), { clock, referenceMs });
      if ('code' in parsed) return out.reject(parsed.code, parsed.detail, segmentIndex, start, length, tenant);
      const parts = { ...parsed, fieldsJson: JSON.stringify(parsed.fields) };
      context.pushLog(out, batch, segmentIndex, start, length, tenant, parts);
    });
  };
}
