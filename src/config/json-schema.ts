// JSON Schema of weir.yaml for editors, made from the schema.

import type { Fields, Leaf, Node } from './node.ts';
import { shown } from './scalar.ts';
import { SCHEMA } from './schema.ts';

/** JSON Schema (2020-12) of weir.yaml, for editors. */
export function configurationJsonSchema(): Record<string, unknown> {
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', title: 'weir.yaml', ...schemaOf(SCHEMA) };
}

/** The schema as a file, in the layout of the formatter: lists of scalars on one line where they fit. */
export function configurationSchemaFile(): string {
  const text = JSON.stringify(configurationJsonSchema(), null, 2);
  const joined = text.replaceAll(
    /^( *)("[^"]+": )\[\n([^[\]{}]*?)\n *\](,?)$/gm,
    (whole, indent, key, items, comma) => {
      const line = `${indent}${key}[${items
        .trim()
        .split(/,\n\s*/)
        .join(', ')}]${comma}`;
      return line.length <= 120 ? line : whole;
    },
  );
  return `${joined}\n`;
}

function schemaOf(node: Node): Record<string, unknown> {
  const description = node.doc;
  switch (node.kind) {
    case 'leaf':
      return leafSchema(node);
    case 'list':
      return { description, type: 'array', items: schemaOf(node.of) };
    case 'map':
      return { description, type: 'object', additionalProperties: { type: ['string', 'number', 'boolean'] } };
    case 'any':
      return { description };
    case 'section': {
      const entries = Object.entries(node.fields as Fields);
      const required = entries.filter(([, field]) => field.kind === 'leaf' && field.initial === undefined);
      return {
        description,
        type: 'object',
        additionalProperties: false,
        properties: Object.fromEntries(entries.map(([key, field]) => [key, schemaOf(field)])),
        ...(required.length > 0 ? { required: required.map(([key]) => key) } : {}),
      };
    }
  }
}

function leafSchema(node: Leaf): Record<string, unknown> {
  const description = node.doc;
  if (node.choices) return { description, enum: node.choices, default: node.initial };
  if (node.scalar === 'boolean') return { description, type: 'boolean', default: node.initial };
  if (node.scalar === 'integer') {
    return { description, type: 'integer', minimum: node.minimum, maximum: node.maximum, default: node.initial };
  }
  const type = node.scalar === 'size' || node.scalar === 'duration' ? ['number', 'string'] : ['string', 'number'];
  const initial = node.initial === undefined || node.standIn ? {} : { default: initialText(node) };
  return { description, type, ...initial };
}

function initialText(node: Leaf): unknown {
  return typeof node.initial === 'number' ? shown(node, node.initial) : node.initial;
}
