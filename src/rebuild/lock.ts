// One rebuild at a time in a keyspace: two would both add what is missing. A row of `schema_version`, written only if it is absent,
// as `weir migrate` has one; it lapses when its owner dies.

import { randomUUID } from 'node:crypto';
import type { Client } from 'cassandra-driver';
import { OperationalError } from '../cli/verb.ts';

/** The version that stands for this lock; that of migrations is -1. */
const LOCK_ROW = -2;
const LOCK_SECONDS = 120;
const RENEW_MS = 30_000;

export interface RebuildLock {
  /** Throws OperationalError('rebuild_running') when another one has it by now. */
  check(): void;
  release(): Promise<void>;
}

/** Throws OperationalError('rebuild_running'). */
export async function takeLock(client: Client, keyspace: string): Promise<RebuildLock> {
  const owner = randomUUID();
  const table = `${keyspace}.schema_version`;
  const applied = async (query: string, parameters: unknown[]): Promise<boolean> => {
    const { rows } = await client.execute(query, parameters, { prepare: true });
    return (rows as unknown as { '[applied]': boolean }[])[0]['[applied]'];
  };
  const taken = await applied(
    `INSERT INTO ${table} (version, file, applied_at) VALUES (${LOCK_ROW}, ?, toTimestamp(now())) IF NOT EXISTS USING TTL ${LOCK_SECONDS}`,
    [owner],
  );
  if (!taken) throw running();
  // Held for certain only as long as the last renewal was answered.
  let heldUntil = Date.now() + LOCK_SECONDS * 1000;
  const timer = setInterval(() => {
    const asked = Date.now();
    // A TTL is of cells: all of the row's are written again, or the row would go when the oldest does.
    applied(
      `UPDATE ${table} USING TTL ${LOCK_SECONDS} SET file = ?, applied_at = toTimestamp(now()) WHERE version = ${LOCK_ROW} IF file = ?`,
      [owner, owner],
    ).then(
      (renewed) => {
        heldUntil = renewed ? asked + LOCK_SECONDS * 1000 : 0;
      },
      () => {},
    );
  }, RENEW_MS);
  timer.unref();
  return {
    check() {
      if (Date.now() > heldUntil - 10_000) throw running();
    },
    async release() {
      clearInterval(timer);
      await applied(`DELETE FROM ${table} WHERE version = ${LOCK_ROW} IF file = ?`, [owner]).catch(() => false);
    },
  };
}

function running(): OperationalError {
  return new OperationalError(
    'rebuild_running',
    `another 'weir rebuild' is at work on this keyspace, or has died: wait for it, at most ${LOCK_SECONDS} s.`,
  );
}
