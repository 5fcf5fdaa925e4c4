// What every decoder shares: whose a record is, its identifier, the checks that all records pass, and the reject paths.
//
// Decoders write a flow into row i of the columns (after nextFlow and clearRow) and call `finishFlow`, which either adds
// the row or rejects the record; nothing else advances `flows.length`. Every record ends in exactly one of: accepted,
// rejected, skipped; the caller adds it to `out.read`.

import { isAhead, type RawBatch, type RecordTable, type Segment } from '../../src/model/batch.ts';
import { utf8 } from '../../src/model/bytes.ts';
import { type ControlSnapshot, type Limits, plainSource, type SourceDefinition } from '../../src/model/control.ts';
import type { Decoded } from '../../src/model/decoded.ts';
import type { Dictionary } from '../../src/model/dictionary.ts';
import { FLOW_FLAG, type FlowColumns } from '../../src/model/flow.ts';
import { hashWords } from '../../src/model/hash.ts';
import { isPopName, MAX_POP } from '../../src/model/pop.ts';
import type { LogSource } from '../../src/model/records.ts';
import type { RejectCode } from '../../src/model/reject.ts';
import { Exporters } from './exporters.ts';
import { JsonLog } from './json-log.ts';
import { KeyNames } from './key-names.ts';
import type { LogParts } from './log-parts.ts';
import { RecordIds } from './record-ids.ts';

/** Decodes one segment of the batch into `out`. Never throws on input, whatever the bytes are. */
export type SegmentDecoder = (batch: RawBatch, segmentIndex: number, out: Decoded) => void;

/** Negative results of the tenant resolution. */
export const TENANT_MISSING = -1;
export const TENANT_UNKNOWN = -2;
export const TENANT_INACTIVE = -3;
export const TENANT_MISMATCH = -4;

const TENANT_CODES: readonly RejectCode[] = [
  'tenant_missing',
  'tenant_missing',
  'tenant_unknown',
  'tenant_inactive',
  'tenant_mismatch',
];

/** Events of 2000-01-01 up to (not including) 2101-01-01 are accepted. */
export const EARLIEST_MS = Date.UTC(2000, 0, 1);
export const LATEST_MS = Date.UTC(2101, 0, 1);

/** An event further ahead of its append time than this is flagged clock_skew. */
export const SKEW_MS = 300_000;

interface ResolvedSource {
  readonly definition: SourceDefinition;
  /** Tenant index, or a negative result. */
  tenant: number;
  readonly pop: Uint8Array;
  /** Set where the exporter's address says whose a record is. */
  readonly exporters: Exporters | null;
}

const POP_DETAIL = `pop_id is longer than ${MAX_POP} characters, or has control characters`;

const NONE: LogSource = { product: '', category: '', service: '' };

/** One a worker and control snapshot. */
export class DecodeContext {
  readonly snapshot: ControlSnapshot;
  readonly dictionary: Dictionary;
  readonly limits: Limits;
  readonly ids: RecordIds;
  readonly names = new KeyNames();
  private readonly strangers: Set<string> | null;
  private readonly tenants = new Map<string, number>();
  private readonly sources: readonly ResolvedSource[];
  /** The source as the segment at hand has it, or null outside of one. */
  private entered: ResolvedSource | null = null;
  private enteredTenant = TENANT_MISSING;
  private records: RecordTable | null = null;
  private cursor = 0;
  private readonly nowhere: ResolvedSource = {
    definition: plainSource(''),
    tenant: TENANT_MISSING,
    pop: new Uint8Array(0),
    exporters: null,
  };
  /** Dictionary id → 1 + tenant index, or a negative result; 0 is not looked up yet. */
  private byId = new Int32Array(1024);
  private generation = -1;
  private merged: Readonly<Record<'declared' | 'own' | 'both', LogSource>> = { declared: NONE, own: NONE, both: NONE };
  private goodPop = 0;
  private goodPopGeneration = -1;

  constructor(snapshot: ControlSnapshot, dictionary: Dictionary, strangers: Set<string> | null = null) {
    this.snapshot = snapshot;
    this.dictionary = dictionary;
    this.strangers = strangers;
    this.limits = snapshot.limits;
    for (let i = 0; i < snapshot.tenants.length; i++) {
      const { id, slug, status } = snapshot.tenants[i];
      const index = status === 'active' ? i : TENANT_INACTIVE;
      this.tenants.set(id.toLowerCase(), index);
      if (slug !== '') this.tenants.set(slug, index);
    }
    this.ids = new RecordIds(snapshot);
    this.sources = snapshot.sources.map((definition) => ({
      definition,
      tenant: definition.tenant === '' ? TENANT_MISSING : this.lookUp(definition.tenant),
      pop: utf8(definition.pop),
      exporters:
        definition.kafka?.tenantFrom === 'exporter'
          ? new Exporters(definition.kafka.exporters, (name) => this.lookUp(name))
          : null,
    }));
  }

