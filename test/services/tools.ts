// Runs the ordinary clients of the package registries; where they fetch from is their own configuration, never ours.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { type ServiceCode, ServiceError } from './failure.ts';

export interface ToolOptions {
  /** For the sentence, e.g. "It fetches Kafka and Cassandra". */
  readonly purpose: string;
  /** Of its failure; services_download_failed unless told. */
  readonly code?: ServiceCode;
  readonly user?: { readonly uid: number; readonly gid: number };
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** What it printed. Throws services_tool_missing, or the given code with the end of what it said. */
export async function runTool(command: string, args: readonly string[], options: ToolOptions): Promise<string> {
  const { purpose, user, cwd } = options;
  const { code, text } = await new Promise<{ code: number | null; text: string }>((resolve, reject) => {
    const tool = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env },
      cwd,
      ...user,
    });
    const chunks: Buffer[] = [];
    tool.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    tool.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    tool.on('error', reject);
    tool.on('close', (code) => resolve({ code, text: Buffer.concat(chunks).toString() }));
  }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    throw new ServiceError('services_tool_missing', `'${command}' is not installed. ${purpose}.`, error);
  });
  if (code === 0) return text;
  const end = text.trim().split('\n').slice(-12).join('\n');
  const failure = options.code ?? 'services_download_failed';
  throw new ServiceError(failure, `'${command}' failed (status ${code}). ${purpose}.\n${end}`);
}

const javas = new Map<string, Promise<number>>();

/** The java command, when its version fits. Throws services_tool_missing or services_tool_unfit. */
export async function java(server: string, fits: (version: number) => boolean, wanted: string): Promise<string> {
  const command = process.env.JAVA_HOME ? join(process.env.JAVA_HOME, 'bin', 'java') : 'java';
  if (!javas.has(command)) javas.set(command, javaVersion(command, server));
  const version = await javas.get(command)!;
  if (fits(version)) return command;
  throw new ServiceError(
    'services_tool_unfit',
    `${server} runs on Java ${wanted}; '${command}' is Java ${version}: set JAVA_HOME to one that fits.`,
  );
}

async function javaVersion(command: string, server: string): Promise<number> {
  const text = await runTool(command, ['-version'], { purpose: `Java runs ${server}` });
  return Number(/version "(\d+)/.exec(text)?.[1] ?? 0);
}
