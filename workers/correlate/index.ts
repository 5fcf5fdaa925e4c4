// Correlate: packed hits of one lane in stream order → alerts, as rows for `threat_analytics` and `alerts`.
// All that remembers anything lives here. The output is a function of the stream: never of batch boundaries, of the
// number of workers, or of where a snapshot was taken. Semantics: docs/rules/correlation.md.

import { countsNames } from '../../rules/correlate/kinds.ts';
import type { WindowResult } from '../../rules/correlate/window.ts';
import type { RuleSet } from '../../rules/model.ts';
import type { Alert } from '../../src/model/alert.ts';
import type { ControlSnapshot } from '../../src/model/control.ts';
import { hash128, hashWords } from '../../src/model/hash.ts';
import { type HitEvent, HitsReader, type KeyValue, readKey } from '../../src/model/hits.ts';
import type { TenantProgress } from '../../src/model/work.ts';
import type { BookLimits, Output } from './alert-book.ts';
import { buildAlert, EVENT_GROUP, evidenceOf, referenceEvidence } from './alert-builder.ts';
import type { Clock } from './clock.ts';
import { type CompiledRule, compileRules, type KeySource } from './compiled-rule.ts';
import { entityValue, keyBytes } from './entities.ts';
import { StreamNames } from './evidence-pool.ts';
import { readLane, type SavedLane, writeLane } from './lane-snapshot.ts';
import type { Row } from './rows.ts';
import type { GroupLimits, RuleState } from './rule-state.ts';
import { silentEvent } from './silence.ts';
import { closeSaved, TenantState } from './tenant-state.ts';

export { unsupported } from '../../rules/correlate/unsupported.ts';

export interface FiredAlert {
  readonly alert: Alert;
}

export interface Correlated {
  readonly threat: Row[];
  readonly alerts: Row[];
  readonly fired: FiredAlert[];
  /** Records behind the clock of their tenant and dataset by more than the lateness. */
  readonly late: number;
  /** Groups and open alerts forgotten for want of budget. */
  readonly evicted: number;
}

const DEFAULT_LATENESS_MS = 300_000;
const MOST_OPEN_ALERTS = 50_000;
const MOST_SAMPLES = 100;
const RAW_BYTES = 8 << 20;
const ENTRIES_PER_GROUP = 32;
/** Stream names are looked through for unused ones when there are more than this. */
const STREAM_NAMES = 4096;

/** The event that is being looked at. */
interface Current {
  /** Null for a silence, which is no event. */
  reader: HitsReader | null;
  index: number;
  /** Counts events, so that a rule can tell whether it has seen this one. */
  serial: number;
  timeMs: number;
  late: boolean;
  skewed: boolean;
  clock: Clock;
  tenant: TenantState;
  /** Its stream's number in `names`; -1 until it is asked for. */
  stream: number;
  decoded: HitEvent | null;
}

export class Correlator {
  readonly lane: string;
  private rules: CompiledRule[] = [];
  private tenants: TenantState[] = [];
  private applied = false;
  private latenessMs = DEFAULT_LATENESS_MS;
  private bookLimits: BookLimits = { alerts: 0, samples: 0, rawBytes: RAW_BYTES };
  private groupLimits: GroupLimits = { groups: 0, entries: 0, references: 0 };
  private names = new StreamNames();
  private namesLimit = STREAM_NAMES;
  private saved: SavedLane | null = null;
  private output: Output = emptyOutput();
  private current!: Current;
  private serial = 0;
  private readonly result: WindowResult = { value: 0, events: 0, firstMs: 0 };

  constructor(lane: string) {
    this.lane = lane;
  }

