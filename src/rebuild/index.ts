// Makes the sums of traffic_analytics and of its coarser tables those of the stored flows, a tenant and a day at a time. In: spans of whole
// hours behind the watermark. Out: what each needed. See docs/decisions/0015.

import { randomUUID } from 'node:crypto';
import type { Engine } from '../purge/tables.ts';
import type { Barrier } from './barrier.ts';
import { APPLY_SECONDS, apply, journal, plan, unfinished } from './corrections.ts';
import type { FlowSums, Span } from './flows.ts';

export interface RebuildKit {
  readonly engine: Engine;
  readonly flows: FlowSums;
  readonly barrier: Barrier;
  /** Throws when this rebuild may no longer write. */
  readonly check: () => void;
  /** For the tests: places to die. */
  readonly reach?: (point: string) => void;
}

export interface Rebuilt extends Span {
  /** `busy`: flows kept coming for these hours, so that no two sums were comparable. Nothing was changed. */
  readonly outcome: 'right' | 'corrected' | 'busy';
  readonly flows: number;
  /** Keys whose sums were wrong, by table. */
  readonly corrected: Readonly<Record<string, number>>;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const ATTEMPTS = 4;
/** A planned rebuild may be carried out under its tokens until then, s: tables remember 10,000 blocks, and forget them one day. */
const TOKEN_SECONDS = APPLY_SECONDS * 2;

/** What is to be worked on at once: within a day, and so within a month, which is a partition. */
export function* spansOf({ tenant, from, to }: Span): Generator<Span> {
  for (let at = from; at < to; ) {
    const next = Math.min(to, (Math.floor(at / DAY) + 1) * DAY);
    yield { tenant, from: at, to: next };
    at = next;
  }
}

/** One tenant. Everything that an earlier rebuild of it left undone is done first. */
export async function* rebuildTenant(kit: RebuildKit, span: Span): AsyncGenerator<Rebuilt> {
  const { engine, check } = kit;
  for (const left of await unfinished(engine, span.tenant)) {
    check();
    // Its insert may still be under way, under the same token: so there is one of it in the end. Later, nothing is under way any
    // more, and the tokens may be forgotten: then the hours are compared anew, whatever of it arrived.
    if (left.age < TOKEN_SECONDS) await apply(engine, left.id, span.tenant);
    else yield* rebuildSpan(kit, left.span);
    await journal(engine, left.id, left.span, 'done');
  }
  for (const part of spansOf(span)) yield* rebuildSpan(kit, part);
}

async function* rebuildSpan(kit: RebuildKit, span: Span): AsyncGenerator<Rebuilt> {
  const { engine, flows, barrier, check, reach = () => {} } = kit;
  for (let attempt = 1; ; attempt++) {
    const id = randomUUID();
    const counted = await flows.load(id, span);
    reach('after-flows');
    await barrier.storedAreCounted(); // rollups of all these flows are in
    const corrections = await plan(engine, id, span);
    await barrier.countedAreStored(); // flows of all those rollups are in
    // Equal sums twice, around those of the rollups: both sides were of the same records.
    if (!(await flows.unchanged())) {
      if (attempt < ATTEMPTS) continue;
      yield { ...span, outcome: 'busy', flows: counted, corrected: {} };
      return;
    }
    if (corrections.size === 0) {
      yield { ...span, outcome: 'right', flows: counted, corrected: {} };
      return;
    }
    check();
    await journal(engine, id, span, 'planned');
    reach('after-plan');
    await apply(engine, id, span.tenant, reach);
    await journal(engine, id, span, 'done');
    yield { ...span, outcome: 'corrected', flows: counted, corrected: Object.fromEntries(corrections) };
    return;
  }
}
