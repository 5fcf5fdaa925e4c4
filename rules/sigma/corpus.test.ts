// The whole SigmaHQ corpus through the loader: real rules that nobody here wrote.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { PACKAGE_ROOT } from '../../src/root.ts';
import { loadRules, type RuleText } from '../index.ts';

const ARCHIVE = join(PACKAGE_ROOT, '..', 'shared', 'data', 'sigma-rules.tar.gz');

/** Regular files of a tar archive. */
function* entries(tar: Buffer): Generator<RuleText> {
  const text = (from: number, length: number): string =>
    tar.toString('utf8', from, from + length).replace(/\0.*$/s, '');
  let longName = '';
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0; ) {
    const size = Number.parseInt(text(at + 124, 12).trim() || '0', 8);
    const type = String.fromCharCode(tar[at + 156]);
    const prefix = text(at + 257, 5) === 'ustar' ? text(at + 345, 155) : '';
    const body = at + 512;
    const name = longName || (prefix === '' ? text(at, 100) : `${prefix}/${text(at, 100)}`);
    longName = type === 'L' ? text(body, size) : '';
    if ((type === '0' || type === '\0') && name.endsWith('.yml')) {
      yield { path: name, text: tar.toString('utf8', body, body + size) };
    }
    at = body + Math.ceil(size / 512) * 512;
  }
}

test('every rule of the SigmaHQ corpus loads', (t) => {
  if (!existsSync(ARCHIVE)) {
    t.skip(`${ARCHIVE} is absent`);
    return;
  }
  const files = [...entries(gunzipSync(readFileSync(ARCHIVE)))];
  const { rules, problems } = loadRules(files);
  t.diagnostic(`${rules.length} of ${files.length} rules load, ${problems.length} problems`);
  assert.equal(files.length, 3780);
  assert.deepEqual(
    problems.filter(({ severity }) => severity === 'error'),
    [],
  );
  assert.equal(rules.length, 3780);
  assert.ok(rules.every((rule) => rule.detection !== null && rule.detection.kind !== 'constant'));
});
