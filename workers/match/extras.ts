// Keys of a flow record that no column holds, read from the raw record when a rule asks for one. Only rows flagged `extras`
// are asked; the record is parsed at most once as long as rules stay with the row.

import { jsonValues, type Scalar } from '../../rules/plan/index.ts';
import type { FormatName, RawBatch } from '../../src/model/batch.ts';
import { textOf } from '../../src/model/bytes.ts';
import type { Limits } from '../../src/model/control.ts';
import type { FlowColumns } from '../../src/model/flow.ts';
import { MsgpackWalker } from '../../src/model/msgpack-walk.ts';
import { MsgpackReader, type Tree, TreeObject } from '../decode/msgpack-reader.ts';

const JSON_FORMATS: ReadonlySet<FormatName> = new Set([
  'native-json',
  'zeek-json',
  'suricata-eve',
  'goflow2-json',
  'akvorado-json',
]);

const NOTHING: object = Object.freeze({});

export class Extras {
  private readonly limits: Limits;
  private batch: RawBatch | null = null;
  private row = -1;
  private record: object = NOTHING;
  private messages: Messages | null = null;

  constructor(limits: Limits) {
    this.limits = limits;
  }

  bind(batch: RawBatch | null): void {
    this.batch = batch;
    this.row = -1;
    this.messages = null;
  }

  /** Formats other than JSON and MessagePack keep no further keys for rules: their values are absent. */
  values(flows: FlowColumns, row: number, name: string): readonly Scalar[] {
    if (this.row !== row) {
      this.row = row;
      this.record = this.batch === null ? NOTHING : this.parse(this.batch, flows, row);
    }
    return jsonValues(this.record, name);
  }

  private parse(batch: RawBatch, flows: FlowColumns, row: number): object {
    const segment = flows.segment[row];
    const { format } = batch.segments[segment];
    const start = flows.rawStart[row];
    const end = start + flows.rawLength[row];
    if (format === 'native-msgpack') {
      if (this.messages?.segment !== segment || start < this.messages.at) {
        this.messages = new Messages(batch, segment, this.limits);
      }
      return this.messages.read(start, end);
    }
    if (!JSON_FORMATS.has(format)) return NOTHING;
    try {
      const value: unknown = JSON.parse(textOf(batch.bytes, start, end));
      return typeof value === 'object' && value !== null ? value : NOTHING;
    } catch {
      // The decoder read what it needed of a record that is not JSON in full; there is nothing more to learn from it.
      return NOTHING;
    }
  }
}

/** The messages of a segment in order: each may use structures that earlier ones defined. */
class Messages {
  readonly segment: number;
  at: number;
  private readonly bytes: Uint8Array;
  private readonly walker = new MsgpackWalker();
  private readonly reader: MsgpackReader;

  constructor({ bytes, segments }: RawBatch, segment: number, limits: Limits) {
    const { start, context } = segments[segment];
    this.segment = segment;
    this.bytes = bytes;
    this.at = start;
    if (context !== null) this.walker.restore(context);
    this.reader = new MsgpackReader(limits, this.walker);
    this.reader.open(bytes);
  }

  read(start: number, end: number): object {
    while (this.at < start) {
      const next = this.walker.walk(this.bytes, this.at, start);
      if (next <= this.at) return NOTHING;
      this.at = next;
    }
    const tree = this.reader.read(start, end);
    return tree instanceof TreeObject ? plain(tree) : NOTHING;
  }
}

/** As JSON.parse would have it; keys of the input name own properties of objects that inherit nothing. */
function plain(object: TreeObject): object {
  const out: Record<string, unknown> = Object.create(null);
  for (const [i, key] of object.keys.entries()) out[key] = plainValue(object.values[i]);
  return out;
}

function plainValue(tree: Tree): unknown {
  if (tree instanceof TreeObject) return plain(tree);
  return Array.isArray(tree) ? tree.map(plainValue) : tree;
}
