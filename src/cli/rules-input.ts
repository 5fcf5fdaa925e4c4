// Records for the subcommands that run rules over an input: raw batches of files or standard input, nothing stored.

import { tmpdir } from 'node:os';
import { Readable } from 'node:stream';
import type { SourceConfig } from '../config/schema.ts';
import { FORMATS } from '../model/batch.ts';
import type { ControlSnapshot } from '../model/control.ts';
import { SlabPool } from '../model/slabs.ts';
import { discover } from '../sources/discover.ts';
import { FileReader } from '../sources/files.ts';
import {
  createSource,
  DEFAULT_BATCH_BYTES,
  type SourceBatch,
  type SourceOptions,
  slabBytes,
} from '../sources/index.ts';
import { PipeInput } from '../sources/pipe.ts';
import { snapshotOfOne } from './one-source.ts';
import { type LoadedRules, near } from './rules-load.ts';
import { type Io, type Option, UsageError, type Values } from './verb.ts';

export const INPUT_OPTIONS = {
  input: {
    type: 'string',
    multiple: true,
    argument: 'FILE',
    help: 'records: a path or glob (repeatable), or - for standard input; compressed or not',
  },
  format: { type: 'string', argument: 'NAME', help: `auto, or one of ${FORMATS.join(', ')}` },
  logsource: {
    type: 'string',
    argument: 'P/C/S',
    help: "product/category/service of all records, e.g. windows/process_creation/ or linux//sshd; empty parts stay the record's own",
  },
  tenant: { type: 'string', argument: 'SLUG', help: 'tenant of records that name none: its lists and policies apply' },
} as const satisfies Record<string, Option>;

/** What nobody configured. */
const NOBODY = 'local';

/** Event times are never ahead of this: an examination has no clock of its own. */
const NO_SKEW_MS = Date.UTC(2100, 0, 1);

const BUDGET_BYTES = 64 << 20;

export interface RuleInput {
  readonly snapshot: ControlSnapshot;
  /** Batches in order; each must be released. */
  batches(): AsyncIterable<SourceBatch>;
  /** Path behind a file identity; '' where there is only one input. */
  pathOf(file: string): string;
  /** What of the input was left out, if anything. */
  notes(): readonly string[];
}

/** `text` stands for standard input where it is given. */
export async function inputForVerb(
  values: Values,
  { loaded, files }: LoadedRules,
  io: Io,
  text: string | null = null,
): Promise<RuleInput> {
  const inputs = Array.isArray(values.input) ? values.input.map(String) : [];
  if (inputs.length === 0 || inputs.includes('')) throw new UsageError('say what to read: --input FILE, or --input -');
  if (inputs.includes('-') && inputs.length > 1) throw new UsageError('standard input (-) cannot go with files');
  const format = typeof values.format === 'string' ? values.format : 'auto';
  if (!['auto', ...FORMATS].includes(format))
    throw new UsageError(`--format takes one of ${['auto', ...FORMATS].join(', ')}, not '${format}'`);
  const snapshot = await snapshotOfOne(loaded, {
    source: {
      name: 'rules',
      input: inputs[0],
      format: format as SourceConfig['format'],
      pop: NOBODY,
      logsource: logsourceOf(values.logsource),
    },
    tenant: typeof values.tenant === 'string' ? values.tenant : undefined,
    nobody: NOBODY,
    rules: files,
  });
  const options: SourceOptions = {
    definition: snapshot.sources[0],
    index: 0,
    input: inputs,
    follow: false,
    order: 'arrival',
    stateDirectory: tmpdir(),
    slabs: new SlabPool(slabBytes(DEFAULT_BATCH_BYTES, snapshot.limits.recordBytes), BUDGET_BYTES),
    limits: snapshot.limits,
    now: () => NO_SKEW_MS,
    clock: () => 0, // files are taken as they lie there: nobody waits whether they grow
  };
  const { signal } = new AbortController();
  if (inputs[0] === '-') {
    const reader = new FileReader(options);
    const batches = () =>
      reader.read(
        new PipeInput(text === null ? io.stdin : Readable.from([Buffer.from(text)]), Date.now()),
        'emit',
        signal,
      );
    return { snapshot, batches, pathOf: () => '', notes: () => [] };
  }
  const several = (await discover(inputs)).length > 1;
  const made = createSource(options);
  return {
    snapshot,
    batches: () => made.batches(new Map(), signal),
    pathOf: (file) => (several ? near(made.files().get(file)?.path ?? file) : ''),
    notes: () => made.notes().map(({ path, message }) => `${path} ${message}`),
  };
}

function logsourceOf(value: unknown): SourceConfig['logsource'] {
  if (typeof value !== 'string') return { product: '', category: '', service: '' };
  const [product, category = '', service = '', ...rest] = value.toLowerCase().split('/');
  if (rest.length > 0 || `${product}${category}${service}` === '')
    throw new UsageError(`--logsource takes product/category/service, not '${value}'`);
  return { product, category, service };
}
