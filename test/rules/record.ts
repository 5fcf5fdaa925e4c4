// A record as the interpreter sees it: fields looked up in the raw JSON object by what docs/rules/language.md promises of
// names. Shares the tables of names with the product, and none of its code.

import { isIP } from 'node:net';
import type { RuleLogSource } from '../../rules/model.ts';
import type { Subject, SubjectField, Value } from '../../rules/plan/interpret.test-support.ts';
import type { FieldTest, Predicate } from '../../rules/predicate.ts';
import { logField } from '../../src/model/fields.ts';
import { listValues } from './lists.ts';

type Json = Readonly<Record<string, unknown>>;

/** Keys from which the columns of a log event are filled, best first. */
const COLUMN_KEYS: Readonly<Record<string, readonly string[]>> = {
  source_ip: ['source_ip', 'src_ip', 'SourceIp', 'SourceIP', 'source.ip'],
  destination_ip: ['destination_ip', 'dst_ip', 'dest_ip', 'DestinationIp', 'DestinationIP', 'destination.ip'],
  host: ['host', 'hostname', 'host.name', 'Computer', 'node'],
  user: ['user', 'User', 'user.name', 'username', 'user_id'],
  severity: ['severity', 'level', 'log.level'],
  message: ['message', 'msg'],
  pop_id: ['pop_id'],
};

/** Columns that exist without being asked of the record. */
const OTHER_COLUMNS = ['product', 'category', 'service', 'threat'];

export class RecordSubject implements Subject {
  private readonly record: Json;
  private readonly source: RuleLogSource;
  private readonly ms: number;
  private readonly known = new Map<string, SubjectField>();

  constructor(record: Json, source: RuleLogSource, ms: number) {
    this.record = record;
    this.source = source;
    this.ms = ms;
  }

  field(name: string): SubjectField {
    let field = this.known.get(name);
    if (field === undefined) {
      field = this.resolve(name);
      this.known.set(name, field);
    }
    return field;
  }

  member(list: string, mode: string, text: string): boolean {
    const folded = text.toLowerCase();
    return listValues(list).some((value) => {
      if (mode === 'contains') return folded.includes(value);
      if (mode === 'startswith') return folded.startsWith(value);
      return mode === 'endswith' ? folded.endsWith(value) : (list.startsWith('%') ? folded : text) === value;
    });
  }

  local(): Date {
    return new Date(this.ms);
  }

  private resolve(name: string): SubjectField {
    if (name === '') {
      const message = this.column('message');
      const texts = [...textsOf(this.record), ...(message === '' ? [] : [message])];
      return { present: true, hasNull: false, hasObject: false, values: texts, typed: false, address: false };
    }
    const other = logField(name);
    const typed = other !== undefined && (other.name in COLUMN_KEYS || OTHER_COLUMNS.includes(other.name));
    let found = valuesAt(this.record, name);
    if (found.length === 0 && typed) {
      const text = this.column(other.name);
      if (text !== '') found = [text];
    }
    for (const alias of other === undefined ? [] : [other.name, ...other.aliases]) {
      if (found.length === 0 && alias !== name) found = valuesAt(this.record, alias);
    }
    const flat = found.flat(32);
    return {
      present: found.length > 0,
      hasNull: flat.includes(null),
      hasObject: flat.some((value) => typeof value === 'object' && value !== null),
      values: flat.filter((value): value is Value => ['string', 'number', 'boolean'].includes(typeof value)),
      typed,
      address: false,
    };
  }

  private column(name: string): string {
    if (name === 'product' || name === 'category' || name === 'service') return this.source[name];
    for (const key of COLUMN_KEYS[name] ?? []) {
      // A column takes plain text or a number, never one of several values.
      const value = valuesAt(this.record, key)[0];
      const text = typeof value === 'string' || typeof value === 'number' ? String(value) : '';
      const fits = name.endsWith('_ip') ? isIP(text) > 0 : text !== '';
      if (fits && name === 'severity') return SEVERITIES.has(text.toLowerCase()) ? text.toLowerCase() : '';
      if (fits) return text;
    }
    return '';
  }
}

