import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '../../src/model/bytes.ts';
import { Decoded } from '../../src/model/decoded.ts';
import { Dictionary } from '../../src/model/dictionary.ts';
import { clearRow, nextFlow } from '../../src/model/flow.ts';
import { uuidText } from '../../src/model/hash.ts';
import { createDecodeContext, TENANT_INACTIVE, TENANT_MISMATCH, TENANT_MISSING, TENANT_UNKNOWN } from './context.ts';
import { ACME, decodeAll, GLOBEX, rawBatch, snapshotOf, source, tenant } from './fixture.test-support.ts';
import { createDecoder } from './index.ts';

const GONE = '33333333-3333-4333-8333-333333333333';
const snapshot = snapshotOf({
  tenants: [tenant(ACME, 'acme'), tenant(GLOBEX, 'globex'), tenant(GONE, 'gone', { status: 'inactive' })],
  sources: [
    source({ tenant: '' }),
    source({ tenant: 'acme' }),
    source({ tenant: ACME.toUpperCase() }),
    source({ tenant: 'gone' }),
    source({ tenant: 'nobody' }),
  ],
});

test('the tenant of a record: the source and the record must agree, and it must be known and active', () => {
  const cases: [number, string, number][] = [
    [0, '', TENANT_MISSING],
    [0, 'acme', 0],
    [0, ACME, 0],
    [0, GLOBEX.toUpperCase(), 1],
    [0, 'gone', TENANT_INACTIVE],
    [0, 'nobody', TENANT_UNKNOWN],
    [0, '__proto__', TENANT_UNKNOWN],
    [0, 'x'.repeat(500), TENANT_UNKNOWN],
    [1, '', 0],
    [1, 'acme', 0],
    [1, 'globex', TENANT_MISMATCH],
    [1, 'nobody', TENANT_UNKNOWN],
    [2, ACME, 0],
    [3, '', TENANT_INACTIVE],
    [3, 'acme', TENANT_INACTIVE],
    [4, '', TENANT_UNKNOWN],
    [99, '', TENANT_MISSING],
    [99, 'globex', 1],
  ];
  const dictionary = new Dictionary();
  const context = createDecodeContext(snapshot, dictionary);
  for (let round = 0; round < 2; round++) {
    for (const [index, text, expected] of cases) {
      const bytes = utf8(`..${text}..`);
      assert.equal(context.resolveTenant(index, text), expected, `${index} ${text}`);
      assert.equal(context.resolveTenantBytes(index, bytes, 2, bytes.length - 2), expected, `${index} ${text}`);
    }
  }
});

test('a dictionary that starts anew does not change whose a record is', () => {
  const dictionary = new Dictionary();
  const context = createDecodeContext(snapshot, dictionary);
  const resolve = (text: string): number => context.resolveTenantBytes(0, utf8(text), 0, text.length);
  assert.equal(resolve('acme'), 0);
  for (let i = 0; i < 70_000; i++) dictionary.internText(`filler ${i}`);
  dictionary.trim();
  assert.equal(dictionary.generation, 1);
  assert.equal(resolve('globex'), 1);
  assert.equal(resolve('acme'), 0);
});

test('identifiers: by place differ by file and position, by producer differ by tenant, kind and time', () => {
  const dictionary = new Dictionary();
  const context = createDecodeContext(snapshot, dictionary);
  const bytes = utf8('same same');
  const batch = rawBatch('native-json', bytes);
  const moved = { ...batch, segments: [{ ...batch.segments[0], base: 1 }] };
  const elsewhere = { ...batch, segments: [{ ...batch.segments[0], file: 'e'.repeat(32) }] };
  const ids = [
    context.ids.ofPlace(batch, 0, 0, 4),
    context.ids.ofPlace(batch, 0, 5, 4),
    context.ids.ofPlace(moved, 0, 0, 4),
    context.ids.ofPlace(elsewhere, 0, 0, 4),
  ];
  assert.equal(new Set(ids).size, 4);
  assert.equal(context.ids.ofPlace(batch, 0, 0, 4), ids[0]);
  const { flows } = new Decoded(dictionary);
  const own = (tenantIndex: number, kind: string, ms: number, text: string): string => {
    const i = nextFlow(flows);
    clearRow(flows, i);
    flows.tenant[i] = tenantIndex;
    context.ids.fromProducer(flows, i, kind, utf8(text), 0, text.length, ms);
    return uuidText(flows.id, i * 4);
  };
  const producers = [
    own(0, 'a', 0, 'x'),
    own(1, 'a', 0, 'x'),
    own(0, 'b', 0, 'x'),
    own(0, 'a', 1, 'x'),
    own(0, 'a', 0, 'y'),
    own(0, 'a', 0, 'k'.repeat(5000)),
  ];
  assert.equal(new Set(producers).size, producers.length);
  assert.equal(own(0, 'a', 0, 'x'), producers[0]);
});

test('what a source could not cut into records is exactly one reject of its length', () => {
  const dictionary = new Dictionary();
  const out = new Decoded(dictionary);
  const bytes = utf8('{"timestamp":');
  const batch = rawBatch('native-json', bytes);
  const fault = { code: 'record_too_large' as const, detail: '9 MB', length: 9_000_000 };
  createDecoder(snapshotOf(), dictionary)({ ...batch, segments: [{ ...batch.segments[0], fault }] }, out);
  assert.equal(out.read, 1);
  assert.deepEqual(out.rejects, [
    {
      code: 'record_too_large',
      detail: '9 MB',
      segment: 0,
      rawStart: 0,
      rawLength: bytes.length,
      length: 9_000_000,
      tenant: 0,
    },
  ]);
});

test('blank lines are read and skipped; a carriage return and a missing last newline are no part of a record', () => {
  const out = decodeAll(
    'native-json',
    '\n \r\n\t\n{"timestamp":1785229200,"message":"a"}\r\n\n{"timestamp":1785229200,"message":"b"}',
  );
  assert.deepEqual([out.read, out.skipped, out.logs.length, out.rejects.length], [6, 4, 2, 0]);
  assert.deepEqual(
    out.logs.map(({ fieldsJson }) => fieldsJson),
    ['{"timestamp":1785229200,"message":"a"}', '{"timestamp":1785229200,"message":"b"}'],
  );
});

test("a source's log source wins over what the event says, field by field", () => {
  const declared = snapshotOf({ sources: [source({ logsource: { product: '', category: '', service: 'sshd' } })] });
  const out = decodeAll('native-json', '{"timestamp":1785229200,"product":"linux","service":"x"}', declared);
  assert.deepEqual(out.logs[0].logsource, { product: 'linux', category: '', service: 'sshd' });
});
