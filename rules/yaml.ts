// YAML text → a small tree that knows where each value stands. Own tree instead of plain objects: every problem gets
// its line, keys such as __proto__ are only text, and size, depth and aliases are bounded (a billion-laughs file is refused).

import { type Document, isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, type Node, parseAllDocuments } from 'yaml';
import type { Problem } from './model.ts';

export interface YamlMap {
  readonly kind: 'map';
  readonly at: number;
  readonly entries: readonly YamlEntry[];
}
export interface YamlEntry {
  readonly key: string;
  readonly at: number;
  readonly value: YamlNode;
}
export interface YamlList {
  readonly kind: 'list';
  readonly at: number;
  readonly items: readonly YamlNode[];
}
export interface YamlScalar {
  readonly kind: 'scalar';
  readonly at: number;
  readonly value: string | number | boolean | null;
  /** As written; a number's digits beyond 2^53 are only here. */
  readonly text: string;
}
export type YamlNode = YamlMap | YamlList | YamlScalar;

export interface YamlBounds {
  readonly bytes: number;
  /** Mappings, lists and scalars. */
  readonly nodes: number;
}
export const MAX_FILE_BYTES = 1 << 20;
const RULE_FILE: YamlBounds = { bytes: MAX_FILE_BYTES, nodes: 200_000 };
const MAX_DEPTH = 64;
const MAX_ALIASES = 100;
const MAX_PROBLEMS_PER_FILE = 100;

/** Collects the problems of one file. */
export class Reporter {
  readonly file: string;
  readonly problems: Problem[] = [];
  /** Grows with every error, also beyond the number of problems that are kept. */
  errors = 0;
  private readonly lines: LineCounter;

  constructor(file: string, lines = new LineCounter()) {
    this.file = file;
    this.lines = lines;
  }

  error(at: number, code: string, message: string): void {
    this.errors++;
    this.add(at, 'error', code, message);
  }

  /** Shown as an error, but the rule works on. */
  flaw(at: number, code: string, message: string): void {
    this.add(at, 'error', code, message);
  }

  warning(at: number, code: string, message: string): void {
    this.add(at, 'warning', code, message);
  }

  line(at: number): number {
    return this.lines.linePos(at).line;
  }

  place(at: number): { line: number; column: number } {
    const { line, col } = this.lines.linePos(at);
    return { line, column: col };
  }

  private add(at: number, severity: Problem['severity'], code: string, message: string): void {
    if (this.problems.length >= MAX_PROBLEMS_PER_FILE) return;
    this.problems.push({ file: this.file, ...this.place(at), severity, code, message });
  }
}

export interface ParsedFile {
  readonly report: Reporter;
  /** Documents that hold a mapping, in order; broken ones are left out and reported. */
  readonly documents: readonly YamlMap[];
}

export function parseYaml(file: string, text: string, bounds: YamlBounds = RULE_FILE): ParsedFile {
  if (Buffer.byteLength(text) > bounds.bytes) {
    const report = new Reporter(file);
    report.error(0, 'yaml.too_large', `The file is larger than ${bounds.bytes} bytes.`);
    return { report, documents: [] };
  }
  const lines = new LineCounter();
  const report = new Reporter(file, lines);
  const documents: YamlMap[] = [];
  if (isTooDeep(text)) {
    report.error(0, 'yaml.too_deep', `Nested deeper than ${MAX_DEPTH} levels.`);
    return { report, documents: [] };
  }
  let parsed: readonly Document.Parsed[];
  try {
    // Keys are checked for duplicates in `Walker`, in linear time.
    const result = parseAllDocuments(text, { lineCounter: lines, uniqueKeys: false, logLevel: 'silent' });
    parsed = Array.isArray(result) ? result : [];
  } catch (error) {
    report.error(0, 'yaml.unreadable', `The file cannot be read as YAML: ${(error as Error).message}.`);
    return { report, documents: [] };
  }
  for (const document of parsed) {
    const before = report.errors;
    for (const error of document.errors.slice(0, 10)) {
      report.error(error.pos[0], 'yaml.syntax', firstLine(error.message));
    }
    if (document.errors.length > 0 || document.contents === null) continue;
    const root = new Walker(document, report, bounds.nodes).walk(document.contents, 0);
    if (report.errors > before || root === null) continue;
    if (root.kind === 'map') documents.push(root);
    else if (root.kind !== 'scalar' || root.value !== null) {
      report.error(root.at, 'yaml.not_a_mapping', 'The document must be a mapping of keys to values.');
    }
  }
  return { report, documents };
}

