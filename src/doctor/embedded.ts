// The embedded store: directory, disk, engine.

import { accessSync, constants, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from '../config/schema.ts';
import { dataPaths, freeBytes, lockOwner } from '../delivery/directory.ts';
import { connectEndpoint } from '../sinks/clickhouse/endpoint.ts';
import { bytes, type Check, Findings } from './check.ts';

/** A run writes blocks, journal and merges; below this it is about to stop. */
const LITTLE = 2e9;
const TOO_LITTLE = 200e6;

/** The data directory, which every instance has; and with `store.kind: chdb` the engine in it. */
export async function examineDirectory(config: Config): Promise<readonly Check[]> {
  const findings = new Findings('data directory');
  const { root, manifest } = dataPaths(config.data);
  let place = root;
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place);
  try {
    accessSync(place, constants.R_OK | constants.W_OK | constants.X_OK);
    if (existsSync(manifest)) findings.ok('directory', `${root} is a data directory and may be written`);
    else findings.ok('directory', `${root} is not there yet; 'weir run' makes it`);
  } catch (error) {
    const todo = 'give the directory to the user that runs Weir, or name another one (data).';
    findings.problem('directory', `${place} cannot be written: ${(error as Error).message}`, todo);
  }
  const free = freeBytes(place);
  const text = `${bytes(free)} are free where ${place} lies`;
  if (free < TOO_LITTLE) findings.problem('disk', text, 'free some: a full disk stops the run (nothing is lost).');
  else if (free < LITTLE) findings.warning('disk', text, 'free some before it is full: then the run waits.');
  else findings.ok('disk', text);
  await findings.attempt('process', () => owner(findings, config));
  if (config.store.kind === 'chdb') await engine(findings);
  return findings.checks;
}

async function owner(findings: Findings, { data, store }: Config): Promise<void> {
  const process_ = lockOwner(data);
  if (process_ === null) findings.ok('process', 'no process uses it');
  else if (store.kind !== 'chdb') findings.ok('process', `process ${process_.pid} uses it`);
  else if (await connectEndpoint(data)) findings.ok('process', `process ${process_.pid} uses it and answers queries`);
  else
    findings.warning(
      'process',
      `process ${process_.pid} uses it and answers no queries`,
      'wait: it starts or ends; if it stays so, look at its log.',
    );
}

async function engine(findings: Findings): Promise<void> {
  try {
    const name = 'chdb'; // not a literal: the type checker must not need an optional dependency
    await import(name);
    findings.ok('engine', 'the embedded engine (chdb) can be loaded');
  } catch (error) {
    findings.problem(
      'engine',
      `the embedded engine (chdb) cannot be loaded: ${(error as Error).message.split('\n')[0]}`,
      "run 'npm install chdb' (Linux or macOS, glibc), or use servers (store.kind).",
    );
  }
}

/** Least version of package.json's `engines`. */
const NODE = [20, 19] as const;

export function examineProcess(): readonly Check[] {
  const findings = new Findings('weir');
  const [major, minor] = process.versions.node.split('.').map(Number);
  const text = `Node ${process.versions.node}`;
  if (major > NODE[0] || (major === NODE[0] && minor >= NODE[1])) findings.ok('node', text);
  else findings.problem('node', text, `use Node ${NODE.join('.')} or newer.`);
  return findings.checks;
}
