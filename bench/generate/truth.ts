// The ground truth of generated telemetry, computed from the events themselves and never through Weir's code path,
// and what a run found of it.

import type { GeneratedEvent } from './event.ts';
import type { Story } from './stories.ts';

export interface TruthStory {
  readonly name: string;
  readonly tenant_id: string;
  readonly entities: readonly string[];
  readonly techniques: readonly string[];
  readonly records: number;
}

export interface Truth {
  readonly scenario: string;
  readonly seed: number;
  readonly records: Record<GeneratedEvent['kind'], number>;
  /** By tenant: flows and sums of every counter. */
  readonly totals: Record<
    string,
    { flows: number; bytes_sent: number; bytes_received: number; packets_sent: number; packets_received: number }
  >;
  readonly stories: readonly TruthStory[];
}

export class TruthCounter {
  private readonly records = { flow: 0, log: 0, session: 0, tunnel: 0 };
  private readonly totals: Truth['totals'] = {};

  add({ kind, fields, world }: GeneratedEvent): void {
    this.records[kind]++;
    if (kind !== 'flow') return;
    this.totals[world.id] ??= { flows: 0, bytes_sent: 0, bytes_received: 0, packets_sent: 0, packets_received: 0 };
    const total = this.totals[world.id];
    total.flows++;
    for (const name of ['bytes_sent', 'bytes_received', 'packets_sent', 'packets_received'] as const) {
      total[name] += Number(fields[name]);
    }
  }

  truth(scenario: string, seed: number, stories: readonly Story[]): Truth {
    return {
      scenario,
      seed,
      records: this.records,
      totals: this.totals,
      stories: stories.map(({ name, world, entities, techniques, events }) => ({
        name,
        tenant_id: world.id,
        entities,
        techniques,
        records: events.length,
      })),
    };
  }
}

/** The parts of an alert that it is judged by. */
export interface JudgedAlert {
  readonly tenant_id: string;
  readonly rule: string;
  readonly techniques: readonly string[];
  /** Addresses, users, group values: everything it names. */
  readonly names: readonly string[];
}

export interface StoryVerdict {
  readonly story: string;
  readonly found: boolean;
  /** Alerts about the story, and alerts of the same kind (technique) about nothing that happened. */
  readonly alerts: number;
  readonly false_alerts: number;
  readonly precision: number;
  readonly recall: number;
}

export interface Verdict {
  readonly stories: readonly StoryVerdict[];
  readonly alerts: number;
  /** Alerts about no story at all. */
  readonly false_alerts: number;
  /** Rules behind the false alerts, with counts. */
  readonly false_by_rule: Readonly<Record<string, number>>;
}

const related = (story: TruthStory, alert: JudgedAlert): boolean =>
  story.tenant_id === alert.tenant_id && story.entities.some((entity) => alert.names.includes(entity));

/** An operational story (no technique) is told by any alert that names it; an attack by one of its techniques, parents included. */
function sameKind(story: TruthStory, alert: JudgedAlert): boolean {
  if (story.techniques.length === 0) return alert.techniques.length === 0;
  const parent = (id: string): string => id.split('.')[0];
  return alert.techniques.some((id) => story.techniques.some((known) => parent(known) === parent(id)));
}

export function judge(truth: Truth, alerts: readonly JudgedAlert[]): Verdict {
  const unrelated = alerts.filter((alert) => !truth.stories.some((story) => related(story, alert)));
  const stories = truth.stories.map((story) => {
    const own = alerts.filter((alert) => related(story, alert) && sameKind(story, alert)).length;
    const wrong = unrelated.filter((alert) => sameKind(story, alert)).length;
    const precision = own + wrong === 0 ? 0 : own / (own + wrong);
    return { story: story.name, found: own > 0, alerts: own, false_alerts: wrong, precision, recall: own > 0 ? 1 : 0 };
  });
  const falseByRule: Record<string, number> = {};
  for (const { rule } of unrelated) falseByRule[rule] = (falseByRule[rule] ?? 0) + 1;
  return { stories, alerts: alerts.length, false_alerts: unrelated.length, false_by_rule: falseByRule };
}
