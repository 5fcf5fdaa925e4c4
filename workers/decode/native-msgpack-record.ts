// A native record read from a MessagePack message, for the general path.

import type { MsgpackWalker } from '../../src/model/msgpack-walk.ts';
import type { Instant } from '../../src/model/records.ts';
import type { DecodeContext } from './context.ts';
import { addressText, NESTED, TimeValue, uuidValue, type Value } from './fields.ts';
import { MsgpackReader, type Tree, TreeObject } from './msgpack-reader.ts';
import { NativeRecord } from './native-general.ts';
import { KEY_INDEX, NATIVE_KEYS } from './native-keys.ts';
import { pushFields } from './native-log.ts';
import { timeText } from './time.ts';

export class MsgpackRecord extends NativeRecord {
  private readonly values: (Value | undefined)[] = new Array<Value | undefined>(NATIVE_KEYS.length).fill(undefined);
  private readonly reader: MsgpackReader;
  private root = new TreeObject();
  private duplicate = '';

  constructor(context: DecodeContext, walker: MsgpackWalker) {
    super(context);
    this.reader = new MsgpackReader(context.limits, walker);
  }

  /** Reads the message in [start, end); false after the record was rejected. */
  read(start: number, end: number): boolean {
    const { reader, values } = this;
    this.start = start;
    this.length = end - start;
    this.tenant = this.context.rejectTenantOf(this.sourceIndex);
    reader.open(this.batch.bytes);
    const tree = reader.read(start, end);
    if (tree === undefined) {
      const segment = this.batch.segments[this.segmentIndex];
      this.reject(reader.code, `${reader.detail} (at byte ${segment.base + reader.at - segment.start})`);
      return false;
    }
    if (!(tree instanceof TreeObject)) {
      this.reject('format_mismatch', 'the message is no map');
      return false;
    }
    this.root = tree;
    values.fill(undefined);
    this.unknown = 0;
    this.duplicate = '';
    this.seen.fill(0);
    this.collect(tree, '');
    if (this.duplicate === '') return true;
    this.reject('duplicate_key', `the record has the key ${this.duplicate} twice`);
    return false;
  }

  private readonly seen = new Uint8Array(NATIVE_KEYS.length);

  /** As the JSON tape does: nested keys are joined by dots, what is no object and not known counts as unknown. */
  private collect(object: TreeObject, prefix: string): void {
    for (let i = 0; i < object.keys.length; i++) {
      const path = prefix + object.keys[i];
      const value = object.values[i];
      const key = KEY_INDEX.get(path);
      if (key !== undefined) {
        if (this.seen[key] === 1) this.duplicate = path;
        this.seen[key] = 1;
        this.values[key] = fieldValue(value);
      } else if (!(value instanceof TreeObject)) this.unknown++;
      if (value instanceof TreeObject) this.collect(value, `${path}.`);
    }
  }

  override has(key: number): boolean {
    return this.values[key] !== undefined;
  }

  override at(key: number): Value | undefined {
    return this.values[key];
  }

  override acceptLog(at: Instant | null): void {
    const fields = plainObject(this.root);
    pushFields(this, at, fields, JSON.stringify(fields));
  }

  override metadata(): Record<string, string> {
    const texts: Record<string, string> = {};
    const at = this.root.keys.indexOf('metadata');
    const metadata = at < 0 ? null : this.root.values[at];
    if (!(metadata instanceof TreeObject)) return texts;
    for (let i = 0; i < metadata.keys.length; i++) {
      const value = plain(metadata.values[i]);
      if (value !== null && typeof value !== 'object') texts[metadata.keys[i]] = String(value);
    }
    return texts;
  }
}

function fieldValue(tree: Tree): Value | undefined {
  if (tree === null) return undefined;
  return tree instanceof TreeObject || Array.isArray(tree) ? NESTED : tree;
}

function plainObject(object: TreeObject): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (let i = 0; i < object.keys.length; i++) fields[object.keys[i]] = plain(object.values[i]);
  return fields;
}

/** As a JSON value: wide integers as their digits, times as RFC 3339, 16 bytes as UUID, 4 as address, other bytes as base64. */
function plain(tree: Tree): unknown {
  if (tree instanceof TreeObject) return plainObject(tree);
  if (Array.isArray(tree)) return tree.map(plain);
  if (typeof tree === 'bigint') return String(tree);
  if (tree instanceof TimeValue) return Math.abs(tree.ms) <= 8.64e15 ? timeText(tree.ms, tree.ns) : null;
  if (tree instanceof Uint8Array) {
    if (tree.length === 4) return addressText(tree);
    return uuidValue(tree) ?? Buffer.from(tree).toString('base64');
  }
  return tree;
}
