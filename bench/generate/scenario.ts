// Scenarios: what is generated, in the order in which it reaches Weir.

import { Background } from './background.ts';
import type { GeneratedEvent } from './event.ts';
import { Random } from './random.ts';
import { type Story, TELLERS } from './stories.ts';
import { TWINS } from './twins.ts';
import { START_MS, WORLDS, type World } from './world.ts';

export const SCENARIOS = {
  demo: 'an hour of four PoPs and three tenants: ordinary traffic, benign twins and every attack story',
  quiet: 'the same hour without attacks: any alert is a false one',
  flows: 'ordinary flows only, for load',
} as const;
export type ScenarioName = keyof typeof SCENARIOS;

export interface ScenarioOptions {
  readonly name: ScenarioName;
  readonly seed: number;
  /** Records in all; stories and twins are inside (never fewer than they need). */
  readonly records: number;
  /** Slug of the only tenant, or '' for all. */
  readonly tenant: string;
}

export interface Scenario {
  readonly stories: readonly Story[];
  /** Events in order of arrival. */
  events(): Generator<GeneratedEvent>;
}

const HOUR_MS = 3_600_000;

export function createScenario(options: ScenarioOptions): Scenario {
  const { name, seed, tenant } = options;
  const worlds = WORLDS.filter((world) => tenant === '' || world.slug === tenant);
  const end = START_MS + HOUR_MS;
  const stories = name === 'demo' ? tell(worlds, seed, end) : [];
  const special: GeneratedEvent[] = stories.flatMap((story) => [...story.events]);
  if (name !== 'flows') {
    for (const world of worlds) {
      TWINS.forEach((twin, i) => {
        special.push(...twin(world, new Random(seed, `twin ${i} ${world.slug}`), START_MS, end));
      });
    }
  }
  special.sort((a, b) => a.at - b.at);
  return { stories, events: () => mixed(worlds, seed, options.records - special.length, special, end) };
}

/** Each story is told once, to a tenant drawn by the seed. */
function tell(worlds: readonly World[], seed: number, end: number): Story[] {
  return TELLERS.map((teller, i) => {
    const random = new Random(seed, `story ${i}`);
    return teller(random.pick(worlds), random, START_MS, end);
  });
}

/** How far events may reach Weir out of order: background flows wait in a heap until nothing earlier can come. */
const HOLD = 256;

function* mixed(
  worlds: readonly World[],
  seed: number,
  ordinary: number,
  special: readonly GeneratedEvent[],
  end: number,
): Generator<GeneratedEvent> {
  const random = new Random(seed, 'background');
  const background = new Background(random);
  const held: GeneratedEvent[] = [];
  let next = 0;
  const release = function* (keep: number): Generator<GeneratedEvent> {
    if (held.length <= keep) return;
    held.sort((a, b) => a.at - b.at);
    for (const event of held.splice(0, held.length - keep)) {
      while (next < special.length && special[next].at <= event.at) yield special[next++];
      yield event;
    }
  };
  for (let i = 0; i < ordinary; i++) {
    held.push(background.next(random.pick(worlds), START_MS + Math.floor(((end - START_MS) * i) / ordinary)));
    if (held.length >= HOLD * 2) yield* release(HOLD);
  }
  yield* release(0);
  while (next < special.length) yield special[next++];
}