  /** Number of the batch at hand. */
  batches = 0;
  /** Events of earlier batches, used again: as many as the largest batch had. */
  private readonly logs: JsonLog[] = [];
  private logsUsed = 0;

  /** An event to fill in. It is another one's again unless `pushJsonLog` takes it. */
  freshLog(): JsonLog {
    const known = this.logs[this.logsUsed];
    if (known !== undefined) return known;
    const log = new JsonLog(this.ids);
    this.logs.push(log);
    return log;
  }

  /** Begins a batch: what was kept of the one before is void. */
  begin(): void {
    this.batches++;
    this.logsUsed = 0;
    this.names.trim();
  }

  /** Begins a segment: one from Kafka may say whose its records are, and from which PoP. */
  enter(segment: Segment): void {
    const { tenant, pop, records = null, source } = segment;
    this.records = tenant === undefined ? records : null;
    this.cursor = 0;
    this.entered = null;
    if (records === null) return;
    const own = this.source(source);
    const definition = pop === undefined ? own.definition : { ...own.definition, pop };
    const whose = tenant === undefined ? own.tenant : agree(own.tenant, tenant);
    this.entered = { ...own, definition, tenant: whose, pop: pop === undefined ? own.pop : utf8(pop) };
    this.enteredTenant = own.tenant;
  }

  /** Moves to the record at byte `at` of a segment whose records are of several tenants. */
  beginRecord(at: number): void {
    const { records, entered } = this;
    if (records === null || entered === null) return;
    const { starts, count } = records;
    while (this.cursor + 1 < count && starts[this.cursor + 1] <= at) this.cursor++;
    const tenant = records.tenants[this.cursor];
    entered.tenant = tenant === TENANT_MISSING ? this.enteredTenant : agree(this.enteredTenant, tenant);
  }

  /** Tenant index of a UUID or slug, or negative. */
  tenantNamed(text: string): number {
    return this.lookUp(text);
  }

  /** A tenant that the record names itself, against what Kafka says of the record. */
  agreed(own: number): number {
    return this.entered === null ? own : agree(this.entered.tenant, own);
  }

  sourceOf(sourceIndex: number): SourceDefinition {
    return this.source(sourceIndex).definition;
  }

  /** Tenant index of every record of the source, or negative: TENANT_MISSING when the records name their own. */
  tenantOfSource(sourceIndex: number): number {
    return this.source(sourceIndex).tenant;
  }

  /** Tenant index ≥ 0, or negative (see `tenantCode`). `text` is the record's own tenant: UUID in any case, or slug. */
  resolveTenant(sourceIndex: number, text: string | null): number {
    const fixed = this.source(sourceIndex).tenant;
    if (text === null || text === '') return fixed;
    return this.whose(fixed, this.lookUp(text));
  }

  /** As `resolveTenant`, from bytes; start === end is "none". Known names cost one dictionary look-up. */
  resolveTenantBytes(sourceIndex: number, bytes: Uint8Array, start: number, end: number): number {
    const fixed = this.source(sourceIndex).tenant;
    if (start === end) return fixed;
    // Interning would let hostile names fill the dictionary: nothing longer than a slug may be is looked at.
    if (end - start > 100) return TENANT_UNKNOWN;
    const id = this.dictionary.intern(bytes, start, end);
    if (this.generation !== this.dictionary.generation) {
      this.generation = this.dictionary.generation;
      this.byId.fill(0);
    }
    if (id >= this.byId.length) {
      const grown = new Int32Array(Math.max(id + 1, this.byId.length * 2));
      grown.set(this.byId);
      this.byId = grown;
    }
    let known = this.byId[id];
    if (known === 0) {
      const found = this.lookUp(this.dictionary.text(id));
      known = found >= 0 ? found + 1 : found;
      this.byId[id] = known;
    }
    return this.whose(fixed, known > 0 ? known - 1 : known);
  }

  /** Whether the exporter's address says whose a record of the source is (see `ownedByExporter`). */
  asksExporters(sourceIndex: number): boolean {
    return this.source(sourceIndex).exporters !== null;
  }

