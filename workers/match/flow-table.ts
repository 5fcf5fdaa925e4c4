// Flow columns as the plan sees them: a column object a field, over whatever batch is bound.

import type {
  AddressColumn,
  CodeColumn,
  DictionaryColumn,
  NumberColumn,
  Scalar,
  SlowColumn,
  Table,
  TableColumn,
} from '../../rules/plan/index.ts';
import type { RawBatch } from '../../src/model/batch.ts';
import type { ControlSnapshot } from '../../src/model/control.ts';
import type { Dictionary } from '../../src/model/dictionary.ts';
import { type FlowFieldSource, flowField } from '../../src/model/fields.ts';
import { createFlowColumns, DIRECTIONS, FLOW_FLAG, FLOW_STRINGS, type FlowColumns } from '../../src/model/flow.ts';
import { uuidText } from '../../src/model/hash.ts';
import { ipText } from '../../src/model/ip.ts';
import { Extras } from './extras.ts';
import { PROTOCOL_NAMES } from './protocol-names.ts';

type Part<K extends FlowFieldSource['kind']> = Extract<FlowFieldSource, { kind: K }>;

export class FlowTable implements Table {
  flows: FlowColumns = createFlowColumns(1);
  private readonly snapshot: ControlSnapshot;
  private readonly dictionary: Dictionary;
  private readonly columns = new Map<string, TableColumn>();
  private readonly extras: Extras;

  constructor(snapshot: ControlSnapshot, dictionary: Dictionary) {
    this.snapshot = snapshot;
    this.dictionary = dictionary;
    this.extras = new Extras(snapshot.limits);
  }

  /** Without a batch, fields that no column holds are absent. */
  bind(flows: FlowColumns, batch: RawBatch | null): void {
    this.flows = flows;
    this.extras.bind(batch);
  }

  column(name: string): TableColumn {
    const known = flowField(name);
    const id = known?.name ?? (name === '' ? '' : `raw ${name}`);
    let column = this.columns.get(id);
    if (column === undefined) {
      column = known === undefined ? this.unknown(name, id) : this.make(id, known.source);
      this.columns.set(id, column);
    }
    return column;
  }

  tenant(row: number): number {
    return this.flows.tenant[row];
  }

  /** Policies and rules see the time at which a flow started. */
  timeMs(row: number): number {
    return this.flows.timeMs[row];
  }

  private make(id: string, source: FlowFieldSource): TableColumn {
    switch (source.kind) {
      case 'string':
        return this.strings(id, source);
      case 'port':
        return this.ports(id, source);
      case 'word':
        return this.number(id, (row) => this.flows[source.column][row] || Number.NaN);
      case 'counter':
        return this.counter(id, source);
      case 'address':
        return this.address(id, source);
      case 'flag':
        return this.flag(id, source);
      case 'duration': {
        const { scale } = source;
        return this.number(id, (row) =>
          this.flows.durationMs[row] < 0 ? Number.NaN : this.flows.durationMs[row] * scale,
        );
      }
      case 'time':
        return this.number(id, (row) => this.flows.timeMs[row]);
      case 'protocol':
        return this.codes(id, 256, () => this.flows.protocol, protocolValues);
      case 'direction':
        return this.codes(
          id,
          DIRECTIONS.length,
          () => this.flows.direction,
          DIRECTIONS.map((direction) => [direction]),
        );
      case 'tenant': {
        const values = this.snapshot.tenants.map(({ id: uuid, slug }) => [uuid, slug]);
        return { ...this.codes(id, values.length, () => this.flows.tenant, values), partition: true };
      }
      case 'policy':
        return this.policy(id, source);
      case 'id':
        return { kind: 'slow', id, values: (row) => [uuidText(this.flows.id, row * 4)] };
    }
  }

  private strings(id: string, { column }: Part<'string'>): DictionaryColumn {
    const { dictionary } = this;
    return {
      kind: 'dictionary',
      id,
      ids: () => this.flows[column],
      idLimit: () => dictionary.size,
      generation: () => dictionary.generation,
      values: (row) => {
        const text = this.flows[column][row];
        return text === 0 ? [] : [dictionary.text(text)];
      },
    };
  }

  private ports(id: string, { column }: Part<'port'>): CodeColumn {
    return {
      kind: 'code',
      id,
      size: 65536,
      numeric: true,
      codes: () => this.flows[column],
      values: (row) => [this.flows[column][row]],
    };
  }

  private codes(
    id: string,
    size: number,
    codes: () => ArrayLike<number>,
    values: readonly (readonly Scalar[])[],
  ): CodeColumn {
    return { kind: 'code', id, size, numeric: false, codes, values: (row) => values[codes()[row]] ?? [] };
  }

  private flag(id: string, { bit }: Part<'flag'>): CodeColumn {
    const values = [[false], [true]];
    return {
      kind: 'code',
      id,
      size: ALL_FLAGS + 1,
      numeric: false,
      codes: () => this.flows.flags,
      values: (row) => values[(this.flows.flags[row] & bit) === 0 ? 0 : 1],
    };
  }

  private counter(id: string, { columns, bytes }: Part<'counter'>): NumberColumn {
    const [first, second] = columns;
    // Guarantee of the counters: bytes that contradict each other are no volume (issue 3, 3).
    const faulty = bytes ? FLOW_FLAG.counterFault : 0;
    const one = (row: number): number => {
      const { flows } = this;
      if ((flows.flags[row] & faulty) !== 0) return Number.NaN;
      const column = flows[first];
      return column[row * 2 + 1] * 4294967296 + column[row * 2];
    };
    if (second === undefined) return this.number(id, one);
    return this.number(id, (row) => {
      const column = this.flows[second];
      return one(row) + column[row * 2 + 1] * 4294967296 + column[row * 2];
    });
  }

  private number(id: string, at: (row: number) => number): NumberColumn {
    return {
      kind: 'number',
      id,
      at,
      values: (row) => {
        const value = at(row);
        return Number.isNaN(value) ? [] : [value];
      },
    };
  }

  private address(id: string, { column }: Part<'address'>): AddressColumn {
    return {
      kind: 'address',
      id,
      words: () => this.flows[column],
      values: (row) => {
        const words = this.flows[column];
        const at = row * 4;
        return (words[at] | words[at + 1] | words[at + 2] | words[at + 3]) === 0 ? [] : [ipText(words, at)];
      },
    };
  }

  private policy(id: string, { part }: Part<'policy'>): CodeColumn {
    const values = this.snapshot.policies.map((policy) => [policy[part]]);
    return this.codes(id, values.length + 1, () => this.flows.policy, [[], ...values]);
  }

  private unknown(name: string, id: string): SlowColumn {
    if (name === '') return { kind: 'slow', id, values: (row) => this.texts(row) };
    return {
      kind: 'slow',
      id,
      values: (row) =>
        (this.flows.flags[row] & FLOW_FLAG.extras) === 0 ? [] : this.extras.values(this.flows, row, name),
    };
  }

  private texts(row: number): string[] {
    const { flows, dictionary } = this;
    const out = [ipText(flows.source, row * 4), ipText(flows.destination, row * 4)];
    for (const column of FLOW_STRINGS) if (flows[column][row] !== 0) out.push(dictionary.text(flows[column][row]));
    return out;
  }
}

const ALL_FLAGS = Object.values(FLOW_FLAG).reduce((all, bit) => all | bit, 0);

const protocolValues: readonly (readonly Scalar[])[] = Array.from({ length: 256 }, (_, number) => [
  number,
  ...(PROTOCOL_NAMES.get(number) ?? []),
]);
