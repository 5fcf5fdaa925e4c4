// Keys of a flow record that no column holds, read from the raw record when a rule asks for one. Only rows flagged `extras`
// are asked; the record is parsed at most once a row.

import { jsonValues, type Scalar } from '../../rules/plan/index.ts';
import type { FormatName, RawBatch } from '../../src/model/batch.ts';
import { textOf } from '../../src/model/bytes.ts';
import type { FlowColumns } from '../../src/model/flow.ts';

const JSON_FORMATS: ReadonlySet<FormatName> = new Set([
  'native-json',
  'zeek-json',
  'suricata-eve',
  'goflow2-json',
  'akvorado-json',
]);

export class Extras {
  private batch: RawBatch | null = null;
  private row = -1;
  private record: object = {};

  bind(batch: RawBatch | null): void {
    this.batch = batch;
    this.row = -1;
  }

  /** Formats other than JSON keep no further keys for rules: their values are absent. */
  values(flows: FlowColumns, row: number, name: string): readonly Scalar[] {
    if (this.row !== row) {
      this.row = row;
      this.record = this.parse(flows, row);
    }
    return jsonValues(this.record, name);
  }

  private parse(flows: FlowColumns, row: number): object {
    const { batch } = this;
    if (batch === null || !JSON_FORMATS.has(batch.segments[flows.segment[row]].format)) return {};
    const start = flows.rawStart[row];
    try {
      const value: unknown = JSON.parse(textOf(batch.bytes, start, start + flows.rawLength[row]));
      return typeof value === 'object' && value !== null ? value : {};
    } catch {
      // The decoder read what it needed of a record that is not JSON in full; there is nothing more to learn from it.
      return {};
    }
  }
}
