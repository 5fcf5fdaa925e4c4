// A YAML tree read by the schema: values with their defaults, and a problem with file, line and column for all that
// is not as the schema says. A wrong value is reported and its default taken, so that one run finds every problem.

import { dirname, resolve } from 'node:path';
import type { Problem } from '../../rules/model.ts';
import { entryOf, type Reporter, toJson, type YamlMap, type YamlNode } from '../../rules/yaml.ts';
import type { Fields, Leaf, Node } from './node.ts';
import { readScalar } from './scalar.ts';
import { nearest } from './suggest.ts';

interface Place {
  readonly report: Reporter;
  readonly node: YamlMap;
}

/** Where the sections of a value stand in their files, so that later checks can point at them. */
export class Origins {
  private readonly places = new WeakMap<object, Place>();

  note(value: object, report: Reporter, node: YamlMap): void {
    this.places.set(value, { report, node });
  }

  /** `copy` was made from `original`: problems of it are shown there. */
  copied(original: object, copy: object): void {
    const place = this.places.get(original);
    if (place) this.places.set(copy, place);
  }

  /**
   * A problem at `key` of a section (or at the section itself), or deeper: `path` is a JSON path such as `$[1].or[0]` below
   * the key. A section that nobody wrote (a default) has no place.
   */
  problem(
    section: object,
    key: string,
    severity: Problem['severity'],
    code: string,
    message: string,
    path = '$',
  ): Problem {
    const place = this.places.get(section);
    if (!place) return { file: '', line: 0, column: 0, severity, code, message };
    const entry = entryOf(place.node, key);
    const at = entry ? positionOf(entry.value, path) : place.node.at;
    return { file: place.report.file, ...place.report.place(at), severity, code, message };
  }
}

/** Position of the deepest part of `path` that is there. */
function positionOf(root: YamlNode, path: string): number {
  let node = root;
  for (const [, index, name] of path.matchAll(/\[(\d+)\]|\.(\w+)/g)) {
    const next: YamlNode | undefined =
      node.kind === 'list'
        ? node.items[Number(index)]
        : node.kind === 'map'
          ? entryOf(node, name ?? '')?.value
          : undefined;
    if (next === undefined) break;
    node = next;
  }
  return node.at;
}

export class Validator {
  private readonly report: Reporter;
  private readonly origins: Origins;
  private readonly folder: string;

  /** `file` is where relative paths are anchored. */
  constructor(report: Reporter, origins: Origins, file: string) {
    this.report = report;
    this.origins = origins;
    this.folder = dirname(resolve(file));
  }

  read(schema: Node, node: YamlNode | null, path: string): unknown {
    const absent = node === null || (node.kind === 'scalar' && node.value === null);
    switch (schema.kind) {
      case 'leaf':
        return this.leaf(schema, absent ? null : node, path);
      case 'section':
        return this.section(schema.fields, !absent && this.isKind(node, 'map', path) ? node : null, path);
      case 'list':
        if (absent || !this.isKind(node, 'list', path)) return [];
        return node.items
          .map((item, i): [YamlNode, string] => [item, `${path}[${i}]`])
          .filter(([item, at]) => schema.of.kind !== 'section' || this.isKind(item, 'map', at))
          .map(([item, at]) => this.read(schema.of, item, at));
      case 'map':
        return absent || !this.isKind(node, 'map', path) ? {} : this.map(node, path);
      case 'any':
        return absent ? null : toJson(node as YamlNode);
    }
  }

  private section(fields: Fields, node: YamlMap | null, path: string): Record<string, unknown> {
    const keys = new Set(node?.entries.map((entry) => entry.key));
    const known = Object.keys(fields);
    for (const { key, at } of node?.entries ?? []) {
      if (Object.hasOwn(fields, key)) continue;
      const near = nearest(key, known);
      const hint = near ? `did you mean '${near}'?` : `known keys: ${known.join(', ')}`;
      this.report.error(at, 'config.unknown_key', `Unknown key '${join(path, key)}'; ${hint}`);
    }
    const missing = (key: string): boolean => {
      const field = fields[key];
      return field.kind === 'leaf' && field.initial === undefined && !keys.has(key);
    };
    const value: Record<string, unknown> = {};
    for (const key of known) {
      if (node !== null && missing(key)) {
        this.report.error(node.at, 'config.missing_key', `'${join(path, key)}' is missing.`);
      }
      const entry = node === null ? undefined : entryOf(node, key);
      value[key] = this.read(fields[key], entry?.value ?? null, join(path, key));
    }
    if (node) this.origins.note(value, this.report, node);
    return value;
  }

  private leaf(schema: Leaf, node: YamlNode | null, path: string): unknown {
    if (node === null) return this.initial(schema);
    if (node.kind !== 'scalar' || node.value === null) {
      this.report.error(node.at, 'config.wrong_type', `'${path}': expected a single value, found a ${node.kind}.`);
      return this.initial(schema);
    }
    // As text, the digits as written count: a name such as 007 or 1e3 is no number.
    const raw = schema.scalar === 'text' || schema.scalar === 'path' ? textOf(node) : node.value;
    const read = readScalar(schema, raw);
    if ('error' in read) {
      this.report.error(node.at, 'config.wrong_value', `'${path}' is '${node.text}': ${read.error}.`);
      return this.initial(schema);
    }
    return schema.scalar === 'path' ? anchored(this.folder, String(read.value)) : read.value;
  }

  private initial(schema: Leaf): unknown {
    if (schema.scalar === 'path') return anchored(this.folder, String(schema.initial ?? ''));
    return schema.initial ?? '';
  }

  private map(node: YamlMap, path: string): Record<string, string> {
    const entries: [string, string][] = [];
    for (const { key, value } of node.entries) {
      if (value.kind === 'scalar' && value.value !== null) entries.push([key, textOf(value)]);
      else this.report.error(value.at, 'config.wrong_type', `'${join(path, key)}': expected text.`);
    }
    return Object.fromEntries(entries);
  }

  private isKind<K extends 'map' | 'list'>(
    node: YamlNode | null,
    kind: K,
    path: string,
  ): node is Extract<YamlNode, { kind: K }> {
    if (node?.kind === kind) return true;
    const wanted = kind === 'map' ? 'keys with values' : 'a list';
    this.report.error(node?.at ?? 0, 'config.wrong_type', `'${path}': expected ${wanted}.`);
    return false;
  }
}

/** An absolute path; '' and '-' (standard input) stay. */
export function anchored(folder: string, path: string): string {
  return path === '' || path === '-' ? path : resolve(folder, path);
}

function textOf(node: Extract<YamlNode, { kind: 'scalar' }>): string {
  return typeof node.value === 'string' ? node.value : node.text;
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}
