// Finds the rows of a block that the store refuses: halves, and halves of the refused halves. What is not refused is stored.

import type { Parcel } from '../../model/tables.ts';
import { type Isolation, MOST_REFUSED, type ParcelCarrier, SinkError, tooMany } from '../sink.ts';

/**
 * `insert` stores rows [from, to) under a token of their own. A piece that was refused before is not tried again as a whole: had the
 * store changed its mind, what was stored of it would be stored twice. Rejects as `insert` does, but for refused rows.
 */
export async function bisect(
  rows: number,
  { known, note }: Isolation,
  insert: (from: number, to: number) => Promise<void>,
): Promise<void> {
  const refusedBefore = new Set(known.map(({ from, to }) => `${from}-${to}`));
  let refused = 0;
  const store = async (from: number, to: number): Promise<void> => {
    if (!refusedBefore.has(`${from}-${to}`)) {
      const refusal = await refusalOf(insert(from, to));
      if (refusal === null) return;
      const { code, message } = refusal;
      if (to - from === 1 && ++refused > MOST_REFUSED) throw tooMany(refusal);
      await note({ from, to, code, message });
    }
    if (to - from === 1) return;
    const middle = Math.floor((from + to) / 2);
    await store(from, middle);
    await store(middle, to);
  };
  await store(0, rows);
}

async function refusalOf(inserted: Promise<void>): Promise<SinkError | null> {
  try {
    await inserted;
    return null;
  } catch (error) {
    if (error instanceof SinkError && error.kind === 'poison') return error;
    throw error;
  }
}

/** The rows of parcels in the order in which they came: which worker keeps which is chance, and must not decide what a half is. */
export async function inStreamOrder(carrier: ParcelCarrier, parcels: readonly Parcel[]): Promise<Uint8Array[]> {
  const blocks: Uint8Array[] = [];
  for (const parcel of parcels) blocks.push(...(await carrier.collect([parcel])));
  return blocks;
}

export function rowsBetween(from: number, to: number): string {
  return ` WHERE rowNumberInAllBlocks() >= ${from} AND rowNumberInAllBlocks() < ${to}`;
}
