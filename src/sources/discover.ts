// Paths and globs to files, in name order.

import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { glob, isDynamicPattern } from 'tinyglobby';
import { OperationalError } from '../cli/verb.ts';
import { checkReadable } from './input.ts';

/** All inputs as paths, each once, those of one input in name order. Throws OperationalError for what cannot be read. */
export async function discover(inputs: readonly string[]): Promise<readonly string[]> {
  const paths: string[] = [];
  for (const input of inputs) {
    const found = await expand(input);
    if (found.length === 0) throw nothingThere(input);
    for (const path of found) {
      await checkReadable(path);
      paths.push(path);
    }
  }
  return unique(paths);
}

/** What is there now; what is missing or unreadable is left out (a followed input may appear later). */
export async function discoverPresent(inputs: readonly string[]): Promise<readonly string[]> {
  const paths = (await Promise.all(inputs.map(expand))).flat();
  return unique(paths.filter((path) => existsSync(path)));
}

/** Other files of the same folder that could be an earlier or later name of `path` (`app.log.1`, `app-2026.log.gz`). */
export async function siblings(path: string): Promise<readonly string[]> {
  const folder = dirname(path);
  const stem = basename(path).split('.')[0];
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => name !== basename(path) && stem !== '' && name.startsWith(stem))
    .sort()
    .slice(0, 1000)
    .map((name) => join(folder, name));
}

/** Bytes on disk of what is there. */
export async function sizeOf(paths: readonly string[]): Promise<number> {
  const sizes = await Promise.all(
    paths.map((path) =>
      stat(path).then(
        (about) => about.size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function expand(input: string): Promise<readonly string[]> {
  if (existsSync(input)) return [resolve(input)]; // an existing path wins over its reading as a glob
  if (!isDynamicPattern(input)) return [];
  const found = await glob(input, { absolute: true, expandDirectories: false });
  return found.sort(byName);
}

function byName(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function unique(paths: readonly string[]): readonly string[] {
  return [...new Set(paths)];
}

function nothingThere(input: string): OperationalError {
  const sentence = isDynamicPattern(input) ? `No file matches '${input}'.` : `${input} does not exist.`;
  return new OperationalError('input_missing', sentence);
}
