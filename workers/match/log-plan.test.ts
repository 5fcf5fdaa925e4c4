import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { arbitraryPredicate, type FieldPool } from '../../rules/plan/arbitrary.test-support.ts';
import { LogPlan, LogView } from '../../rules/plan/index.ts';
import { interpret, type Subject, type SubjectField, type Value } from '../../rules/plan/interpret.test-support.ts';
import { LOG_POOLS, LOG_VALUES } from '../../rules/plan/pools.test-support.ts';
import type { Predicate } from '../../rules/predicate.ts';
import type { LogEvent } from '../../src/model/records.ts';
import { createEnvironment } from './environment.ts';
import { localDate, memberOf, snapshotOf, TENANTS } from './flows.test-support.ts';
import { LOG_NAMES } from './log-names.ts';

const POOLS: readonly FieldPool[] = [
  ...LOG_POOLS,
  { name: 'id.orig_h', kind: 'text', values: ['10.0.0.1', '10.1.2.3', '8.8.8.8'] },
];

const pick = <T>(values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const scalar = pick(LOG_VALUES);

const fields: fc.Arbitrary<Record<string, unknown>> = fc.record(
  {
    EventID: fc.oneof(pick<unknown>([4624, '4625', '1', 1, '1.0', null]), scalar),
    Image: pick<unknown>(['C:\\Windows\\CMD.exe', '/bin/sh', 'node', null, ['node', '/bin/SH']]),
    alert: fc.oneof(
      fc.record({ signature: pick(['ET SCAN ssh', 'tcp portscan']) }),
      fc.array(fc.record({ signature: pick(['ET SCAN SSH', 'x']) }), { maxLength: 2 }),
      scalar,
    ),
    dns: fc.record({
      answers: fc.array(fc.record({ rdata: pick(['8.8.8.8', '10.0.0.1', 'www.example.com']) }, { requiredKeys: [] }), {
        maxLength: 3,
      }),
    }),
    'id.orig_h': pick(['10.0.0.1', '10.1.2.3', '8.8.8.8']),
    tags: fc.array(fc.oneof(scalar, fc.array(scalar, { maxLength: 2 })), { maxLength: 3 }),
    ok: fc.oneof(fc.boolean(), pick(['T', 'false', 'true'])),
    constructor: scalar,
  },
  { requiredKeys: [] },
);

const arbitraryEvent: fc.Arbitrary<LogEvent> = fc
  .record({
    fields,
    tenant: fc.nat(1),
    ms: fc.integer({ min: Date.UTC(2023, 0, 1), max: Date.UTC(2025, 11, 31) }),
    sourceIp: pick(['', '10.0.0.1', '8.8.8.8']),
    user: pick(['', 'anna', 'Bob']),
    message: pick(['', 'Failed password for anna']),
  })
  .map((parts) => eventOf(parts));

function eventOf(parts: Partial<LogEvent>): LogEvent {
  return {
    tenant: 0,
    ms: 0,
    ns: 0,
    segment: 0,
    rawStart: 0,
    rawLength: 0,
    pop: '',
    id: '33333333-3333-4333-8333-333333333333',
    logsource: { product: 'zeek', category: '', service: 'dns' },
    sourceIp: '',
    destinationIp: '',
    host: '',
    user: '',
    severity: '',
    message: '',
    fields: {},
    fieldsJson: '',
    clockSkew: false,
    threat: '',
    ...parts,
  };
}

/** Every value under a path, as a person would read the record. */
function under(value: unknown, path: readonly string[], found: unknown[]): void {
  if (path.length === 0) found.push(value);
  else if (Array.isArray(value)) for (const element of value) under(element, path, found);
  else if (value !== null && typeof value === 'object' && Object.hasOwn(value, path[0])) {
    under((value as Record<string, unknown>)[path[0]], path.slice(1), found);
  }
}

const CANONICAL: Readonly<Record<string, (event: LogEvent) => string>> = {
  source_ip: (event) => event.sourceIp,
  'id.orig_h': (event) => event.sourceIp,
  user: (event) => event.user,
  message: (event) => event.message,
};

function subjectOf(event: LogEvent): Subject {
  return {
    field: (name): SubjectField => {
      let found: unknown[] = [];
      if (name === '') {
        const strings: string[] = [];
        JSON.stringify(event.fields, (_, value) => {
          if (['string', 'number', 'boolean'].includes(typeof value)) strings.push(String(value));
          return value;
        });
        found = [...strings, ...(event.message === '' ? [] : [event.message])];
      } else if (Object.hasOwn(event.fields, name)) found = [event.fields[name]];
      else if (name.includes('.')) under(event.fields, name.split('.'), found);
      const canonical = Object.hasOwn(CANONICAL, name) ? CANONICAL[name] : undefined;
      if (found.length === 0 && canonical !== undefined && canonical(event) !== '') found = [canonical(event)];
      if (found.length === 0 && name === 'source_ip' && Object.hasOwn(event.fields, 'id.orig_h')) {
        found = [event.fields['id.orig_h']];
      }
      const flat = found.flat(8);
      return {
        present: found.length > 0 || name === '',
        hasNull: flat.includes(null),
        hasObject: flat.some((value) => typeof value === 'object' && value !== null),
        values: flat.filter((value): value is Value => ['string', 'number', 'boolean'].includes(typeof value)),
        typed: canonical !== undefined,
        address: false,
      };
    },
    member: (list, mode, text) => memberOf(event.tenant, list, mode, text),
    local: () => localDate(TENANTS[event.tenant].timezone, event.ms),
  };
}

test('the plan over log events finds exactly what the interpreter finds', () => {
  const environment = createEnvironment(snapshotOf());
  let pairs = 0;
  let hits = 0;
  fc.assert(
    fc.property(
      fc.array(arbitraryPredicate(POOLS), { minLength: 1, maxLength: 14 }),
      fc.array(arbitraryEvent, { minLength: 1, maxLength: 20 }),
      (predicates, events) => {
        const view = new LogView(LOG_NAMES);
        const ids = predicates.map((_, i) => i * 2 + 1);
        const plan = new LogPlan(predicates, ids, view, environment);
        for (const event of events) {
          view.bind(event);
          const subject = subjectOf(event);
          const wanted = predicates.flatMap((predicate, i) => (interpret(predicate, subject) ? [ids[i]] : []));
          assert.deepEqual([...plan.match()], wanted);
          pairs += predicates.length;
          hits += wanted.length;
        }
      },
    ),
    { numRuns: 500 },
  );
  assert.ok(pairs >= 10_000, `only ${pairs} pairs`);
  assert.ok(hits / pairs >= 0.3, `only ${hits} hits in ${pairs} pairs`);
});

function holds(predicate: Predicate, parts: Partial<LogEvent>): boolean {
  const view = new LogView(LOG_NAMES);
  const plan = new LogPlan([predicate], [0], view, createEnvironment(snapshotOf()));
  view.bind(eventOf(parts));
  return plan.match().length === 1;
}

const equals = (field: string, value: string): Predicate => ({
  kind: 'field',
  field,
  test: 'equals',
  values: [value],
  cased: false,
});

test('a plan that is made while an event is bound sees it like one that was made before', () => {
  const view = new LogView(LOG_NAMES);
  const event = eventOf({ fields: { CommandLine: 'whoami /all', User: 'bob', proc: { name: 'x' } } });
  view.bind(event);
  const test = (field: string, value: string): Predicate => ({
    kind: 'field',
    field,
    test: 'contains',
    values: [value],
    cased: false,
  });
  const predicates: Predicate[] = [
    test('CommandLine', 'WHOAMI'),
    test('User', 'bob'),
    test('proc.name', 'x'),
    test('user', 'bob'), // another name of User
    { kind: 'field', field: 'Absent', test: 'equals', values: [''], cased: false },
  ];
  const holds = predicates.map(
    (predicate) => new LogPlan([predicate], [0], view, createEnvironment(snapshotOf())).match().length > 0,
  );
  const all = new LogPlan(predicates, [0, 1, 2, 3, 4], view, createEnvironment(snapshotOf()));
  assert.deepEqual(all.match().slice(), [0, 1, 2, 3]);
  assert.deepEqual(holds, [true, true, true, true, false]);
  view.bind(event);
  assert.deepEqual(all.match().slice(), [0, 1, 2, 3]);
});

test('inherited keys are no fields', () => {
  assert.equal(holds({ kind: 'field', field: 'constructor', test: 'exists', value: true }, { fields: {} }), false);
  assert.equal(
    holds({ kind: 'field', field: 'a.constructor', test: 'exists', value: true }, { fields: { a: {} } }),
    false,
  );
  assert.equal(holds({ kind: 'field', field: '__proto__', test: 'exists', value: true }, { fields: {} }), false);
});

test('a canonical name finds what the log calls differently', () => {
  assert.equal(holds(equals('destination_port', '22'), { fields: { 'id.resp_p': 22 } }), true);
  assert.equal(holds(equals('DestinationPort', '22'), { fields: { dest_port: 22 } }), true);
  assert.equal(holds(equals('src_ip', '10.0.0.1'), { sourceIp: '10.0.0.1' }), true);
  assert.equal(holds(equals('service', 'dns'), {}), true);
});

test('a regular expression that backtracks elsewhere takes linear time here', () => {
  const regex: Predicate = { kind: 'field', field: 'q', test: 'regex', source: '^(a+)+$', flags: '' };
  assert.equal(holds(regex, { fields: { q: `${'a'.repeat(5000)}b` } }), false);
  assert.equal(holds(regex, { fields: { q: 'a'.repeat(5000) } }), true);
});
