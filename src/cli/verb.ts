// What a verb of the command line is. One file a verb; weir.ts collects them.

import type { ParseArgsConfig } from 'node:util';

export interface Io {
  readonly stdout: { write(text: string): unknown; readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: { write(text: string): unknown; readonly isTTY?: boolean };
  readonly stdin: NodeJS.ReadableStream;
  readonly env: NodeJS.ProcessEnv;
}

export interface Option {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  readonly multiple?: boolean;
  readonly default?: string | boolean;
  /** One sentence for --help. `argument` names the value, e.g. DIR. */
  readonly help: string;
  readonly argument?: string;
}

/** Options that several verbs have, read by `loadForVerb`. */
export const CONFIG_OPTION: Option = {
  type: 'string',
  argument: 'FILE',
  help: 'configuration (default ./weir.yaml if there is one)',
};
export const DATA_OPTION: Option = {
  type: 'string',
  argument: 'DIR',
  help: 'data directory, over that of the configuration',
};
export const SET_OPTION: Option = {
  type: 'string',
  multiple: true,
  argument: 'KEY=VALUE',
  help: 'any configuration key',
};

export type Values = Record<string, string | boolean | (string | boolean)[] | undefined>;

export interface Verb {
  readonly name: string;
  /** After `weir NAME`, e.g. "'SELECT …' --data DIR". */
  readonly usage: string;
  readonly summary: string;
  readonly options: Readonly<Record<string, Option>>;
  readonly examples: readonly string[];
  /** Returns the exit status: 0 fine, 1 found problems or failed. Throw UsageError for wrong usage (2). */
  run(values: Values, positionals: readonly string[], io: Io): Promise<number>;
}

/** Wrong usage or configuration: printed without a stack, exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The failure of something outside the program: printed without a stack, exit status 1. `code` is stable. */
export class OperationalError extends Error {
  override readonly name = 'OperationalError';
  readonly code: string;
  constructor(code: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

export function parseOptions(verb: Verb): NonNullable<ParseArgsConfig['options']> {
  return Object.fromEntries(
    Object.entries(verb.options).map(([name, option]) => [
      name,
      {
        type: option.type,
        ...(option.short ? { short: option.short } : {}),
        ...(option.multiple ? { multiple: true } : {}),
        ...(option.default === undefined ? {} : { default: option.default }),
      },
    ]),
  ) as NonNullable<ParseArgsConfig['options']>;
}