  /** A control snapshot comes into force. State of rules whose hash is unchanged is kept; open alerts of others are closed. */
  apply(snapshot: ControlSnapshot, rules: RuleSet): void {
    const { groupsPerRule, valuesPerGroup, evidence } = snapshot.correlate;
    this.latenessMs = snapshot.sources.reduce((most, source) => Math.max(most, source.latenessMs), -1);
    if (this.latenessMs < 0) this.latenessMs = DEFAULT_LATENESS_MS;
    const samples = Math.min(Math.max(0, evidence), MOST_SAMPLES);
    this.bookLimits = { alerts: Math.min(groupsPerRule, MOST_OPEN_ALERTS), samples, rawBytes: RAW_BYTES };
    this.groupLimits = {
      groups: groupsPerRule,
      entries: groupsPerRule * ENTRIES_PER_GROUP + valuesPerGroup,
      references: samples,
    };
    this.rules = compileRules(rules, snapshot.correlate, this.latenessMs);
    const byIdentity = new Map(this.rules.map((rule) => [rule.identity, rule]));
    const before = new Map(this.tenants.map((state) => [state.tenant.id, state]));
    this.tenants = snapshot.tenants.map((tenant) => {
      const state = before.get(tenant.id) ?? new TenantState(tenant);
      before.delete(tenant.id);
      state.bind(tenant, byIdentity, this.output);
      return state;
    });
    for (const gone of before.values()) gone.closeAll(this.output);
    this.applied = true;
    if (this.saved !== null) this.adopt(this.saved, byIdentity);
    this.saved = null;
    for (const tenant of this.tenants) tenant.appoint(this.latenessMs);
  }

  /** Packed hits of one batch, in stream order. */
  add(hits: Uint8Array): void {
    if (!this.applied) throw new Error(`lane ${this.lane}: hits came before a control snapshot`);
    const reader = new HitsReader(hits);
    const clocks = reader.clocks.map(({ tenant, dataset }) => this.tenantAt(tenant).clock(dataset));
    const before = clocks.map((clock) => clock.maxMs);
    let walked = 0;
    let event = -1;
    for (const hit of reader.hits()) {
      if (hit.event !== event) {
        event = hit.event;
        const skewed = reader.skewed(event);
        const place = reader.seenUpTo(event) - (skewed ? 0 : 1);
        this.walk(reader, clocks, walked, place);
        walked = Math.max(walked, place);
        const timeMs = reader.timeMs(event);
        const clock = reader.clock(event);
        this.current = {
          reader,
          index: event,
          serial: ++this.serial,
          timeMs,
          late: timeMs < Math.max(before[clock], reader.clockMs(event)) - this.latenessMs,
          skewed,
          clock: clocks[clock],
          tenant: this.tenantAt(reader.tenant(event)),
          stream: -1,
          decoded: null,
        };
      }
      const rule = this.rules[hit.target];
      if (rule.rule.correlation === null) this.single(rule, hit.key);
      else this.feed(rule, hit.base, hit.key, hit.value, hit.distinct);
    }
    this.walk(reader, clocks, walked, reader.times.length);
    if (this.names.size > this.namesLimit) this.forgetNames();
  }

  /** Everything appended before `atMs` (ms since 1970, journaled) has been added: silence ends windows too. */
  tick(atMs: number): void {
    for (const tenant of this.tenants) {
      const reached = new Map([...tenant.clocks.values()].map((clock) => [clock, clock.tick(atMs)]));
      this.judge(tenant, (clock) => reached.get(clock) ?? clock.maxMs);
      for (const [clock, ms] of reached) if (ms >= clock.nextCloseMs) this.closeDue(clock, ms);
    }
  }

  /** Whether a tick can bring about anything: alerts are open, or groups that may fall silent. */
  get waiting(): boolean {
    return this.tenants.some(({ clocks }) =>
      [...clocks.values()].some(({ nextCloseMs, nextJudgeMs }) => Math.min(nextCloseMs, nextJudgeMs) < Infinity),
    );
  }

  /** What fell due since the last take. `end`: the input ended; every alert whose count changed gets a revision. */
  take(end: boolean): Correlated {
    if (end) for (const tenant of this.tenants) for (const state of tenant.states()) state.book.flush(this.output);
    const output = this.output;
    this.output = emptyOutput();
    return output;
  }

  /** How far the events of each tenant have come; tenants from index `most` on are one, `other`. For metrics only. */
  progress(most: number): TenantProgress[] {
    const found: TenantProgress[] = [];
    let rest = -Infinity;
    this.tenants.forEach((state, index) => {
      const { newestMs } = state;
      if (newestMs === -Infinity) return;
      if (index >= most) rest = Math.max(rest, newestMs);
      else found.push({ tenant: state.tenant.slug, newestMs, watermarkMs: newestMs - this.latenessMs });
    });
    if (rest > -Infinity) found.push({ tenant: 'other', newestMs: rest, watermarkMs: rest - this.latenessMs });
    return found;
  }

