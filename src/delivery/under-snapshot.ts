import type { SourceBatch } from '../sources/source.ts';

/** Journaled blocks run under the snapshot of their day, where the source may stand at another index. */
export function underSnapshot(batch: SourceBatch, index: number): SourceBatch {
  if (batch.segments.every((segment) => segment.source === index)) return batch;
  return {
    ...batch,
    segments: batch.segments.map((segment) => ({ ...segment, source: index })),
    release: () => batch.release(),
  };
}
