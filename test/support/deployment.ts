// What deploy/ holds, read as the tools read it.

import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { PACKAGE_ROOT } from '../../src/root.ts';

export const DEPLOY = join(PACKAGE_ROOT, 'deploy');

/** YAML files below a folder of deploy/, as paths within it. */
export function yamlFiles(folder = ''): string[] {
  const root = join(DEPLOY, folder);
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.ya?ml$/.test(name))
    .map((name) => relative(DEPLOY, join(root, name)))
    .sort();
}

/** Documents of a file. Throws with every problem in it. */
export function documentsOf<T = Record<string, unknown>>(file: string): T[] {
  const documents = parseAllDocuments(readFileSync(join(DEPLOY, file), 'utf8'), { merge: true });
  if (!Array.isArray(documents)) throw new Error(`${file} is empty`);
  return documents.map((document) => {
    const problems = [...document.errors, ...document.warnings];
    if (problems.length > 0) throw new Error(`${file}: ${problems.map(({ message }) => message).join('\n')}`);
    return document.toJS() as T;
  });
}

/**
 * Standard output of the first of `commands` that is installed; null, with the test skipped loudly, when none is. Throws when
 * that one fails.
 */
export async function toolOrSkip(
  t: TestContext,
  commands: readonly (readonly string[])[],
  { probe, args, env = {} }: { probe: readonly string[]; args: readonly string[]; env?: NodeJS.ProcessEnv },
): Promise<string | null> {
  const run = promisify(execFile);
  for (const [command, ...first] of commands) {
    const there = await run(command, [...first, ...probe]).then(
      () => true,
      () => false,
    );
    if (there) return (await run(command, [...first, ...args], { env: { ...process.env, ...env } })).stdout;
  }
  const reason = `${commands.map((command) => command.join(' ')).join(' or ')} is not installed`;
  process.stderr.write(`\nDEPLOYMENT NOT CHECKED BY ITS OWN TOOL: ${reason}\n\n`);
  t.skip(reason);
  return null;
}
