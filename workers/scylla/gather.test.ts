// Promise: gathering statements changes which rows go together and nothing else.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { gathered, joined } from './gather.ts';
import { FRAME_HEADER, ID_BYTES, routingKeyOf, type Statement, StatementWriter, singleRow } from './statements.ts';

const MOST_BYTES = 300;

/** Rows of some partitions, each with its own bytes, as the statements of several parcels. */
const parcels = fc.array(
  fc.array(fc.record({ partition: fc.integer({ min: 0, max: 3 }), text: fc.string({ maxLength: 120 }) }), {
    maxLength: 12,
  }),
  { maxLength: 6 },
);

function statementsOf(rows: readonly { partition: number; text: string }[]): readonly Statement[] {
  const writer = new StatementWriter(100, 6);
  rows.forEach(({ partition, text }, item) => {
    writer.partition(routingKeyOf([Buffer.from(`partition-${partition}`), Buffer.from('k')]));
    writer.row(item % 3, 2, item);
    writer.values.text(text);
    writer.values.int(item);
  });
  return writer.take().statements;
}

/** Every row as a statement of its own: what the server is told of it, whatever it was sent with. */
function rowsOf(statement: Statement): string[] {
  assert.equal(statement.frame.readUInt16BE(FRAME_HEADER + 1), statement.queries.length);
  return statement.queries.map((_, row) => {
    const { frame, ids, queries, items, routingKey } = singleRow(statement, row);
    const bytes = Buffer.from(frame);
    bytes.fill(0, 0, FRAME_HEADER).fill(0xee, ids[0], ids[0] + ID_BYTES); // where the identifier will go must agree too
    return [routingKey.toString('hex'), queries[0], items[0], bytes.toString('hex')].join(' ');
  });
}

test('every row is sent once, as it was, in the order of its partition', () => {
  fc.assert(
    fc.property(parcels, (given) => {
      const statements = given.flatMap(statementsOf);
      const groups = gathered(statements, MOST_BYTES);
      const together = groups.map(joined);
      const byPartition = (all: readonly Statement[]): string[] =>
        all
          .flatMap(rowsOf)
          .sort((a, b) => (a.slice(0, 40) < b.slice(0, 40) ? -1 : a.slice(0, 40) > b.slice(0, 40) ? 1 : 0));
      assert.deepEqual(byPartition(together), byPartition(statements));
      groups.forEach((group, i) => {
        const { rows, routingKey } = together[i];
        assert.ok(group.every((one) => one.routingKey.equals(routingKey)));
        assert.ok(group.length === 1 || rows[rows.length - 1] - rows[0] <= MOST_BYTES);
      });
    }),
  );
});

test('what fits into one statement is one', () => {
  const statements = Array.from({ length: 20 }, (_, i) => statementsOf([{ partition: i % 2, text: '' }])).flat();
  assert.deepEqual(
    gathered(statements, 10_000).map((group) => group.length),
    [10, 10],
  );
});
