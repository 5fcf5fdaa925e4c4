// Values with one placeholder, `before%name%after`: what `expand` makes of text, and what a `list` test carries in `list`.

import { type Part, type Pattern, parsePattern } from './wildcard.ts';

export interface Template {
  readonly before: Pattern;
  readonly name: string;
  readonly after: Pattern;
}

/** Two private-use characters stand for the signs of `%name%` while wildcards and dashes are dealt with around it. */
const OPEN = '\uE000';
const CLOSE = '\uE001';
const PLACEHOLDER = /\\[\s\S]|%([^%\s\\*?]+)%/g;

/** How many placeholders, and the value with each one's percent signs marked and `\\%` a plain percent sign. */
export function markPlaceholders(value: string): { readonly count: number; readonly text: string } {
  let count = 0;
  const text = value.replace(/[\uE000\uE001]/g, '\uFFFD').replace(PLACEHOLDER, (found, name?: string) => {
    if (name === undefined) return found === '\\%' ? '%' : found;
    count++;
    return OPEN + name + CLOSE;
  });
  return { count, text };
}

/** A pattern of marked text → its canonical spelling, which `parseTemplate` reads. */
export function templateText(pattern: Pattern): string {
  return pattern
    .map((part) => (typeof part === 'string' ? part.replace(/[\\*?%]/g, '\\$&') : part.wildcard))
    .join('')
    .replaceAll(OPEN, '%')
    .replaceAll(CLOSE, '%');
}

/** null for the plain name of a list, which policies use. */
export function parseTemplate(list: string): Template | null {
  if (!list.includes('%')) return null;
  const { count, text } = markPlaceholders(list);
  if (count !== 1) return null;
  const [before, rest] = text.split(OPEN);
  const [name, after] = rest.split(CLOSE);
  return { before: parsePattern(before), name, after: parsePattern(after) };
}

/** The name of the list that a `list` test asks. */
export function listName(list: string): string {
  return parseTemplate(list)?.name ?? list;
}

/** The pattern that a template becomes with one of the list's values, in which wildcards count. In lower case. */
export function fill({ before, after }: Template, value: string): Pattern {
  const parts: Part[] = [];
  for (const part of [...before, ...parsePattern(value), ...after]) {
    const last = parts.length - 1;
    if (typeof part === 'string' && typeof parts[last] === 'string') parts[last] += part.toLowerCase();
    else parts.push(typeof part === 'string' ? part.toLowerCase() : part);
  }
  return parts;
}
