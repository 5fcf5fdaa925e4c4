// The plan of each log source: the rules that apply to it, compiled when the first such event comes.

import type { Rule } from '../../rules/model.ts';
import { appliesTo, LogPlan, type LogView, type PlanEnvironment } from '../../rules/plan/index.ts';
import type { LogEvent, LogSource } from '../../src/model/records.ts';

/** Guarantee 4: events name their own services, so the table of them is bounded. */
const MAX_SOURCES = 4096;

export class LogRules {
  private readonly rules: readonly Rule[];
  private readonly view: LogView<LogEvent>;
  private readonly environment: PlanEnvironment;
  private bySource = new Map<string, LogPlan<LogEvent> | null>();
  /** Many log sources share the same few sets of rules. */
  private readonly byRules = new Map<string, LogPlan<LogEvent>>();

  /** Events of a log source mostly follow each other, and then share the object that names it. */
  private last: LogSource | null = null;
  private lastPlan: LogPlan<LogEvent> | null = null;

  constructor(rules: readonly Rule[], view: LogView<LogEvent>, environment: PlanEnvironment) {
    this.rules = rules;
    this.view = view;
    this.environment = environment;
  }

  /** null when no rule applies to the log source. */
  planFor(source: LogSource): LogPlan<LogEvent> | null {
    if (this.last === source) return this.lastPlan;
    this.last = source;
    this.lastPlan = this.lookUp(source);
    return this.lastPlan;
  }

  private lookUp(source: LogSource): LogPlan<LogEvent> | null {
    const key = `${source.product}\0${source.category}\0${source.service}`;
    let plan = this.bySource.get(key);
    if (plan === undefined) {
      if (this.bySource.size >= MAX_SOURCES) this.bySource = new Map();
      plan = this.compile(source);
      this.bySource.set(key, plan);
    }
    return plan;
  }

  private compile(source: LogSource): LogPlan<LogEvent> | null {
    const applying = this.rules.filter((rule) => appliesTo(rule.logsource, source));
    if (applying.length === 0) return null;
    const ids = applying.map(({ index }) => index);
    const key = ids.join();
    let plan = this.byRules.get(key);
    if (plan === undefined) {
      const predicates = applying.flatMap(({ detection }) => (detection === null ? [] : [detection]));
      plan = new LogPlan(predicates, ids, this.view, this.environment);
      this.byRules.set(key, plan);
    }
    return plan;
  }
}