  /**
   * Gives flow row i the tenant and PoP of the exporter whose address is the four words at `at`. `own` is what the record says
   * of its tenant. Returns the tenant index, or a negative result: TENANT_UNKNOWN where no prefix holds the exporter.
   */
  ownedByExporter(
    flows: FlowColumns,
    i: number,
    sourceIndex: number,
    own: number,
    words: Uint32Array,
    at: number,
  ): number {
    const owner = this.source(sourceIndex).exporters?.ownerOf(words, at) ?? null;
    if (owner === null) return TENANT_UNKNOWN;
    const tenant = own === TENANT_MISSING ? owner.tenant : agree(owner.tenant, own);
    if (tenant >= 0) flows.tenant[i] = tenant;
    if (owner.pop !== '') flows.pop[i] = this.dictionary.internText(owner.pop);
    return tenant;
  }

  tenantCode(result: number): RejectCode {
    return TENANT_CODES[-result];
  }

  /** Rejects the record because of a negative tenant result. `text` is what the record named, '' for nothing. */
  rejectTenant(
    out: Decoded,
    result: number,
    text: string,
    segmentIndex: number,
    rawStart: number,
    rawLength: number,
  ): void {
    const named = text === '' ? 'the source' : `tenant '${text.slice(0, 100)}'`;
    const detail =
      result === TENANT_MISSING
        ? 'neither the record nor its source names a tenant'
        : result === TENANT_UNKNOWN
          ? `${named} is not configured`
          : result === TENANT_INACTIVE
            ? `${named} is not active`
            : `the record names ${named}, its source another`;
    out.reject(this.tenantCode(result), detail, segmentIndex, rawStart, rawLength);
  }

  /** Dictionary id of the source's PoP; 0 when it names none. Holds for this batch only. */
  popOfSource(sourceIndex: number): number {
    const { pop } = this.source(sourceIndex);
    return this.dictionary.intern(pop, 0, pop.length);
  }

  /**
   * Checks row i, gives it its identifier unless one is set, and adds it to the batch. The row must hold its tenant
   * already. A PoP of 0 becomes the source's. False when the record was rejected instead.
   */
  finishFlow(
    out: Decoded,
    i: number,
    segmentIndex: number,
    batch: RawBatch,
    rawStart: number,
    rawLength: number,
  ): boolean {
    const { flows } = out;
    const ms = flows.timeMs[i];
    const tenant = flows.tenant[i];
    if (!(ms >= EARLIEST_MS && ms < LATEST_MS)) {
      out.reject('timestamp_range', rangeDetail(ms), segmentIndex, rawStart, rawLength, tenant);
      return false;
    }
    const segment = batch.segments[segmentIndex];
    if (flows.pop[i] === 0) {
      const pop = this.popOfSource(segment.source);
      if (pop === 0) {
        const detail = 'neither the record nor its source names a PoP';
        out.reject('pop_missing', detail, segmentIndex, rawStart, rawLength, tenant);
        return false;
      }
      flows.pop[i] = pop;
    } else if (!this.isPop(flows.pop[i])) {
      out.reject('out_of_range', POP_DETAIL, segmentIndex, rawStart, rawLength, tenant);
      return false;
    }
    if (isAhead(batch, segmentIndex, rawStart, ms, SKEW_MS)) flows.flags[i] |= FLOW_FLAG.clockSkew;
    const quad = i * 4;
    if ((flows.id[quad] | flows.id[quad + 1] | flows.id[quad + 2] | flows.id[quad + 3]) === 0) {
      this.ids.placeHash(batch, segmentIndex, rawStart, rawLength);
      flows.id.set(hashWords, quad);
    }
    flows.rawStart[i] = rawStart;
    flows.rawLength[i] = rawLength;
    flows.segment[i] = segmentIndex;
    flows.length = i + 1;
    return true;
  }

  /** Whether a dictionary id is a name that a PoP may have. The last good one is remembered: a few PoPs name all flows. */
  private isPop(id: number): boolean {
    const { dictionary } = this;
    if (id === this.goodPop && dictionary.generation === this.goodPopGeneration) return true;
    // Bytes first: a name of 128 characters has 512 at most.
    if (dictionary.byteLength(id) > MAX_POP * 4 || !isPopName(dictionary.text(id))) return false;
    this.goodPop = id;
    this.goodPopGeneration = dictionary.generation;
    return true;
  }

