// docs/configuration.md, made from the schema so that it cannot drift from it.

import { environmentName } from './load.ts';
import type { Fields, Node } from './node.ts';
import { shown } from './scalar.ts';
import { SCHEMA } from './schema.ts';

/** The reference page, Markdown. */
export function configurationPage(): string {
  const lines = [
    '# Configuration',
    '',
    'Generated from `src/config/schema.ts` by `weir docs`; do not edit.',
    '',
    'Weir runs without a configuration. With one, name it: `weir run --config weir.yaml`; `weir check` shows every problem',
    'in it with file, line and column. A commented example is in [`examples/weir.yaml`](../examples/weir.yaml).',
    '',
    '- Sizes: a number of bytes, or `64MiB`, `512k` (powers of 1024), `64MB` (powers of 1000).',
    '- Durations: `250ms`, `30s`, `5m`, `1h30m`, `2d`, or a number of seconds.',
    '- Paths are relative to the file that names them; in the environment and on the command line, to the working directory.',
    '- Precedence: the command line, the environment, the file, the default. Single values and lists of them can be set in',
    `  the environment: \`store.threads\` is \`${environmentName('store.threads')}\`; lists are separated by commas, lists of paths as in \`PATH\`.`,
    '- An unknown key is an error, never ignored.',
    '- Editors that read JSON Schema complete and check the file with [`weir.schema.json`](weir.schema.json).',
    '',
  ];
  const top = Object.entries(SCHEMA.fields as Fields);
  const single = top.filter(([, node]) => node.kind === 'leaf');
  lines.push('## Top level', '', ...table(single, ''), '');
  for (const [key, node] of top.filter(([, node]) => node.kind !== 'leaf')) lines.push(...chapter(key, node, 2));
  return `${lines.join('\n').trimEnd()}\n`;
}

function chapter(path: string, node: Node, level: number): string[] {
  const heading = `${'#'.repeat(level)} \`${path}\``;
  if (node.kind !== 'section' && !(node.kind === 'list' && node.of.kind === 'section')) {
    return [heading, '', node.doc, ''];
  }
  const isList = node.kind === 'list';
  const fields = (isList ? (node.of as { fields: Fields }).fields : (node as { fields: Fields }).fields) as Fields;
  const prefix = isList ? `${path}[].` : `${path}.`;
  const plain = Object.entries(fields).filter(([, field]) => !isChapter(field));
  const nested = Object.entries(fields).filter(([, field]) => isChapter(field));
  return [
    heading,
    '',
    node.doc,
    '',
    ...table(plain, isList ? '' : prefix),
    '',
    ...nested.flatMap(([key, field]) => chapter(`${prefix}${key}`, field, level + 1)),
  ];
}

function isChapter(node: Node): boolean {
  return node.kind === 'section' || (node.kind === 'list' && node.of.kind === 'section');
}

function table(entries: readonly [string, Node][], prefix: string): string[] {
  return [
    '| key | type | default | meaning |',
    '|---|---|---|---|',
    ...entries.map(([key, node]) => {
      const cells = [`\`${prefix}${key}\``, typeOf(node), initialOf(node), node.doc.replaceAll('|', '\\|')];
      return `| ${cells.join(' | ')} |`;
    }),
  ];
}

function typeOf(node: Node): string {
  if (node.kind === 'list') return `list of ${node.of.kind === 'leaf' ? typeOf(node.of) : 'values'}`;
  if (node.kind === 'map') return 'text → text';
  if (node.kind !== 'leaf') return 'any';
  if (node.choices) return node.choices.map((choice) => `\`${choice}\``).join(', ');
  const bounds =
    node.minimum === undefined || node.maximum === undefined
      ? ''
      : `, ${shown(node, node.minimum)}–${shown(node, node.maximum)}`;
  const unit = node.unit && node.scalar === 'integer' ? ` ${node.unit}` : '';
  return `${node.format ?? node.scalar}${bounds}${unit}`;
}

function initialOf(node: Node): string {
  if (node.kind !== 'leaf') return '';
  if (node.standIn) return node.standIn;
  if (node.initial === undefined) return '*required*';
  if (node.initial === '') return '';
  return `\`${typeof node.initial === 'number' ? shown(node, node.initial) : String(node.initial)}\``;
}
