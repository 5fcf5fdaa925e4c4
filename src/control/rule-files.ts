// The rule files in force: those that Weir ships and those of the configured folders, in the order of their paths.

import { readdir, readFile } from 'node:fs/promises';
import { basename, join, sep } from 'node:path';
import { OperationalError } from '../cli/verb.ts';
import type { Config } from '../config/schema.ts';
import type { RuleFile } from '../model/control.ts';
import { PACKAGE_ROOT } from '../root.ts';

export interface FoundRuleFile extends RuleFile {
  /** Where it lies on disk; the snapshot does not hold this, since a moved folder must not change its hash. */
  readonly origin: string;
  /** Why it could not be read; its text is then ''. It is refused like a broken file, and the others work on. */
  readonly fault?: string;
}

/** Throws OperationalError('rules_unreadable'): a folder that cannot be read must not mean "no rules". */
export async function readRuleFiles({ rules }: Pick<Config, 'rules'>): Promise<readonly FoundRuleFile[]> {
  const folders = rules.directories.map((path) => ({ path, shown: basename(path) }));
  if (rules.packs) folders.unshift({ path: join(PACKAGE_ROOT, 'rules', 'packs'), shown: 'packs' });
  const files = (await Promise.all(folders.map(({ path, shown }) => readFolder(path, shown)))).flat();
  return files.sort((a, b) => compare(a.path, b.path) || compare(a.origin, b.origin));
}

async function readFolder(folder: string, shown: string): Promise<FoundRuleFile[]> {
  try {
    // Hidden names are left out: beside the files of a mounted Kubernetes ConfigMap lie their older versions.
    const names = (await readdir(folder, { recursive: true })).filter(
      (name) => /\.ya?ml$/i.test(name) && !name.split(sep).some((part) => part.startsWith('.')),
    );
    const found = await Promise.all(
      names.map(async (name) => {
        const origin = join(folder, name);
        return { path: [shown, ...name.split(sep)].join('/'), ...(await readText(origin)), origin };
      }),
    );
    return found.filter(({ fault }) => fault !== FOLDER);
  } catch (error) {
    throw new OperationalError('rules_unreadable', `rules cannot be read: ${(error as Error).message}`, error);
  }
}

const FOLDER = 'EISDIR';

async function readText(path: string): Promise<{ readonly text: string; readonly fault?: string }> {
  try {
    return { text: await readFile(path, 'utf8') };
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    return { text: '', fault: code === FOLDER ? FOLDER : `The file cannot be read: ${message}.` };
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
