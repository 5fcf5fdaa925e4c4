// The records of a lane's log as what they mean, for its owner and for whoever looks at it.

import { Packr } from 'msgpackr';
import type { JournalLine } from '../delivery/journal.ts';
import type { Commit } from '../delivery/ledger.ts';
import type { RawRecordBatch } from './reader.ts';
import { recordsOf } from './records.ts';

export type LogRecord =
  | { readonly kind: 'owner'; readonly token: string }
  | { readonly kind: 'journal'; readonly line: JournalLine; readonly offset: number }
  | { readonly kind: 'commit'; readonly commit: Commit };

/** Versions of this format that can be read: during a rolling upgrade the newer one writes what the older one reads. */
export const VERSION = 1;

export const packr = new Packr({ useRecords: false });

/** `place` is for the error when another version of Weir wrote the log. A commit comes once its last piece is read. */
export async function* logRecords(batches: AsyncIterable<RawRecordBatch>, place: string): AsyncGenerator<LogRecord> {
  let pieces: Buffer[] = [];
  for await (const batch of batches) {
    for (const { key, value, headers, offset } of recordsOf(batch)) {
      if (value === null) continue;
      if (key === 'owner') yield { kind: 'owner', token: value.toString() };
      if (key === 'journal') yield { kind: 'journal', line: JSON.parse(value.toString()) as JournalLine, offset };
      if (key !== 'commit') continue;
      if (Number(headers.version) !== VERSION)
        throw new Error(`${place}: written by another version of Weir (log version ${headers.version})`);
      if (headers.piece === '0') pieces = [];
      pieces.push(Buffer.from(value));
      if (pieces.length < Number(headers.pieces)) continue;
      yield { kind: 'commit', commit: packr.unpack(Buffer.concat(pieces)) as Commit };
      pieces = [];
    }
  }
}
