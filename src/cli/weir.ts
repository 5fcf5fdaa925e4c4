#!/usr/bin/env node
// The command line: finds the verb, parses its options, prints help, maps outcomes to exit statuses.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PACKAGE_ROOT } from '../root.ts';
import { failureOf } from './failure.ts';
import { helpFor, helpForAll } from './help.ts';
import { type Io, parseOptions, UsageError, type Values, type Verb } from './verb.ts';

/** In the order of help. Loaded when asked for: most verbs need few of the libraries. */
const VERBS: Readonly<Record<string, () => Promise<Verb>>> = {
  demo: async () => (await import('./demo.ts')).demo,
  run: async () => (await import('./run.ts')).run,
  alerts: async () => (await import('./alerts.ts')).alerts,
  query: async () => (await import('./query.ts')).query,
  rejects: async () => (await import('./rejects.ts')).rejects,
  check: async () => (await import('./check.ts')).check,
  migrate: async () => (await import('./migrate.ts')).migrate,
  doctor: async () => (await import('./doctor.ts')).doctor,
  tenant: async () => (await import('./tenant.ts')).tenant,
  rebuild: async () => (await import('./rebuild.ts')).rebuild,
  policy: async () => (await import('./policy.ts')).policy,
  rules: async () => (await import('./rules.ts')).rules,
  generate: async () => (await import('./generate.ts')).generate,
  bench: async () => (await import('./bench.ts')).bench,
  docs: async () => (await import('./docs.ts')).docs,
};

/** 0 fine; 1 found problems, or something failed; 2 wrong usage or configuration. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const verb = await verbOf(rest[0] ?? '');
    const all = (): Promise<Verb[]> => Promise.all(Object.values(VERBS).map((load) => load()));
    io.stdout.write(verb ? helpFor(verb) : helpForAll(await all()));
    return name === undefined ? 2 : 0;
  }
  if (name === '--version' || name === '-v') {
    io.stdout.write(`${version()}\n`);
    return 0;
  }
  const verb = await verbOf(name);
  try {
    if (!verb) throw new UsageError(`there is no verb '${name}'. Verbs: ${Object.keys(VERBS).join(', ')}.`);
    if (rest.includes('--help') || rest.includes('-h')) {
      io.stdout.write(helpFor(verb));
      return 0;
    }
    const { values, positionals } = parse(verb, rest);
    return await verb.run(values, positionals, io);
  } catch (error) {
    return report(error, verb, rest.includes('--json'), io);
  }
}

async function verbOf(name: string): Promise<Verb | undefined> {
  return Object.hasOwn(VERBS, name) ? VERBS[name]() : undefined;
}

function version(): string {
  const text = readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8');
  return `weir ${(JSON.parse(text) as { version: string }).version}`;
}

/** parseArgs takes `--limit -1` for two options, and says so in a way that helps nobody. */
function parseFailure(message: string): string {
  const option = /^Option '(?:-\w, )?(--[\w-]+).*argument is ambiguous/s.exec(message)?.[1];
  if (option !== undefined) return `${option} needs a value; one that begins with '-' is written ${option}=VALUE.`;
  return message.replace(/\. To specify a positional.*/s, '.');
}

function parse(verb: Verb, args: readonly string[]): { values: Values; positionals: string[] } {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: parseOptions(verb),
      allowPositionals: true,
      strict: true,
    });
    return { values: values as Values, positionals };
  } catch (error) {
    throw new UsageError(error instanceof Error ? parseFailure(error.message) : String(error));
  }
}

/** The failure in a sentence on standard error, and with --json as the one document on standard output. */
function report(error: unknown, verb: Verb | undefined, json: boolean, io: Io): number {
  const { code, message, status, stack } = failureOf(error);
  if (json) io.stdout.write(`${JSON.stringify({ error: { code, message } })}\n`);
  if (status === 2) io.stderr.write(`weir: ${message}\nSee '${verb ? `weir ${verb.name} --help` : 'weir --help'}'.\n`);
  else if (stack === '') io.stderr.write(`weir: ${message} [${code}]\n`);
  else io.stderr.write(`weir: unexpected failure, please report it\n${stack}\n`);
  return status;
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0); // the reader (head, less) has seen enough
  throw error;
});
const status = await main(process.argv.slice(2), process);
for (const stream of [process.stdout, process.stderr]) await new Promise((resolve) => stream.write('', resolve));
process.exit(status); // kafkajs goes on knocking at a group that it was stopped from joining; nobody shall wait for that