/** Severities under their own names; other spellings are the decoder's business and avoided by the proof. */
const SEVERITIES = new Set(['emergency', 'alert', 'critical', 'error', 'warning', 'notice', 'info', 'debug']);

function textsOf(value: unknown): string[] {
  if (value === null || value === undefined) return [];
  return typeof value === 'object' ? Object.values(value).flatMap(textsOf) : [String(value)];
}

/** The key as it stands; else every value that the dotted path leads to, elements of arrays being alternatives. */
export function valuesAt(record: Json, name: string): unknown[] {
  if (Object.hasOwn(record, name)) return [record[name]];
  return name.includes('.') ? follow(record, name.split('.')) : [];
}

function follow(value: unknown, path: readonly string[]): unknown[] {
  if (path.length === 0) return [value];
  if (Array.isArray(value)) return value.flatMap((element) => follow(element, path));
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, path[0])) return [];
  return follow((value as Json)[path[0]], path.slice(1));
}

/** Sigma's categories that hold others, as docs/rules/language.md has them. */
const HOLDERS: Readonly<Record<string, readonly string[]>> = {
  registry_event: ['registry_add', 'registry_delete', 'registry_set', 'registry_rename'],
  file_delete: ['file_delete_detected'],
};

export function isShown(rule: RuleLogSource, event: RuleLogSource): boolean {
  const category = rule.category === event.category || HOLDERS[rule.category]?.includes(event.category);
  return (
    (rule.product === '' || rule.product === event.product) &&
    (rule.category === '' || category === true) &&
    (rule.service === '' || rule.service === event.service)
  );
}

/**
 * The same predicate with regular expressions as JavaScript spells them. RE2 takes `(?i)` at the start and escapes of
 * characters that need none; JavaScript's `u` mode refuses both.
 */
export function forInterpreter(predicate: Predicate): Predicate {
  if (predicate.kind === 'and' || predicate.kind === 'or') {
    return { kind: predicate.kind, of: predicate.of.map(forInterpreter) };
  }
  if (predicate.kind === 'not') return { kind: 'not', of: forInterpreter(predicate.of) };
  if (predicate.kind !== 'field' || predicate.test !== 'regex') return predicate;
  return { ...predicate, ...javascriptRegex(predicate) };
}

export function javascriptRegex({ source, flags }: Extract<FieldTest, { test: 'regex' }>): {
  readonly source: string;
  readonly flags: string;
} {
  const head = /^\(\?([ims]+)\)/.exec(source);
  const all = new Set([...flags, ...(head?.[1] ?? '')]);
  const rest = source.slice(head?.[0].length ?? 0);
  return { source: [...spelled(rest, all.has('s'))].join(''), flags: [...all].join('') };
}

/** An escape, a quantifier in braces, or one character. */
const REGEX_TOKEN = /\\[\s\S]|\{\d+(?:,\d*)?\}|[\s\S]/gu;

/** RE2's white space has no vertical tab and nothing beyond ASCII; its dot takes every character but the newline. */
const SPACE = '\\t\\n\\f\\r ';

function* spelled(source: string, dotAll: boolean): Generator<string> {
  let inside = false;
  for (const [token] of source.matchAll(REGEX_TOKEN)) {
    if (token === '\\s') yield inside ? SPACE : `[${SPACE}]`;
    else if (token === '\\S' && !inside) yield `[^${SPACE}]`;
    else if (token[0] === '\\' && token.length > 1) {
      // A dash may be escaped only between brackets, where it would else mean a range.
      const needed = token[1] === '-' ? inside : /[\w^$\\.*+?()[\]{}|/]/u.test(token[1]);
      yield needed ? token : token.slice(1);
    } else if (!inside && /^[\]{}]$/u.test(token)) yield `\\${token}`;
    else if (!inside && token === '.' && !dotAll) yield '[^\\n]';
    else {
      if (token === '[') inside = true;
      else if (token === ']') inside = false;
      yield token;
    }
  }
}
