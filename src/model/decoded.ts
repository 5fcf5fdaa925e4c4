// What decoding a batch yields. One instance a worker, reused: `reset` before each batch.

import type { Dictionary } from './dictionary.ts';
import { createFlowColumns, type FlowColumns, resetFlows } from './flow.ts';
import type { LogEvent, RejectedRecord, SessionEvent, TunnelStat } from './records.ts';
import type { RejectCode } from './reject.ts';
import { Sequences } from './sequences.ts';

export class Decoded {
  readonly flows: FlowColumns = createFlowColumns();
  logs: LogEvent[] = [];
  sessions: SessionEvent[] = [];
  tunnels: TunnelStat[] = [];
  rejects: RejectedRecord[] = [];
  /** Records seen; always accepted + rejected + skipped. Blank lines and headers count as records, skipped. */
  read = 0;
  skipped = 0;
  /** Keys that no column holds, over all records of the batch. */
  unknownKeys = 0;
  /** Rejects by the exporter (id of its text) that they name all the same. */
  readonly failures = new Map<number, number>();
  /** Of all records that say theirs, rejected ones included: these have arrived as well. */
  readonly sequences = new Sequences();
  readonly dictionary: Dictionary;

  constructor(dictionary: Dictionary) {
    this.dictionary = dictionary;
  }

  reset(): void {
    resetFlows(this.flows);
    this.logs = [];
    this.sessions = [];
    this.tunnels = [];
    this.rejects = [];
    this.read = 0;
    this.skipped = 0;
    this.unknownKeys = 0;
    if (this.failures.size > 0) this.failures.clear();
    this.sequences.reset();
  }

  /** A record of this exporter was rejected. */
  failed(exporter: number): void {
    if (exporter !== 0) this.failures.set(exporter, (this.failures.get(exporter) ?? 0) + 1);
  }

  get accepted(): number {
    return this.flows.length + this.logs.length + this.sessions.length + this.tunnels.length;
  }

  reject(code: RejectCode, detail: string, segment: number, rawStart: number, rawLength: number, tenant = -1): void {
    this.rejects.push({ code, detail, segment, rawStart, rawLength, tenant, length: rawLength });
  }
}
