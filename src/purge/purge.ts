// Everything of one tenant out of one store, and what is left counted by asking it.

export interface Held {
  readonly table: string;
  /** Rows, or for `partitions` those of a wide table whose rows are too many to count. */
  readonly count: number;
  readonly unit: 'rows' | 'partitions';
}

export interface PurgeStore {
  readonly name: string;
  /** Asks every table. */
  held(): Promise<readonly Held[]>;
  /** Resolves when everything that was there is gone; what comes in meanwhile may stay. Repeatable. */
  remove(): Promise<void>;
  close(): Promise<void>;
}

export interface Purged extends Held {
  readonly store: string;
  readonly after: number;
}

/** Counts, removes unless `dry`, and counts again. */
export async function purge(stores: readonly PurgeStore[], dry: boolean): Promise<readonly Purged[]> {
  const purged: Purged[] = [];
  for (const store of stores) {
    const before = await store.held();
    if (!dry) await store.remove();
    const after = dry ? before : await store.held();
    for (const { table, unit } of after) {
      const count = before.find((one) => one.table === table)?.count ?? 0;
      const left = after.find((one) => one.table === table)?.count ?? 0;
      purged.push({ store: store.name, table, unit, count, after: left });
    }
  }
  return purged;
}
