// A MessagePack message as a tree of values, strictly and within limits: the general path. Objects keep their keys in lists,
// so that no key of the input ever names a property.

import { isUtf8 } from 'node:buffer';
import { bufferOf, textOf } from '../../src/model/bytes.ts';
import type { Limits } from '../../src/model/control.ts';
import { type MsgpackWalker, structureIndex } from '../../src/model/msgpack-walk.ts';
import type { RejectCode } from '../../src/model/reject.ts';
import { TimeValue } from './fields.ts';

export type Tree = null | boolean | number | bigint | string | Uint8Array | TimeValue | Tree[] | TreeObject;

export class TreeObject {
  readonly keys: string[] = [];
  readonly values: Tree[] = [];
}

/** Why reading stopped; never leaves this file. */
class Refused extends Error {}

export class MsgpackReader {
  code: RejectCode = 'syntax';
  detail = '';
  /** Offset where reading stopped. */
  at = 0;
  private bytes: Uint8Array = new Uint8Array(0);
  private view: DataView = new DataView(new ArrayBuffer(0));
  private end = 0;
  private keys = 0;
  private readonly limits: Limits;
  private readonly walker: MsgpackWalker;
  /** Structures that the message at hand defines. */
  private readonly own = new Map<number, readonly string[]>();

  /** `walker` knows the structures of earlier messages. */
  constructor(limits: Limits, walker: MsgpackWalker) {
    this.limits = limits;
    this.walker = walker;
  }

  open(bytes: Uint8Array): void {
    if (this.bytes === bytes) return;
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Reads the message at `at`; undefined when it is refused (`code`, `detail`). */
  read(at: number, end: number): Tree | undefined {
    this.at = at;
    this.end = end;
    this.keys = 0;
    this.own.clear();
    try {
      return this.value(1);
    } catch (error) {
      if (error instanceof Refused) return undefined;
      throw error;
    }
  }

  /** Keys of the definition whose head is `head`. */
  private keysOf(head: Uint8Array): readonly string[] {
    const { bytes, view, at, end } = this;
    this.open(head);
    this.at = head[0] === 0xd5 ? 4 : 3;
    this.end = head.length;
    const keys = this.keyList();
    this.bytes = bytes;
    this.view = view;
    this.at = at;
    this.end = end;
    return keys;
  }

  private refuse(code: RejectCode, detail: string): never {
    this.code = code;
    this.detail = detail;
    throw new Refused();
  }

  /** Steps over `length` bytes and returns where they start. */
  private take(length: number): number {
    const at = this.at;
    if (at + length > this.end) this.refuse('input_truncated', 'the message ends too early');
    this.at = at + length;
    return at;
  }

  private value(depth: number): Tree {
    const t = this.bytes[this.take(1)];
    if (t < 0x40) return t;
    if (t < 0x80) return this.instance(t, depth);
    if (t < 0x90) return this.map(t - 0x80, depth);
    if (t < 0xa0) return this.array(t - 0x90, depth);
    if (t < 0xc0) return this.text(t - 0xa0);
    if (t >= 0xe0) return t - 0x100;
    switch (t) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
        return this.binary(this.u8());
      case 0xc5:
        return this.binary(this.u16());
      case 0xc6:
        return this.binary(this.u32());
      case 0xc7:
        return this.extension(this.u8());
      case 0xc8:
        return this.extension(this.u16());
      case 0xc9:
        return this.extension(this.u32());
      case 0xca:
        return this.view.getFloat32(this.take(4));
      case 0xcb:
        return this.view.getFloat64(this.take(8));
      case 0xcc:
        return this.u8();
      case 0xcd:
        return this.u16();
      case 0xce:
        return this.u32();
      case 0xcf:
        return this.narrow(this.view.getBigUint64(this.take(8)));
      case 0xd0:
        return this.view.getInt8(this.take(1));
      case 0xd1:
        return this.view.getInt16(this.take(2));
      case 0xd2:
        return this.view.getInt32(this.take(4));
      case 0xd3:
        return this.narrow(this.view.getBigInt64(this.take(8)));
      case 0xd4:
      case 0xd5:
        if (this.bytes[this.at] === 0x72) return this.defined(t === 0xd5, depth);
        return this.extension(t === 0xd4 ? 1 : 2);
      case 0xd6:
        return this.extension(4);
      case 0xd7:
        return this.extension(8);
      case 0xd8:
        return this.extension(16);
      case 0xd9:
        return this.text(this.u8());
      case 0xda:
        return this.text(this.u16());
      case 0xdb:
        return this.text(this.u32());
      case 0xdc:
        return this.array(this.u16(), depth);
      case 0xdd:
        return this.array(this.u32(), depth);
      case 0xde:
        return this.map(this.u16(), depth);
      case 0xdf:
        return this.map(this.u32(), depth);
      default:
        return this.refuse('syntax', `byte 0x${t.toString(16)} starts no value`);
    }
  }