  snapshot(): Uint8Array {
    if (!this.applied) throw new Error(`lane ${this.lane}: a snapshot needs a control snapshot in force`);
    return writeLane(this.lane, this.tenants, this.names);
  }

  /** Replaces all state. Throws DamagedSnapshot for bytes that it cannot read, and keeps the state that there was. */
  restore(bytes: Uint8Array): void {
    const saved = readLane(this.lane, bytes);
    this.names = new StreamNames();
    this.output = emptyOutput();
    if (!this.applied) {
      this.saved = saved;
      return;
    }
    this.tenants = this.tenants.map(({ tenant }) => new TenantState(tenant));
    const byIdentity = new Map(this.rules.map((rule) => [rule.identity, rule]));
    for (const state of this.tenants) state.bind(state.tenant, byIdentity, this.output);
    this.adopt(saved, byIdentity);
  }

  private adopt(saved: SavedLane, byIdentity: ReadonlyMap<string, CompiledRule>): void {
    const streams = saved.names.map((name) => this.names.idOf(name));
    const states = new Map(this.tenants.map((state) => [state.tenant.id, state]));
    for (const tenant of saved.tenants) {
      const state = states.get(tenant.id);
      if (state !== undefined) state.adopt(tenant, saved.version, streams, byIdentity, this.output);
      else for (const { bytes } of tenant.rules) closeSaved(bytes, this.output);
    }
    for (const tenant of this.tenants) tenant.appoint(this.latenessMs);
  }

  private tenantAt(index: number): TenantState {
    const state = this.tenants[index];
    if (state === undefined)
      throw new Error(`lane ${this.lane}: hits of tenant ${index}, which the control snapshot lacks`);
    return state;
  }

  /** Moves the clocks over records [from, to) and closes what falls due on the way. */
  private walk(reader: HitsReader, clocks: readonly Clock[], from: number, to: number): void {
    const { times, timeClocks } = reader;
    const lateness = this.latenessMs;
    for (let i = from; i < to; i++) {
      const clock = clocks[timeClocks[i]];
      const time = times[i];
      if (time > clock.maxMs) {
        if (clock.firstMs === Infinity) clock.firstMs = time;
        clock.maxMs = time;
        if (time > clock.nextJudgeMs) this.judge(this.tenantAt(reader.clocks[timeClocks[i]].tenant));
        if (time >= clock.nextCloseMs) this.closeDue(clock);
      } else if (time < clock.maxMs - lateness) this.output.late++;
    }
  }

  /** What time decides: the moments that the watermark has passed. Everything at or after the watermark may still change. */
  private judge(tenant: TenantState, reached = (clock: Clock): number => clock.maxMs): void {
    tenant.judge(reached, this.latenessMs, (state, window, timeMs, value, _events, firstMs) => {
      const { compiled } = state;
      const { groupBy } = compiled.rule.correlation!;
      this.current = {
        reader: null,
        index: -1,
        serial: ++this.serial,
        timeMs,
        late: false,
        skewed: false,
        clock: state.clocks[0],
        tenant,
        stream: -1,
        decoded: silentEvent(groupBy, readKey(window.key), timeMs),
      };
      Object.assign(this.result, { value, events: 1, firstMs });
      const row = state.rowOf(window);
      if (compiled.rule.alerting) this.fire(state, window.key, groupBy, row);
      tenant.follow(compiled, state.clocks);
      if (compiled.feeds.length > 0) this.feedParents(compiled, window.key);
    });
  }

  private closeDue(clock: Clock, nowMs = clock.maxMs): void {
    for (let open = clock.due(nowMs); open !== undefined; open = clock.due(nowMs)) open.book.close(open, this.output);
  }

  private event(): HitEvent {
    const { current } = this;
    current.decoded ??= current.reader!.event(current.index); // a silence comes decoded
    return current.decoded;
  }

  /** A rule that one event fires. */
  private single(rule: CompiledRule, key: Uint8Array): void {
    if (!rule.rule.alerting) return;
    const state = this.current.tenant.state(rule);
    if (key.length > 0) this.fire(state, key, EVENT_GROUP, null);
    else {
      const { names, values } = eventGroup(this.event());
      this.fire(state, keyBytes(values), names, null);
    }
  }

