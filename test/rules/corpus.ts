// The SigmaHQ corpus: real rules that nobody here wrote. It is no part of the product, so it may be absent.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { loadRules, type RuleText } from '../../rules/index.ts';
import type { Rule } from '../../rules/model.ts';
import { PACKAGE_ROOT } from '../../src/root.ts';

export const DATA = join(PACKAGE_ROOT, '..', 'shared', 'data');
export const ARCHIVE = join(DATA, 'sigma-rules.tar.gz');

/** The rule files of the archive in its order; null when there is no archive. */
export function corpusFiles(): RuleText[] | null {
  return existsSync(ARCHIVE) ? [...yamlFiles(gunzipSync(readFileSync(ARCHIVE)))] : null;
}

/** Throws when a file is refused: a proof over fewer rules would look like one over all. */
export function corpusRules(files: readonly RuleText[]): readonly Rule[] {
  const { rules, problems } = loadRules(files);
  const refused = problems.filter(({ severity }) => severity === 'error');
  if (refused.length > 0) throw new Error(`${refused[0].file}: ${refused[0].message} (and ${refused.length - 1} more)`);
  return rules;
}

const BLOCK = 512;

function* yamlFiles(tar: Buffer): Generator<RuleText> {
  const field = (at: number, length: number): string => {
    const raw = tar.toString('utf8', at, at + length);
    const end = raw.indexOf('\0');
    return end < 0 ? raw : raw.slice(0, end);
  };
  let at = 0;
  let nextName = '';
  while (at + BLOCK <= tar.length && tar[at] !== 0) {
    const size = Number.parseInt(field(at + 124, 12).trim() || '0', 8);
    const type = tar[at + 156];
    const folder = field(at + 257, 5) === 'ustar' ? field(at + 345, 155) : '';
    const path = nextName || (folder === '' ? field(at, 100) : `${folder}/${field(at, 100)}`);
    const body = tar.toString('utf8', at + BLOCK, at + BLOCK + size);
    // GNU tar keeps a name beyond 100 bytes as an entry of its own before the file.
    nextName = type === 0x4c ? body.replace(/\0+$/, '') : '';
    if ((type === 0x30 || type === 0) && path.endsWith('.yml')) yield { path, text: body };
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
}
