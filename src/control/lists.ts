// Named lists: checked, and copied to `<data>/lists/<hash>` (one value a line, comments gone), so that a snapshot means the
// same values as long as it is kept, whatever becomes of the user's file. Streamed: a list may hold a million entries.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Problem } from '../../rules/model.ts';
import type { ListConfig } from '../config/schema.ts';
import type { Origins } from '../config/validate.ts';
import type { ListDocument } from '../model/control.ts';
import { parsePrefix } from '../model/ip.ts';
import { keepFile } from './files.ts';
import { unique } from './unique.ts';

const MAX_VALUE_LENGTH = 1024;
const CHUNK = 1 << 20;

/** Problems that show without opening the lists' files. */
export function checkLists(lists: readonly ListConfig[], origins: Origins): Problem[] {
  const problems: Problem[] = [];
  const tell = (list: ListConfig, key: string, severity: Problem['severity'], code: string, message: string): void => {
    problems.push(origins.problem(list, key, severity, code, message));
  };
  unique(
    lists,
    ({ name }) => name,
    (list, name) => tell(list, 'name', 'error', 'config.duplicate', `List '${name}' appears twice.`),
  );
  for (const list of lists) {
    if (list.threat && list.kind === 'string') {
      tell(list, 'kind', 'error', 'list.threat_kind', `Threat list '${list.name}' must be of kind prefix or domain.`);
    }
    if (list.file === '' && list.values.length === 0) {
      tell(list, 'values', 'warning', 'list.empty', `List '${list.name}' has neither values nor a file.`);
    }
    for (const value of list.values) {
      if (normalValue(list.kind, value) === '') {
        tell(list, 'values', 'error', 'list.bad_value', `List '${list.name}': '${value}' is no ${list.kind}.`);
      }
    }
  }
  return problems;
}

export interface ListCount {
  readonly values: number;
  /** Lines that hold no value of the list's kind: they are left out, and told. */
  readonly bad: number;
  readonly firstBad: { readonly line: number; readonly text: string } | null;
}

/** Reads a list's file through. Throws what the file system throws. */
export async function countList(list: Pick<ListDocument, 'file' | 'kind'>): Promise<ListCount> {
  let values = 0;
  let bad = 0;
  let firstBad: ListCount['firstBad'] = null;
  for await (const { line, text, value } of valuesOf(list)) {
    if (value !== '') values++;
    else if (bad++ === 0) firstBad = { line, text: text.slice(0, 80) };
  }
  return { values, bad, firstBad };
}

/** The list with its file replaced by a content-addressed copy under `root`, or by inline values when there is no root. */
export async function keepList(list: ListDocument, root: string | null): Promise<ListDocument> {
  if (list.file === '') return list;
  if (root === null) {
    const values = [...list.values];
    for await (const { value } of valuesOf(list)) if (value !== '') values.push(value);
    return { ...list, values, file: '' };
  }
  const file = await keepFile(join(root, 'lists'), '', async (temporary) => {
    const digest = createHash('sha256');
    const handle = await open(temporary, 'w');
    try {
      let pending = '';
      const flush = async (): Promise<void> => {
        digest.update(pending);
        await handle.appendFile(pending);
        pending = '';
      };
      for await (const { value } of valuesOf(list)) {
        if (value !== '') pending += `${value}\n`;
        if (pending.length > CHUNK) await flush();
      }
      await flush();
      await handle.sync();
    } finally {
      await handle.close();
    }
    return digest.digest('hex').slice(0, 32);
  });
  return { ...list, file };
}

interface ListLine {
  readonly line: number;
  readonly text: string;
  /** '' when the line holds no value of the kind. */
  readonly value: string;
}

async function* valuesOf({ file, kind }: Pick<ListDocument, 'file' | 'kind'>): AsyncGenerator<ListLine> {
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY });
  let line = 0;
  for await (const text of lines) {
    line++;
    const bare = kind === 'string' ? text.trim() : text.replace(/(?:^|\s)[#;].*$/, '').trim();
    if (bare === '' || bare.startsWith('#')) continue;
    yield { line, text, value: normalValue(kind, bare) };
  }
}

/** A value as lists hold it, '' when it is none of the kind. */
function normalValue(kind: ListDocument['kind'], text: string): string {
  const value = text.trim();
  if (value.length > MAX_VALUE_LENGTH || /[\n\r\0]/.test(value)) return '';
  if (kind === 'string') return value;
  if (kind === 'prefix') return parsePrefix(value) === null ? '' : value;
  const domain = value
    .toLowerCase()
    .replace(/^\*?\./, '')
    .replace(/\.$/, '');
  return domain.length <= 253 && /^[^\s./:@][^\s/:@]*$/.test(domain) ? domain : '';
}
