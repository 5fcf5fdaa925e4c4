// All that a lane remembers of one tenant. Nothing here is shared between tenants (guarantee 3).

import type { Found, JudgedWindow } from '../../rules/correlate/judged-window.ts';
import type { Tenant } from '../../src/model/control.ts';
import { AlertBook, type Output } from './alert-book.ts';
import { ByteReader } from './byte-reader.ts';
import { Clock } from './clock.ts';
import type { CompiledRule } from './compiled-rule.ts';
import type { SavedTenant } from './lane-snapshot.ts';
import { loadAlerts, RuleState } from './rule-state.ts';

export class TenantState {
  tenant: Tenant;
  readonly clocks = new Map<string, Clock>();
  /** By identity of the rule; and by its index in the rule set in force, for speed. */
  private rules = new Map<string, RuleState>();
  private byIndex: (RuleState | undefined)[] = [];
  /** Those that time decides; what feeds another comes first. */
  private judged: RuleState[] = [];

  constructor(tenant: Tenant) {
    this.tenant = tenant;
  }

  /** Highest event time over all datasets; -Infinity before the first. */
  get newestMs(): number {
    let newest = -Infinity;
    for (const { maxMs } of this.clocks.values()) newest = Math.max(newest, maxMs);
    return newest;
  }

  clock(dataset: string): Clock {
    let clock = this.clocks.get(dataset);
    if (clock === undefined) {
      clock = new Clock(dataset);
      this.clocks.set(dataset, clock);
    }
    return clock;
  }

  state(rule: CompiledRule): RuleState {
    const known = this.byIndex[rule.rule.index];
    if (known !== undefined) return known;
    const state = new RuleState(rule);
    this.put(state);
    return state;
  }

  /**
   * Judges what time decides, as far as the slowest clock that feeds each rule has come. A correlation comes after those
   * that feed it, so that what they find is there when it is judged itself.
   */
  judge(
    reached: (clock: Clock) => number,
    latenessMs: number,
    found: (state: RuleState, window: JudgedWindow, ...of: Parameters<Found>) => void,
  ): void {
    // What one finds may bring another into being; its level is higher, so it comes later in the list.
    for (let i = 0; i < this.judged.length; i++) {
      const state = this.judged[i];
      let slowest = Infinity;
      for (const clock of state.clocks) slowest = Math.min(slowest, reached(clock));
      if (state.clocks.length > 0) state.judge(slowest - latenessMs, (...what) => found(state, ...what));
    }
    this.appoint(latenessMs);
  }

  /** What is found by waiting for `clocks` comes late: all that it may feed must wait for them as well. */
  follow(compiled: CompiledRule, clocks: readonly Clock[]): void {
    for (const { parent } of compiled.feeds) {
      const state = this.state(parent);
      for (const clock of clocks) state.follow(clock);
      this.follow(parent, clocks);
    }
  }

  /** Tells each clock the time after which `judge` can do anything. */
  appoint(latenessMs: number): void {
    for (const clock of this.clocks.values()) clock.nextJudgeMs = Infinity;
    for (const state of this.judged) this.appointFor(state, latenessMs);
  }

  appointFor({ dueMs, clocks }: RuleState, latenessMs: number): void {
    const at = dueMs + latenessMs;
    // A clock that is past it already waits for a slower one, which calls.
    for (const clock of clocks) if (at >= clock.maxMs && at < clock.nextJudgeMs) clock.nextJudgeMs = at;
  }

  states(): Iterable<RuleState> {
    return this.rules.values();
  }

  /** New rules come into force: state of those that stay is kept, alerts of the others are closed. */
  bind(tenant: Tenant, byIdentity: ReadonlyMap<string, CompiledRule>, output: Output): void {
    this.tenant = tenant;
    const before = this.rules;
    this.rules = new Map();
    this.byIndex = [];
    this.judged = [];
    for (const [identity, state] of before) {
      const rule = byIdentity.get(identity);
      if (rule === undefined) state.book.closeAll(output);
      else {
        state.compiled = rule;
        this.put(state);
      }
    }
  }

  closeAll(output: Output): void {
    for (const state of this.states()) state.book.closeAll(output);
  }

  /** Takes over what a snapshot holds; alerts of rules that are gone are closed, as `bind` would have. */
  adopt(
    saved: SavedTenant,
    version: number,
    streams: readonly number[],
    byIdentity: ReadonlyMap<string, CompiledRule>,
    output: Output,
  ): void {
    for (const { dataset, ...times } of saved.clocks) Object.assign(this.clock(dataset), times);
    for (const { identity, bytes } of saved.rules) {
      const rule = byIdentity.get(identity);
      if (rule === undefined) closeSaved(bytes, output);
      else {
        const state = new RuleState(rule);
        state.load(new ByteReader(bytes), streams, (dataset) => this.clock(dataset), version);
        this.put(state);
      }
    }
  }

  private put(state: RuleState): void {
    this.rules.set(state.compiled.identity, state);
    this.byIndex[state.compiled.rule.index] = state;
    if (!state.compiled.judged) return;
    this.judged = [...this.judged.filter((other) => other.compiled !== state.compiled), state];
    this.judged.sort((a, b) => a.compiled.level - b.compiled.level || a.compiled.rule.index - b.compiled.rule.index);
  }
}

/** Closes the alerts of a rule (or tenant) that a snapshot holds and the configuration no longer knows. */
export function closeSaved(bytes: Uint8Array, output: Output): void {
  const book = new AlertBook();
  loadAlerts(new ByteReader(bytes), book, (dataset) => new Clock(dataset));
  book.closeAll(output);
}