  /**
   * Adds a log event. The source's declared log source wins over the derived one, field by field. False when the time or
   * the PoP is out of range and the record was rejected.
   */
  pushLog(
    out: Decoded,
    batch: RawBatch,
    segmentIndex: number,
    rawStart: number,
    rawLength: number,
    tenant: number,
    parts: LogParts,
  ): boolean {
    const segment = batch.segments[segmentIndex];
    if (!this.inRange(out, parts.ms, segmentIndex, rawStart, rawLength, tenant)) return false;
    if (parts.pop !== undefined && !isPopName(parts.pop)) {
      out.reject('out_of_range', POP_DETAIL, segmentIndex, rawStart, rawLength, tenant);
      return false;
    }
    const { definition } = this.source(segment.source);
    const declared = definition.logsource;
    const { product, category, service } = parts.logsource;
    out.logs.push({
      ms: parts.ms,
      ns: parts.ns,
      segment: segmentIndex,
      rawStart,
      rawLength,
      tenant,
      pop: parts.pop || definition.pop,
      id: this.ids.ofPlace(batch, segmentIndex, rawStart, rawLength),
      logsource: {
        product: declared.product || product,
        category: declared.category || category,
        service: declared.service || service,
      },
      sourceIp: parts.sourceIp ?? '',
      destinationIp: parts.destinationIp ?? '',
      host: parts.host ?? '',
      user: parts.user ?? '',
      severity: parts.severity ?? '',
      message: parts.message ?? '',
      fields: parts.fields,
      fieldsJson: parts.fieldsJson,
      clockSkew: isAhead(batch, segmentIndex, rawStart, parts.ms, SKEW_MS),
      threat: '',
    });
    return true;
  }

  /** As `pushLog`, of an event that stays JSON: `log` has its time and what it says of its log source. `pop` is its own, or ''. */
  pushJsonLog(out: Decoded, log: JsonLog, pop: string): boolean {
    const { segment: segmentIndex, rawStart, rawLength, tenant, batch, ms } = log;
    if (!this.inRange(out, ms, segmentIndex, rawStart, rawLength, tenant)) return false;
    if (!isPopName(pop)) {
      out.reject('out_of_range', POP_DETAIL, segmentIndex, rawStart, rawLength, tenant);
      return false;
    }
    const { definition } = this.source(batch.segments[segmentIndex].source);
    log.pop = pop || definition.pop;
    log.logsource = this.declared(definition.logsource, log.logsource);
    log.clockSkew = isAhead(batch, segmentIndex, rawStart, ms, SKEW_MS);
    out.logs.push(log);
    this.logsUsed++;
    return true;
  }

  /** What the source declares wins over what the event says, part by part. The same object for the same two. */
  private declared(declared: LogSource, own: LogSource): LogSource {
    if (declared.product === '' && declared.category === '' && declared.service === '') return own;
    if (this.merged.declared !== declared || this.merged.own !== own) {
      const product = declared.product || own.product;
      const category = declared.category || own.category;
      const service = declared.service || own.service;
      this.merged = { declared, own, both: { product, category, service } };
    }
    return this.merged.both;
  }

  /** True for the years 2000–2100; otherwise the record is rejected. For records other than flows. */
  inRange(
    out: Decoded,
    ms: number,
    segmentIndex: number,
    rawStart: number,
    rawLength: number,
    tenant: number,
  ): boolean {
    if (ms >= EARLIEST_MS && ms < LATEST_MS) return true;
    out.reject('timestamp_range', rangeDetail(ms), segmentIndex, rawStart, rawLength, tenant);
    return false;
  }

  /** The tenant to file a reject under when the record's own is not known: the source's, or -1. */
  rejectTenantOf(sourceIndex: number): number {
    return Math.max(-1, this.source(sourceIndex).tenant);
  }

  private source(sourceIndex: number): ResolvedSource {
    return this.entered ?? this.sources[sourceIndex] ?? this.nowhere;
  }

  private lookUp(text: string): number {
    const known = this.tenants.get(text) ?? this.tenants.get(text.toLowerCase());
    if (known === undefined) this.strangers?.add(text);
    return known ?? TENANT_UNKNOWN;
  }

  /** For a tool that looks at records: an event without a time is one all the same, and happens now. */
  get storesNothing(): boolean {
    return this.strangers !== null;
  }

  /** Where strangers are noted, nothing is stored: the source's tenant is then only that of records that name none. */
  private whose(fixed: number, own: number): number {
    return this.strangers === null ? agree(fixed, own) : own;
  }
}

/** `strangers`: for tools that store nothing; see `createDecoder`. */
export function createDecodeContext(
  snapshot: ControlSnapshot,
  dictionary: Dictionary,
  strangers: Set<string> | null = null,
): DecodeContext {
  return new DecodeContext(snapshot, dictionary, strangers);
}

/** The source's tenant and the record's must be one; a source that names none leaves it to the record. */
function agree(fixed: number, own: number): number {
  if (fixed === TENANT_MISSING || own === fixed) return own;
  if (fixed < 0) return fixed;
  return own < 0 ? own : TENANT_MISMATCH;
}

function rangeDetail(ms: number): string {
  const shown = Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : `${ms} ms`;
  return `event time ${shown} lies outside 2000 to 2100`;
}
