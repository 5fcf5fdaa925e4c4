// Random rules over random records, from the raw bytes to the hits, against the interpreter.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { arbitraryPredicate } from '../../rules/plan/arbitrary.test-support.ts';
import { interpret } from '../../rules/plan/interpret.test-support.ts';
import { LOG_POOLS, LOG_VALUES } from '../../rules/plan/pools.test-support.ts';
import type { Predicate } from '../../rules/predicate.ts';
import { rule } from '../../workers/match/matcher.test-support.ts';
import { Production } from './production.ts';
import { forInterpreter, RecordSubject } from './record.ts';

const SOURCE = { product: 'fuzz', category: 'fuzz', service: 'fuzz' };

const pick = <T>(values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);

const scalar = pick(LOG_VALUES);

const signature = pick<unknown>(['ET SCAN ssh', 'tcp portscan', 'ET SCAN SSH', '%_*?[a]', null]);

const arbitraryRecord: fc.Arbitrary<Record<string, unknown>> = fc.record(
  {
    // In ms: as text it would be a text of the record, and the times of rules would be compared with it.
    timestamp: fc.integer({ min: Date.UTC(2023, 0, 1), max: Date.UTC(2025, 11, 31) }),
    // Says that the record is a log event, whatever its other keys.
    product: fc.constant('fuzz'),
    EventID: fc.oneof(pick<unknown>([4624, '4625', '1', 1, '1.0', null]), scalar),
    Image: fc.oneof(
      pick<unknown>(['C:\\Windows\\CMD.exe', '/bin/sh', 'node', null, ['node', '/bin/SH'], 'äRGER.EXE', 'cmd.exe']),
      scalar,
    ),
    alert: fc.oneof(fc.record({ signature }), fc.array(fc.record({ signature }), { maxLength: 2 }), scalar),
    'alert.signature': signature,
    dns: fc.record({
      answers: fc.array(
        fc.record({ rdata: pick(['8.8.8.8', '10.0.0.1', '2001:DB8:0:0::1', 'x']) }, { requiredKeys: [] }),
        { maxLength: 3 },
      ),
    }),
    tags: fc.array(fc.oneof(scalar, fc.array(scalar, { maxLength: 2 })), { maxLength: 3 }),
    source_ip: pick(['10.0.0.1', '8.8.8.8']),
    user: pick(['anna', 'Bob', 'BOB']),
    User: pick(['Anna', 'eve']),
    message: pick(['Failed password for anna', 'OK', '']),
    ok: fc.oneof(fc.boolean(), pick<unknown>(['T', 'false', 'true', 1])),
    constructor: scalar,
  },
  { requiredKeys: ['timestamp', 'product'] },
);

const RULES = 16;
const RECORDS = 32;

/** At least so many (rule, record) pairs. Throws with the smallest counterexample, or with the first where that is enough. */
export function fuzz(pairs: number, seed: number, smallest = true): { readonly pairs: number; readonly hits: number } {
  const count = { pairs: 0, hits: 0 };
  const rules = fc.array(arbitraryPredicate(LOG_POOLS), { minLength: RULES, maxLength: RULES });
  const records = fc.array(arbitraryRecord, { minLength: RECORDS, maxLength: RECORDS });
  const property = fc.property(rules, records, (predicates, given) => {
    const hits = compare(predicates, given);
    count.pairs += predicates.length * given.length;
    count.hits += hits;
  });
  fc.assert(property, { numRuns: Math.ceil(pairs / (RULES * RECORDS)), seed, endOnFailure: !smallest });
  return count;
}

function compare(predicates: readonly Predicate[], records: readonly Record<string, unknown>[]): number {
  const logsource = { product: 'fuzz', category: '', service: '' };
  const production = new Production(
    predicates.map((detection, index) => rule(index, { detection, logsource })),
    [SOURCE],
  );
  const shown = production.show(
    0,
    records.map((record) => JSON.stringify(record)),
  );
  const plain = predicates.map(forInterpreter);
  let hits = 0;
  for (const [i, record] of records.entries()) {
    // What JSON makes of the record is what the product reads.
    const read = JSON.parse(JSON.stringify(record)) as Record<string, unknown>;
    const subject = new RecordSubject(read, SOURCE, Number(record.timestamp));
    const wanted = plain.flatMap((predicate, index) => (interpret(predicate, subject) ? [index] : []));
    assert.deepEqual({ hits: shown[i].hits, refused: shown[i].refused }, { hits: wanted, refused: '' });
    hits += wanted.length;
  }
  return hits;
}
