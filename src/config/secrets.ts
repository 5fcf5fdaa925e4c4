// The secrets of a configuration, so that whoever writes texts for people can leave them out.

import type { Fields } from './node.ts';
import { type Config, SCHEMA } from './schema.ts';

/** Values of secret keys, and passwords inside URLs. */
export function secretsOf(config: Config): string[] {
  return [...secretsIn(SCHEMA.fields, config as unknown as Record<string, unknown>)].filter((secret) => secret !== '');
}

function* secretsIn(fields: Fields, values: Readonly<Record<string, unknown>>): Generator<string> {
  for (const [key, node] of Object.entries(fields)) {
    const value = values[key];
    if (node.kind === 'section') yield* secretsIn(node.fields, value as Record<string, unknown>);
    if (node.kind !== 'leaf' || typeof value !== 'string') continue;
    if (node.secret === true) yield value;
    yield* passwordIn(value);
  }
}

function passwordIn(value: string): readonly string[] {
  if (!value.includes('://') || !URL.canParse(value)) return [];
  const { password } = new URL(value);
  return [password, decoded(password)];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