  /** An event advances a correlation; when the condition holds, it fires and feeds the correlations above it. */
  private feed(rule: CompiledRule, base: number, key: Uint8Array, value: number, distinct: Uint8Array | null): void {
    const { current } = this;
    if (current.late || current.skewed || !rule.runnable) return;
    const { type } = rule.rule.correlation!;
    let item = 0;
    let number = value;
    if (type === 'temporal' || type === 'temporal_ordered') {
      const slot = rule.slots.get(base);
      if (slot === undefined) return;
      item = slot;
    } else if (countsNames(rule.rule.correlation!)) {
      if (distinct === null) return;
      item = hash53(distinct);
      if (type === 'first_seen') number = Math.min(current.clock.firstMs, current.timeMs) + rule.learningMs;
    }
    const state = current.tenant.state(rule);
    const row = state.feed(key, current.serial, current.clock, current.timeMs, number, item, this.result);
    if (row >= 0 && rule.rule.alerting) this.fire(state, key, rule.rule.correlation!.groupBy, row);
    if (current.reader !== null) {
      if (current.stream < 0) current.stream = this.names.idOf(current.reader.file(current.index));
      state.note(this.groupLimits.references, current.reader, current.index, current.stream);
    }
    this.output.evicted += state.trim(this.groupLimits);
    if (rule.judged) current.tenant.appointFor(state, this.latenessMs);
    if (row >= 0 && rule.feeds.length > 0) this.feedParents(rule, key);
  }

  private feedParents(rule: CompiledRule, key: Uint8Array): void {
    const own = readKey(key);
    for (const { parent, key: sources, value } of rule.feeds) {
      const part = (source: KeySource): KeyValue => {
        if (source === null) return null;
        return typeof source === 'number' ? (own[source] ?? null) : entityValue(this.event(), source);
      };
      const parts = sources.map(part);
      if (parts.includes(null)) continue; // without one of the group-by fields it belongs to no group
      const field = part(value);
      this.feed(parent, rule.rule.index, keyBytes(parts), 0, field === null ? null : keyBytes([field]));
    }
  }

  private fire(state: RuleState, key: Uint8Array, groupNames: readonly string[], row: number | null): void {
    const { current, result } = this;
    const { compiled } = state;
    const samples = this.bookLimits.samples;
    const window = row === null ? { value: 1, events: 1, firstMs: current.timeMs } : result;
    state.book.fire(
      {
        key,
        timeMs: current.timeMs,
        late: current.late,
        skewed: current.skewed,
        clock: current.clock,
        count: window.events,
        firstMs: window.firstMs,
        first: (untilMs) => {
          const event = this.event();
          const earlier = row === null ? [] : state.references(row, current.timeMs, this.names);
          const own = current.reader === null ? [] : [evidenceOf(event, samples > 0)];
          const evidence = [...earlier.map(referenceEvidence), ...own];
          const tenant = current.tenant.tenant;
          const { events: count, value, firstMs } = window;
          return buildAlert({ compiled, tenant, event, key, groupNames, count, value, firstMs, untilMs, evidence });
        },
        evidence: (withRaw) => (current.reader === null ? null : evidenceOf(this.event(), withRaw)),
      },
      compiled.suppressionMs,
      this.latenessMs,
      this.bookLimits,
      this.output,
    );
  }

  private forgetNames(): void {
    const kept = new StreamNames();
    const rename = (stream: number): number => kept.idOf(this.names.name(stream));
    for (const tenant of this.tenants) for (const state of tenant.states()) state.renameStreams(rename);
    this.names = kept;
    this.namesLimit = Math.max(STREAM_NAMES, kept.size * 2);
  }
}

/** A rule on single events has no group-by: alerts are one a source address, or one a host and user without one. */
function eventGroup(event: HitEvent): { names: readonly string[]; values: KeyValue[] } {
  const source = entityValue(event, 'source_ip');
  if (source !== null) return { names: ['source_ip'], values: [source] };
  return { names: ['host', 'user'], values: [entityValue(event, 'host'), entityValue(event, 'user')] };
}

/** 53 bits of the hash of a value's bytes: equal values are equal numbers. */
function hash53(bytes: Uint8Array): number {
  hash128(bytes, 0, bytes.length, 1);
  return hashWords[0] * 2_097_152 + (hashWords[1] >>> 11);
}

function emptyOutput(): Output {
  return { threat: [], alerts: [], fired: [], late: 0, evicted: 0 };
}
