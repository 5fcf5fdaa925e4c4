// Text for terminals: tables that fit, and data that cannot command the terminal.

export interface TableColumn {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

export interface TableOptions {
  /** Columns of the terminal; cells are cut so that rows fit. 0 = as wide as needed. */
  readonly width?: number;
}

/** Least width that a column is cut to. */
const NARROWEST = 8;

/** Rows under their titles, a line each; '' for no columns. Cells are made printable here. */
export function renderTable(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  { width = 0 }: TableOptions = {},
): string {
  const cells = rows.map((row) => row.map(printable));
  const titles = columns.map(({ title }) => printable(title));
  const widths = titles.map((title, c) => cells.reduce((most, row) => Math.max(most, length(row[c])), length(title)));
  if (width > 0) fit(widths, width);
  const line = (row: readonly string[]): string =>
    row
      .map((cell, c) => pad(cut(cell, widths[c]), widths[c], columns[c].align ?? 'left'))
      .join('  ')
      .trimEnd();
  const rule = widths.map((w) => '─'.repeat(w)).join('  ');
  return [line(titles), rule, ...cells.map(line)].map((text) => `${text}\n`).join('');
}

/** Shortens the widest columns until a row fits into `width`, or nothing can be shortened. */
function fit(widths: number[], width: number): void {
  let over = widths.reduce((sum, w) => sum + w, 2 * (widths.length - 1)) - width;
  while (over > 0) {
    const widest = Math.max(...widths);
    if (widest <= NARROWEST) return;
    const second = Math.max(NARROWEST, ...widths.filter((w) => w < widest));
    const column = widths.indexOf(widest);
    const less = Math.max(1, Math.min(over, widest - second));
    widths[column] -= less;
    over -= less;
  }
}

function length(text: string): number {
  let characters = 0;
  for (const _ of text) characters++;
  return characters;
}

function cut(text: string, width: number): string {
  if (length(text) <= width) return text;
  return `${[...text].slice(0, width - 1).join('')}…`;
}

function pad(text: string, width: number, align: 'left' | 'right'): string {
  const space = ' '.repeat(Math.max(0, width - length(text)));
  return align === 'right' ? space + text : text + space;
}

/** Control characters, and those that reorder or hide text: stored data may hold escape sequences. */
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** `text` with unprintable characters as \n, \t, \x1b or \u202e. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (c) => {
    if (c === '\n') return '\\n';
    if (c === '\t') return '\\t';
    if (c === '\r') return '\\r';
    const code = c.charCodeAt(0);
    return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** Beyond what JSON escapes anyway. */
const UNPRINTABLE_IN_JSON = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** JSON of the same meaning that cannot command a terminal. */
export function printableJson(json: string): string {
  return json.replace(UNPRINTABLE_IN_JSON, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Bytes as text: UTF-8 where it is valid, \xNN for everything else. */
export function printableBytes(bytes: Uint8Array): string {
  try {
    return printable(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    let text = '';
    for (const byte of bytes)
      text += byte >= 32 && byte < 127 ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
    return text;
  }
}

/** IPv4 addresses as people write them: ::ffff:192.0.2.1 → 192.0.2.1. */
export function plainAddresses(text: string): string {
  return text.replaceAll(/::ffff:(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})/g, '$1');
}
