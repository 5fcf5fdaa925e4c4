// Journaled ranges once more, for recovery: the same bytes of the same files, wherever they lie now.

import { OperationalError } from '../cli/verb.ts';
import { discoverPresent, siblings } from './discover.ts';
import { beginsAs, type FileRegistry } from './identity.ts';
import { openInput, type RawInput } from './input.ts';
import { openStream, Reading, type ReadingSettings } from './reading.ts';
import type { FileProgress, Range, SourceBatch } from './source.ts';

/**
 * Batches of exactly these ranges, in order. `inputs` are paths and globs where a file may lie if it is not at its
 * last known path. Throws OperationalError('replay_input_missing').
 */
export async function* replayRanges(
  ranges: readonly Range[],
  registry: FileRegistry,
  inputs: readonly string[],
  settings: ReadingSettings,
  signal: AbortSignal,
): AsyncGenerator<SourceBatch> {
  let open: { reading: Reading; input: RawInput } | null = null;
  try {
    for (const range of ranges) {
      if (signal.aborted) return;
      if (open === null || open.reading.file !== range.file || open.reading.position > range.from) {
        await close(open);
        open = null;
        open = await find(registry.get(range.file), range, inputs, settings);
      }
      const { reading, input } = open;
      if (!(await reading.seek(range.from, signal))) {
        if (signal.aborted) return;
        throw missing(input.path, range, 'ends before them');
      }
      const { referenceMs, appendedAtMs } = range;
      const stretch = {
        to: range.to,
        tail: 'emit',
        times: () => ({ referenceMs, appendedAtMs }),
        moved: (position: number) => {
          const known = registry.get(range.file);
          if (known !== undefined && known.position < position) registry.update(range.file, { position, done: false });
        },
        progressBase: 0,
      } as const;
      yield* reading.run(stretch, signal);
      if (signal.aborted) return;
      if (reading.position !== range.to) throw missing(input.path, range, 'ends before their end');
    }
  } finally {
    await close(open);
  }
}

async function close(open: { reading: Reading; input: RawInput } | null): Promise<void> {
  open?.reading.close();
  await open?.input.close();
}

async function find(
  file: FileProgress | undefined,
  range: Range,
  inputs: readonly string[],
  settings: ReadingSettings,
): Promise<{ reading: Reading; input: RawInput }> {
  if (file === undefined) throw missing(inputs.join(', '), range, `is not known to hold them (file ${range.file})`);
  const nearby = async function* (): AsyncGenerator<string> {
    yield file.path;
    yield* await discoverPresent(inputs);
    yield* await siblings(file.path);
  };
  const tried = new Set<string>();
  for await (const path of nearby()) {
    if (tried.has(path)) continue;
    tried.add(path);
    const input = await openInput(path).catch(() => null);
    if (input === null) continue;
    const opened = await openStream(input);
    if (beginsAs(file, opened.head))
      return { reading: new Reading(opened, file.file, settings, file.formatUnknown), input };
    opened.reader.close();
    await input.close();
  }
  throw missing(file.path, range, 'is gone or begins differently now');
}

function missing(path: string, range: Range, what: string): OperationalError {
  return new OperationalError(
    'replay_input_missing',
    `An interrupted run took bytes ${range.from} to ${range.to} of ${path}, and they are needed to finish it, but ${path} ${what}. ` +
      'Put the file back as it was.',
  );
}