  private u8(): number {
    return this.bytes[this.take(1)];
  }

  private u16(): number {
    return this.view.getUint16(this.take(2));
  }

  private u32(): number {
    return this.view.getUint32(this.take(4));
  }

  private narrow(value: bigint): number | bigint {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }

  private binary(length: number): Uint8Array {
    const at = this.take(length);
    return this.bytes.slice(at, at + length);
  }

  private text(length: number): string {
    const at = this.take(length);
    for (let i = at; i < at + length; i++) {
      if (this.bytes[i] < 0x80) continue;
      if (isUtf8(bufferOf(this.bytes).subarray(at, at + length))) break;
      this.refuse('encoding', 'a text is not valid UTF-8');
    }
    return textOf(this.bytes, at, at + length);
  }

  /** Timestamps (type -1), msgpackr's undefined (type 0); any other is opaque bytes. */
  private extension(length: number): Tree {
    const type = this.bytes[this.take(1)];
    const at = this.take(length);
    const { view } = this;
    if (type === 0 && length === 1) return null;
    if (type !== 0xff) return this.bytes.slice(at, at + length);
    if (length === 4) return new TimeValue(view.getUint32(at) * 1000, 0);
    let seconds: number;
    let ns: number;
    if (length === 8) {
      const high = view.getUint32(at);
      ns = high >>> 2;
      seconds = (high & 3) * 4294967296 + view.getUint32(at + 4);
    } else if (length === 12) {
      ns = view.getUint32(at);
      seconds = Number(view.getBigInt64(at + 4));
    } else return this.refuse('bad_timestamp', 'a timestamp extension has a wrong length');
    if (ns > 999_999_999) this.refuse('bad_timestamp', 'a timestamp extension has too many nanoseconds');
    return new TimeValue(seconds * 1000 + Math.floor(ns / 1_000_000), ns % 1_000_000);
  }

  private array(length: number, depth: number): Tree[] {
    this.deeper(depth);
    const values: Tree[] = [];
    for (let i = 0; i < length; i++) values.push(this.value(depth + 1));
    return values;
  }

  private map(length: number, depth: number): TreeObject {
    this.deeper(depth);
    const object = new TreeObject();
    for (let i = 0; i < length; i++) {
      const key = this.value(depth + 1);
      if (typeof key !== 'string') this.refuse('syntax', 'a map key is no text');
      this.member(object, key as string, depth);
    }
    return object;
  }

  /** 0x40–0x7f: an instance of a structure in force, else the number. */
  private instance(token: number, depth: number): Tree {
    const low = token & 0x3f;
    const index = this.walker.isTwoByte(low) ? structureIndex(low, this.u8()) : low;
    let keys = this.own.get(index);
    if (keys === undefined) {
      const definition = this.walker.structure(index);
      if (definition === undefined) return token;
      keys = this.keysOf(definition.head);
    }
    return this.record(keys, depth);
  }

  private defined(wide: boolean, depth: number): TreeObject {
    this.take(1);
    const id = this.u8();
    const high = wide ? this.u8() : 0;
    const keys = this.keyList();
    this.own.set(structureIndex(id, high), keys);
    return this.record(keys, depth);
  }

  private record(keys: readonly string[], depth: number): TreeObject {
    this.deeper(depth);
    const object = new TreeObject();
    for (const key of keys) this.member(object, key, depth);
    return object;
  }

  private keyList(): string[] {
    const t = this.u8();
    const count = t === 0xdc ? this.u16() : t - 0x90;
    if (t !== 0xdc && (t < 0x90 || t > 0x9f)) this.refuse('syntax', 'a record structure has no list of keys');
    if (count > this.limits.keys) this.refuse('too_many_keys', `the record has more than ${this.limits.keys} keys`);
    const keys: string[] = [];
    for (let i = 0; i < count; i++) {
      const k = this.u8();
      if (k >= 0xa0 && k < 0xc0) keys.push(this.text(k - 0xa0));
      else if (k === 0xd9) keys.push(this.text(this.u8()));
      else if (k === 0xda) keys.push(this.text(this.u16()));
      else this.refuse('syntax', 'a key of a record structure is no text');
    }
    return keys;
  }

  private member(object: TreeObject, key: string, depth: number): void {
    if (++this.keys > this.limits.keys) {
      this.refuse('too_many_keys', `the record has more than ${this.limits.keys} keys`);
    }
    if (key === '__proto__') this.refuse('forbidden_key', 'the record has a key __proto__');
    object.keys.push(key);
    object.values.push(this.value(depth + 1));
  }

  private deeper(depth: number): void {
    if (depth > this.limits.depth) this.refuse('too_deep', `the record nests deeper than ${this.limits.depth}`);
  }
}
