// What the writer makes of a server's refusals. The server is played here: a real one refuses no row that passes decoding, unless
// its operator has set limits of his own.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { routingKeyOf, type Statement, StatementWriter } from './statements.ts';
import { type Connection, ScyllaWriter } from './writer.ts';

const SETTINGS = {
  contactPoints: [],
  localDataCenter: '',
  keyspace: '',
  username: '',
  password: '',
  tls: null,
  consistency: 'one',
  batchBytes: 5000,
  inFlight: 4,
  flowBucketMs: 0,
  requestTimeoutMs: 1000,
} as const;

/** Rows 0 … `rows` - 1, in statements of several rows each. */
function parcelOf(rows: number): { rows: number; bytes: number; statements: Statement[] } {
  const writer = new StatementWriter(100, 1);
  writer.partition(routingKeyOf([Buffer.from('k')]));
  for (let row = 0; row < rows; row++) {
    writer.row(0, 1, row);
    writer.values.int(row);
  }
  return { rows, ...writer.take() };
}

const invalid = (): Error => Object.assign(new Error('value too large'), { name: 'ResponseError', code: 0x2200 });
const overloaded = (): Error => Object.assign(new Error('busy'), { name: 'ResponseError', code: 0x1001 });

function serverThat(answer: (items: readonly number[]) => Error | null): {
  open: () => Promise<Connection>;
  stored: number[];
} {
  const stored: number[] = [];
  const send = async ({ items }: Statement): Promise<void> => {
    const error = answer(items);
    if (error) throw error;
    stored.push(...items);
  };
  return { open: async () => ({ send, close: async () => {} }), stored };
}

test('rows that are refused are named, and all others are written', async () => {
  const { open, stored } = serverThat((items) => (items.some((item) => item % 13 === 5) ? invalid() : null));
  const writer = new ScyllaWriter(SETTINGS, open);
  const outcome = await writer.write([parcelOf(40)]);
  assert.equal(outcome?.kind, 'poison');
  assert.deepEqual(outcome?.rows, [5, 18, 31]);
  assert.deepEqual(
    [...new Set(stored)].sort((a, b) => a - b),
    Array.from({ length: 40 }, (_, i) => i).filter((i) => i % 13 !== 5),
  );
});

test('what passes is told before rows that are refused; the next attempt tells those', async () => {
  let busy = true;
  const { open } = serverThat((items) =>
    items.includes(5) ? invalid() : busy && items.includes(30) ? overloaded() : null,
  );
  const writer = new ScyllaWriter(SETTINGS, open);
  const parcel = parcelOf(40);
  assert.equal((await writer.write([parcel]))?.kind, 'retryable');
  busy = false;
  assert.deepEqual((await writer.write([parcel]))?.rows, [5]);
});

test('a batch of several parcels with a refused row stores all others, and their rows are told parcel by parcel', async () => {
  const { open, stored } = serverThat((items) => (items.includes(5) ? invalid() : null));
  const writer = new ScyllaWriter(SETTINGS, open);
  const parcels = [parcelOf(10), parcelOf(4), parcelOf(7)];
  assert.equal((await writer.write(parcels))?.kind, 'poison');
  assert.deepEqual(stored.sort(), [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 6, 6, 7, 8, 9]);
  const alone = await Promise.all(parcels.map((parcel) => writer.write([parcel])));
  assert.deepEqual(
    alone.map((outcome) => outcome?.rows),
    [[5], undefined, [5]],
  );
});

test('statements of one partition are one, and what was acknowledged with others is not sent again', async () => {
  let busy = true;
  const { open, stored } = serverThat((items) => (busy && items.length > 40 ? overloaded() : null));
  const sent: number[] = [];
  const counting = async (): Promise<Connection> => {
    const { send, close } = await open();
    return {
      send: (statement) => {
        sent.push(statement.items.length);
        return send(statement);
      },
      close,
    };
  };
  const writer = new ScyllaWriter(SETTINGS, counting);
  const [few, many] = [parcelOf(40), parcelOf(400)];
  assert.equal(await writer.write([few]), null);
  assert.deepEqual(sent, [40]);
  assert.equal((await writer.write([few, many]))?.kind, 'retryable');
  busy = false;
  assert.equal(await writer.write([few, many]), null);
  assert.equal(stored.length, 440);
});