/** What the lexer puts before a scalar. */
const SCALAR = '\u001f';

/**
 * Whether brackets, or the dashes of one line, nest deeper than the walker would follow. Asked before parsing: the parser
 * calls itself for each level, and a full stack can end the process beyond any catch. The lexer does not.
 */
function isTooDeep(text: string): boolean {
  if ((text.match(/[[{?-]/g)?.length ?? 0) <= MAX_DEPTH) return false;
  let brackets = 0;
  let dashes = 0;
  let before = '';
  for (const token of new Lexer().lex(text)) {
    if (before !== SCALAR) {
      if (token === '[' || token === '{') brackets++;
      else if ((token === ']' || token === '}') && brackets > 0) brackets--;
      else if (token === '-' || token === '?') dashes++;
      else if (token.startsWith('\n') || token.startsWith('\r')) dashes = 0;
    }
    if (brackets > MAX_DEPTH || dashes > MAX_DEPTH) return true;
    before = token;
  }
  return false;
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0].replace(/ at line \d+, column \d+:?$/, '');
}

class Walker {
  private nodes = 0;
  private aliases = 0;
  private readonly document: Document.Parsed;
  private readonly report: Reporter;
  private readonly maxNodes: number;

  constructor(document: Document.Parsed, report: Reporter, maxNodes: number) {
    this.document = document;
    this.report = report;
    this.maxNodes = maxNodes;
  }

  walk(node: Node | null, depth: number, fallback = 0): YamlNode | null {
    const at = node?.range?.[0] ?? fallback;
    if (++this.nodes > this.maxNodes) {
      if (this.nodes === this.maxNodes + 1)
        this.report.error(at, 'yaml.too_large', `More than ${this.maxNodes} values.`);
      return null;
    }
    if (depth > MAX_DEPTH) {
      this.report.error(at, 'yaml.too_deep', `Nested deeper than ${MAX_DEPTH} levels.`);
      return null;
    }
    if (node === null) return { kind: 'scalar', at, value: null, text: '' };
    if (isAlias(node)) {
      if (++this.aliases > MAX_ALIASES) {
        this.report.error(at, 'yaml.too_many_aliases', `More than ${MAX_ALIASES} aliases.`);
        return null;
      }
      const target = node.resolve(this.document);
      if (target === undefined) {
        this.report.error(at, 'yaml.alias', `The alias '*${node.source}' has no anchor before it in this document.`);
        return null;
      }
      return this.walk(target, depth + 1, at);
    }
    if (isMap(node)) return this.map(node.items, at, depth);
    if (isSeq(node)) {
      const items: YamlNode[] = [];
      for (const item of node.items) {
        const value = this.walk(item as Node | null, depth + 1, at);
        if (value !== null) items.push(value);
      }
      return { kind: 'list', at, items };
    }
    if (!isScalar(node)) return null;
    const value = node.value;
    const text = node.source ?? String(value);
    const simple = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
    return { kind: 'scalar', at, value: simple ? value : value === null ? null : text, text };
  }

  private map(pairs: readonly { key: unknown; value: unknown }[], at: number, depth: number): YamlMap {
    const entries: YamlEntry[] = [];
    const seen = new Set<string>();
    for (const pair of pairs) {
      const keyNode = pair.key as Node | null;
      const keyAt = keyNode?.range?.[0] ?? at;
      if (!isScalar(keyNode)) {
        this.report.error(keyAt, 'yaml.key', 'A key must be plain text.');
        continue;
      }
      const key = typeof keyNode.value === 'string' ? keyNode.value : (keyNode.source ?? String(keyNode.value));
      if (seen.has(key)) this.report.error(keyAt, 'yaml.duplicate_key', `The key '${key}' appears twice.`);
      seen.add(key);
      const value = this.walk((pair.value ?? null) as Node | null, depth + 1, keyAt);
      if (value !== null) entries.push({ key, at: keyAt, value });
    }
    return { kind: 'map', at, entries };
  }
}

export function entryOf(map: YamlMap, key: string): YamlEntry | undefined {
  return map.entries.find((entry) => entry.key === key);
}

/** Plain JSON value of a tree. Keys become own properties whatever their name. */
export function toJson(node: YamlNode): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(toJson);
  return Object.fromEntries(node.entries.map((entry) => [entry.key, toJson(entry.value)]));
}
