// Record batches of the topic of diverted records: each record says itself which source, stream and position it is of, and whose.

import type { FormatName, RecordTable, Segment } from '../../../src/model/batch.ts';
import type { ControlSnapshot, Detour } from '../../../src/model/control.ts';
import type { RecordWalker } from '../../../src/model/kafka/record-batch.ts';
import { type Origin, originOf } from '../../divert/headers.ts';
import { type DecodeContext, TENANT_MISSING } from '../context.ts';

/** What all records of one segment have in common. */
export interface Common {
  readonly source: number;
  readonly stream: string;
  readonly format: FormatName;
  /** Tenant index, or a negative result. */
  readonly tenant: number;
  readonly pop: string | undefined;
}

export class Diverted {
  private readonly sources: ReadonlyMap<string, number>;
  private readonly context: DecodeContext;

  constructor(snapshot: ControlSnapshot, context: DecodeContext) {
    this.sources = new Map(snapshot.sources.map(({ name }, index) => [name, index]));
    this.context = context;
  }

  /** Null for a record that Weir did not send, or of a source that is not configured any more. */
  read(walker: RecordWalker): { origin: Origin; common: Common } | null {
    const origin = originOf(walker);
    const source = this.sources.get(origin?.source ?? '');
    if (origin === null || source === undefined) return null;
    const { stream, format, pop } = origin;
    const tenant = origin.tenant === '' ? TENANT_MISSING : this.context.tenantNamed(origin.tenant);
    return { origin, common: { source, stream, format, tenant, pop } };
  }
}

export function sameRun(a: Common | null, b: Common): boolean {
  return (
    a !== null &&
    a.source === b.source &&
    a.stream === b.stream &&
    a.format === b.format &&
    a.tenant === b.tenant &&
    a.pop === b.pop
  );
}

export function segmentOf(
  { source, stream, format, tenant, pop }: Common,
  { referenceMs }: Segment,
  diverted: Detour,
  start: number,
  end: number,
  records: RecordTable & { readonly leastAppendedAtMs: number },
): Segment {
  return {
    format,
    start,
    end,
    base: records.offsets[0],
    file: stream,
    source,
    context: null,
    referenceMs,
    fault: null,
    records,
    diverted,
    appendedAtMs: records.leastAppendedAtMs,
    tenant,
    ...(pop === undefined ? {} : { pop }),
  };
}
