// Log sources of JSON events. They follow from a few fields that mostly say the same: what was found for these is remembered.

import { textOf } from '../../src/model/bytes.ts';
import type { LogSource } from '../../src/model/records.ts';
import { KIND } from './json-scanner.ts';
import type { JsonTape } from './json-tape.ts';
import { TELLING } from './log-source.ts';

/** Guarantee 4: events choose what they say. */
const MOST = 4096;
const MOST_BYTES = 1024;

/** Of a value: nothing matters, or all of it, or whether its text begins with one of these. */
type Telling = 'all' | readonly string[] | null;

export class LogSourceMemo {
  private readonly tape: JsonTape;
  private readonly paths: ReadonlyMap<string, Telling>;
  /** By number of a key. */
  private telling: (Telling | undefined)[] = [];
  private version = 0;
  private readonly key = new Uint8Array(MOST_BYTES + 16);
  private length = 0;
  private last = new Uint8Array(0);
  private lastSource: LogSource | null = null;
  private known = new Map<string, LogSource>();

  /** `declared`: further paths whose whole value decides. */
  constructor(tape: JsonTape, declared: readonly string[]) {
    this.tape = tape;
    this.paths = new Map<string, Telling>([...TELLING, ...declared.map((path) => [path, 'all'] as const)]);
  }

  /** Of the record in the tape; `find` is called when it was not met before. */
  of(find: () => LogSource): LogSource {
    const { key, tape } = this;
    if (!this.describe()) return find();
    const { length } = this;
    if (this.lastSource !== null && isSame(this.last, key, length)) return this.lastSource;
    const text = Buffer.from(key.buffer, key.byteOffset, length).toString('latin1');
    let source = this.known.get(text);
    if (source === undefined) {
      source = find();
      if (this.known.size >= MOST || this.version !== tape.names.version) this.known = new Map();
      this.known.set(text, source);
    }
    this.last = key.slice(0, length);
    this.lastSource = source;
    return source;
  }

  /** Writes all that matters into `key`; false when that is too much. */
  private describe(): boolean {
    const { tape } = this;
    if (this.version !== tape.names.version) {
      this.version = tape.names.version;
      this.telling = [];
      this.known = new Map();
      this.lastSource = null;
    }
    this.length = 0;
    for (let member = tape.first; member < tape.count; member++) {
      const name = tape.name[member];
      let telling = this.telling[name];
      if (telling === undefined) {
        telling = this.paths.get(tape.names.paths[name]) ?? null;
        this.telling[name] = telling;
      }
      if (telling !== null && !this.write(member, name, telling)) return false;
    }
    return true;
  }

  private write(member: number, name: number, telling: 'all' | readonly string[]): boolean {
    const { tape, key } = this;
    const kind = tape.kind[member];
    const start = tape.valueStart[member];
    const length = telling === 'all' && kind < KIND.object ? tape.valueEnd[member] - start : telling.length;
    if (this.length + length + 5 > MOST_BYTES) return false;
    key[this.length++] = name & 255;
    key[this.length++] = name >> 8;
    key[this.length++] = kind;
    key[this.length++] = length & 255;
    key[this.length++] = length >> 8;
    if (telling === 'all') {
      if (kind < KIND.object) for (let i = 0; i < length; i++) key[this.length++] = tape.bytes[start + i];
      return true;
    }
    const head = tape.isText(member) ? this.head(member) : '';
    for (const wanted of telling) key[this.length++] = head.startsWith(wanted) ? 1 : 0;
    return true;
  }

  private head(member: number): string {
    const { tape } = this;
    if (tape.kind[member] !== KIND.text) return tape.text(member).slice(0, 100).toLowerCase();
    const start = tape.valueStart[member];
    return textOf(tape.bytes, start, Math.min(tape.valueEnd[member], start + 100)).toLowerCase();
  }
}

function isSame(last: Uint8Array, key: Uint8Array, length: number): boolean {
  if (last.length !== length) return false;
  for (let i = 0; i < length; i++) if (last[i] !== key[i]) return false;
  return true;
}
