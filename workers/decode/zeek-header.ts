// The `#` header block of a Zeek TSV log: how fields are separated, what they are called and typed, which log it is.

import { textOf, utf8 } from '../../src/model/bytes.ts';
import type { RejectCode } from '../../src/model/reject.ts';

export type ZeekType = 'text' | 'integer' | 'number' | 'time' | 'bool';

export interface ZeekColumn {
  readonly name: string;
  readonly type: ZeekType;
  /** Sets, vectors and tables: `type` is their elements'. */
  readonly many: boolean;
}

export interface ZeekHeader {
  readonly path: string;
  readonly separator: number;
  readonly setSeparator: string;
  readonly empty: Uint8Array;
  readonly unset: Uint8Array;
  readonly columns: readonly ZeekColumn[];
  /** What makes its lines unreadable, or null. */
  readonly fault: { readonly code: RejectCode; readonly detail: string } | null;
}

/** Collects header lines as they come; a later line replaces the earlier one of its name, `#separator` begins anew. */
export class HeaderLines {
  private separator = 9;
  private readonly values = new Map<string, string>();
  private changed = false;
  private compiled: ZeekHeader | null = null;
  /** Headers seen lately: the same block comes every hour and before every segment. */
  private readonly known = new Map<string, ZeekHeader>();

  reset(): void {
    this.separator = 9;
    this.values.clear();
    this.changed = true;
  }

  /** Takes the line `bytes[start, end)`, which begins with '#'. Lines that say nothing of the format are passed over. */
  add(bytes: Uint8Array, start: number, end: number): void {
    const line = textOf(bytes, start + 1, end);
    if (/^separator(?![a-z_])/.test(line)) {
      this.reset();
      const separator = unescapeAscii(line.slice('separator'.length).trimStart() || '\t');
      this.separator = separator.length === 1 ? separator.charCodeAt(0) : -1;
      return;
    }
    const cut = this.separator < 0 ? -1 : line.indexOf(String.fromCharCode(this.separator));
    const name = cut < 0 ? line : line.slice(0, cut);
    if (!LINES.includes(name)) return;
    this.values.set(name, cut < 0 ? '' : line.slice(cut + 1));
    this.changed = true;
  }

  /** The header in force, or null when no `#fields` line came. */
  current(limitKeys: number): ZeekHeader | null {
    if (!this.changed) return this.compiled;
    this.changed = false;
    const key = `${this.separator}\0${LINES.map((name) => this.values.get(name) ?? '').join('\0')}`;
    const known = this.known.get(key);
    if (known !== undefined) {
      this.compiled = known;
      return known;
    }
    this.compiled = this.values.has('fields') ? this.compile(limitKeys) : null;
    if (this.compiled !== null) {
      if (this.known.size >= 64) this.known.clear();
      this.known.set(key, this.compiled);
    }
    return this.compiled;
  }

  private compile(limitKeys: number): ZeekHeader {
    const split = (name: string): string[] => {
      const value = this.values.get(name) ?? '';
      return value === '' ? [] : value.split(String.fromCharCode(this.separator));
    };
    const names = split('fields');
    const types = split('types');
    return {
      path: this.values.get('path') ?? '',
      separator: this.separator,
      setSeparator: unescapeAscii(this.values.get('set_separator') || ','),
      empty: utf8(this.values.get('empty_field') ?? '(empty)'),
      unset: utf8(this.values.get('unset_field') ?? '-'),
      columns: names.map((name, i) => column(name, types[i] ?? 'string')),
      fault: faultOf(names, types, limitKeys),
    };
  }
}

const LINES = ['set_separator', 'empty_field', 'unset_field', 'path', 'fields', 'types'];

function faultOf(names: readonly string[], types: readonly string[], limitKeys: number): ZeekHeader['fault'] {
  if (names.length > limitKeys) {
    return { code: 'too_many_keys', detail: `the header names ${names.length} fields, the limit is ${limitKeys}` };
  }
  if (names.includes('__proto__')) return { code: 'forbidden_key', detail: 'the header names a field __proto__' };
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) return { code: 'duplicate_key', detail: `the header names ${twice.slice(0, 100)} twice` };
  if (types.length > 0 && types.length !== names.length) {
    return { code: 'line_context', detail: `#fields names ${names.length} fields, #types ${types.length}` };
  }
  return null;
}

const PLAIN: ReadonlyMap<string, ZeekType> = new Map([
  ['bool', 'bool'],
  ['count', 'integer'],
  ['int', 'integer'],
  ['port', 'integer'],
  ['double', 'number'],
  ['interval', 'number'],
  ['time', 'time'],
]);

function column(name: string, type: string): ZeekColumn {
  const open = type.indexOf('[');
  const inner = open < 0 ? type : type.slice(open + 1, -1);
  return { name, type: PLAIN.get(inner) ?? 'text', many: open >= 0 };
}

/** `\x09` and `\\` in the header's own values. */
function unescapeAscii(text: string): string {
  return text.replace(/\\x([0-9a-fA-F]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}
