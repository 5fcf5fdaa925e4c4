// In: the accepted records of a batch, enriched and decided. Out: hits (src/model/hits.ts): every record's event time in
// stream order, and for each record that rules match one event with the hits of those rules and of their correlations.
// Flows are matched as columns; logs, sessions and tunnel statistics as events. Pure: nothing outlives the batch.

import type { RuleSet } from '../../rules/model.ts';
import { appliesToFlows, LogView, type Matches, numericOf, TablePlan } from '../../rules/plan/index.ts';
import { isAhead, type RawBatch } from '../../src/model/batch.ts';
import type { ControlSnapshot } from '../../src/model/control.ts';
import type { Decoded } from '../../src/model/decoded.ts';
import type { Dictionary } from '../../src/model/dictionary.ts';
import type { HitsWriter } from '../../src/model/hits.ts';
import type { LogEvent, LogSource } from '../../src/model/records.ts';
import { SKEW_MS } from '../decode/context.ts';
import { createEnvironment } from './environment.ts';
import { EventWriter, endOf, isSkewed, type Seen } from './events.ts';
import { Feeds } from './feeds.ts';
import { FlowTable } from './flow-table.ts';
import { flowKeyPart, logKeyPart } from './keys.ts';
import { LOG_NAMES } from './log-names.ts';
import { LogRules } from './log-rules.ts';
import { inStreamOrder } from './order.ts';
import { sessionEvent, tunnelEvent } from './records.ts';

export { ENTITY_KEY } from './keys.ts';

export function createMatcher(
  snapshot: ControlSnapshot,
  rules: RuleSet,
  dictionary: Dictionary,
): (batch: RawBatch, decoded: Decoded, hits: HitsWriter) => void {
  const matcher = new Matcher(snapshot, rules, dictionary);
  return (batch, decoded, hits) => matcher.match(batch, decoded, hits);
}

class Matcher {
  private readonly table: FlowTable;
  private readonly view = new LogView(LOG_NAMES);
  /** Rule index by position in the flow plan. */
  private readonly flowRules: readonly number[];
  private readonly flowPlan: TablePlan;
  private readonly flowFeeds: Feeds;
  private readonly logRules: LogRules;
  private readonly logFeeds: Feeds;
  private readonly events: EventWriter;
  private readonly seen: Seen = { timeMs: 0, clockMs: 0, clock: 0, skewed: false };
  /** Clock index by tenant, of flows in this batch; -1 = not asked for yet. */
  private readonly flowClocks: Int32Array;
  private readonly lastClock: { source: LogSource | null; tenant: number; clock: number } = {
    source: null,
    tenant: 0,
    clock: 0,
  };

  constructor(snapshot: ControlSnapshot, rules: RuleSet, dictionary: Dictionary) {
    const environment = createEnvironment(snapshot);
    const table = new FlowTable(snapshot, dictionary);
    this.table = table;
    this.flowFeeds = new Feeds(rules, {
      part: (field) => flowKeyPart(table.column(field), dictionary),
      number: (field) => {
        const column = table.column(field);
        if (column.kind === 'number') return column.at;
        return (row) => numericOf(column.values(row)[0] ?? '');
      },
    });
    this.logFeeds = new Feeds(rules, {
      part: (field) => logKeyPart(this.view, field),
      number: (field) => {
        const slot = this.view.slot(field);
        return () => numericOf(this.view.values(slot).first() ?? '');
      },
    });
    const useful = rules.rules.filter((rule) => rule.detection !== null && this.flowFeeds.has(rule.index));
    const forFlows = useful.filter((rule) => appliesToFlows(rule.logsource));
    this.flowRules = forFlows.map(({ index }) => index);
    const predicates = forFlows.flatMap(({ detection }) => (detection === null ? [] : [detection]));
    this.flowPlan = new TablePlan(predicates, table, environment);
    this.logRules = new LogRules(useful, this.view, environment);
    this.events = new EventWriter(snapshot, dictionary);
    this.flowClocks = new Int32Array(snapshot.tenants.length);
  }

  match(batch: RawBatch, decoded: Decoded, hits: HitsWriter): void {
    this.lastClock.source = null;
    const { logs, sessions, tunnels, flows } = decoded;
    this.flowClocks.fill(-1);
    this.table.bind(flows, batch);
    const matches = this.flowPlan.run(flows.length);
    inStreamOrder(decoded, {
      flow: (row) => this.flow(batch, decoded, row, matches, hits),
      log: (i) => this.log(batch, logs[i], '', '', hits),
      session: (i) => {
        const session = sessions[i];
        const skewed = isAhead(batch, session.segment, session.rawStart, session.ms, SKEW_MS);
        this.log(batch, sessionEvent(session, skewed), session.deviceId, '', hits);
      },
      tunnel: (i) => {
        const stat = tunnels[i];
        const skewed = isAhead(batch, stat.segment, stat.rawStart, stat.ms, SKEW_MS);
        this.log(batch, tunnelEvent(stat, skewed), '', stat.tunnelId, hits);
      },
    });
  }

  private flow(batch: RawBatch, { flows }: Decoded, row: number, matches: Matches, hits: HitsWriter): void {
    const { seen, flowClocks } = this;
    const tenant = flows.tenant[row];
    if (flowClocks[tenant] < 0) flowClocks[tenant] = hits.clockOf(tenant, 'flow');
    seen.clock = flowClocks[tenant];
    seen.timeMs = endOf(flows, row);
    seen.skewed = isSkewed(flows, row);
    seen.clockMs = hits.see(seen.clock, seen.timeMs, seen.skewed);
    let written = false;
    for (let at = matches.head[row]; at >= 0; at = matches.next[at]) {
      const rule = this.flowRules[matches.predicate[at]];
      const before = written ? null : (): void => this.events.flow(batch, flows, row, seen, hits);
      if (this.flowFeeds.write(rule, row, hits, before) > 0) written = true;
    }
  }

  /** Events of a log source mostly follow each other, and then share the object that names it. */
  private clockOf({ tenant, logsource }: LogEvent, hits: HitsWriter): number {
    const { lastClock } = this;
    if (lastClock.source !== logsource || lastClock.tenant !== tenant) {
      const { product, category, service } = logsource;
      lastClock.clock = hits.clockOf(tenant, `${product}/${category}/${service}`);
      lastClock.tenant = tenant;
      lastClock.source = logsource;
    }
    return lastClock.clock;
  }

  private log(batch: RawBatch, event: LogEvent, device: string, tunnel: string, hits: HitsWriter): void {
    const { seen, view } = this;
    seen.clock = this.clockOf(event, hits);
    seen.timeMs = event.ms;
    seen.skewed = event.clockSkew;
    seen.clockMs = hits.see(seen.clock, seen.timeMs, seen.skewed);
    const plan = this.logRules.planFor(event.logsource);
    if (plan === null) return;
    view.bind(event);
    let written = false;
    for (const rule of plan.match()) {
      const before = written ? null : (): void => this.events.log(batch, view, device, tunnel, seen, hits);
      if (this.logFeeds.write(rule, 0, hits, before) > 0) written = true;
    }
  }
}
