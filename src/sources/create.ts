// From options to the source that serves them.

import { UsageError } from '../cli/verb.ts';
import { FilesSource, inputsOf } from './files.ts';
import { FollowSource } from './follow.ts';
import { OrderedSource } from './ordered.ts';
import { DEFAULT_BATCH_BYTES, type Source, type SourceOptions, slabBytes } from './source.ts';
import { StdinSource } from './stdin.ts';

/** Throws UsageError for settings that do not go together. */
export function createSource(options: SourceOptions): Source {
  const { follow, order, limits, slabs, batchBytes = DEFAULT_BATCH_BYTES } = options;
  const inputs = inputsOf(options);
  if (inputs.length === 0) throw new UsageError('A source needs an input: a path, a glob, or - for standard input.');
  const stdin = inputs.includes('-');
  if (stdin && inputs.length > 1) throw new UsageError('Standard input (-) and files must be sources of their own.');
  if (follow && order === 'event-time') {
    throw new UsageError(
      'Event-time order needs all input before it can sort: leave out --follow or --order event-time.',
    );
  }
  if (order === 'event-time' && options.timesOf === undefined) throw new Error('event-time order needs timesOf');
  if (slabs.size < slabBytes(batchBytes, limits.recordBytes)) throw new Error('slabs are smaller than slabBytes()');
  if (stdin) return new OrderedSource(options, new StdinSource(options)); // a pipe is followed by nature
  if (follow) return new FollowSource(options);
  return new OrderedSource(options, new FilesSource(options));
}
