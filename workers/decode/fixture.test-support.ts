// A small control snapshot and raw batches for tests of the worker's stages.

import type { FormatName, RawBatch, Segment } from '../../src/model/batch.ts';
import { utf8 } from '../../src/model/bytes.ts';
import { type ControlSnapshot, plainTenant, type SourceDefinition, type Tenant } from '../../src/model/control.ts';
import { Decoded } from '../../src/model/decoded.ts';
import { Dictionary } from '../../src/model/dictionary.ts';
import type { LogEvent } from '../../src/model/records.ts';
import { createDecoder } from './index.ts';

export const ACME = '11111111-1111-4111-8111-111111111111';
export const GLOBEX = '22222222-2222-4222-8222-222222222222';

export function tenant(id: string, slug: string, more: Partial<Tenant> = {}): Tenant {
  return { ...plainTenant(id, slug), ...more };
}

export function source(more: Partial<SourceDefinition> = {}): SourceDefinition {
  return {
    name: 'test',
    tenant: 'acme',
    pop: 'fra1',
    format: 'auto',
    logsource: { product: '', category: '', service: '' },
    timezone: 'UTC',
    year: 0,
    latenessMs: 300_000,
    ...more,
  };
}

export function snapshotOf(more: Partial<ControlSnapshot> = {}): ControlSnapshot {
  return {
    hash: '00000000000000000000000000000001',
    tenants: [tenant(ACME, 'acme'), tenant(GLOBEX, 'globex')],
    sources: [source()],
    policies: [],
    rules: [],
    lists: [],
    categories: {},
    limits: { recordBytes: 1 << 20, depth: 32, keys: 512 },
    enrich: { geo: [], communityId: false },
    correlate: { groupsPerRule: 100_000, valuesPerGroup: 10_000, suppressionMs: 3_600_000, evidence: 5 },
    ...more,
  };
}

/** A segment of a thousand bytes of one file. */
export function segment(over: Partial<Segment> = {}): Segment {
  return {
    format: 'native-json',
    start: 0,
    end: 1000,
    base: 0,
    file: 'f'.repeat(32),
    source: 0,
    context: null,
    referenceMs: 0,
    fault: null,
    ...over,
  };
}

export function rawBatch(format: FormatName, bytes: Uint8Array, referenceMs = Date.UTC(2026, 10, 1)): RawBatch {
  const segments = [segment({ format, end: bytes.length, referenceMs })];
  return { bytes, segments, appendedAtMs: Date.UTC(2026, 10, 1) };
}

/** Decodes text or bytes under a snapshot. */
export function decodeAll(
  format: FormatName,
  input: string | Uint8Array,
  snapshot = snapshotOf(),
  referenceMs?: number,
): Decoded {
  const dictionary = new Dictionary();
  const out = new Decoded(dictionary);
  createDecoder(snapshot, dictionary)(
    rawBatch(format, typeof input === 'string' ? utf8(input) : input, referenceMs),
    out,
  );
  return out;
}

/** An event with everything that it tells, which may refer to the batch until it is asked. */
export function plainLog(event: LogEvent): LogEvent {
  const { ms, ns, segment, rawStart, rawLength, tenant, pop, id, logsource, sourceIp, destinationIp } = event;
  const { host, user, severity, message, fields, fieldsJson, clockSkew, threat } = event;
  const place = { ms, ns, segment, rawStart, rawLength };
  const who = { tenant, pop, id, logsource, sourceIp, destinationIp, host, user };
  return { ...place, ...who, severity, message, fields, fieldsJson, clockSkew, threat };
}
