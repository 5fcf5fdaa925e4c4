// Runs every compiled test with Node's own runner. Arguments narrow: `npm test -- decode` runs the files whose path holds it.

import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../src/root.ts';

const DIST = join(PACKAGE_ROOT, 'dist');

const wanted = process.argv.slice(2);
const files = readdirSync(DIST, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.js') && wanted.every((part) => file.includes(part)))
  .sort()
  .map((file) => join(DIST, file));
if (files.length === 0) {
  process.stderr.write(`no test file matches ${wanted.join(' ')}\n`);
  process.exit(1);
}
const runner = spawn(process.execPath, ['--test', '--test-concurrency=3', '--test-reporter=spec', ...files], {
  stdio: 'inherit',
  cwd: PACKAGE_ROOT,
});
runner.on('exit', (code) => process.exit(code ?? 1));
