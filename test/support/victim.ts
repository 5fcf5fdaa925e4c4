// A run that may be told to die. Child process of the fault, determinism and chaos tests:
//   node victim.js '{"values": {…options of weir run…}, "crash": {"point": "after-insert", "nth": 3}, "sabotage": "no-token"}'
// Prints the run's summary as JSON when it ends by itself or after SIGTERM; says on standard error where it dies.

import { writeSync } from 'node:fs';
import { prepareRun } from '../../src/cli/prepare.ts';
import type { Values } from '../../src/cli/verb.ts';
import { watchControl } from '../../src/cli/watch.ts';
import { type CrashPoint, crashAt } from '../../src/delivery/crashpoints.ts';
import { Fenced, type LaneLog } from '../../src/delivery/lane-log.ts';
import type { Router } from '../../src/delivery/router.ts';
import { RunCounts } from '../../src/delivery/summary.ts';
import { type Faults, startRun } from '../../src/main.ts';
import type { BlockSink, ParcelCarrier } from '../../src/sinks/sink.ts';
import { createLog } from '../../src/telemetry/log.ts';
import type { Sabotage } from './sabotage.ts';

export interface Orders {
  readonly values: Values;
  readonly crash?: { readonly point: CrashPoint; readonly nth: number };
  /** Breaks a promise on purpose, to show that the tests notice. */
  readonly sabotage?: Sabotage;
  /** How far the clock is off, ms. */
  readonly clockOffMs?: number;
}

function faultsOf({ crash, sabotage }: Orders): Faults {
  return {
    ...(crash ? { reach: crashAt(crash.point, crash.nth, () => writeSync(2, `dies at ${crash.point}\n`)) } : {}),
    ...(sabotage === 'commit-before-acknowledgement' ? { store: acknowledgeEarly } : {}),
    ...(sabotage === 'no-token' ? { store: forgetTokens } : {}),
    ...(sabotage === 'snapshot-skipped' ? { router: keepFirstSnapshot } : {}),
    ...(sabotage === 'epoch-unchecked' ? { log: writeThoughFenced } : {}),
  };
}

const FRAMED: ReadonlySet<string> = new Set(['flows', 'session_events', 'tunnel_stats']);

/** Says "stored" at once and stores half a second later. */
function acknowledgeEarly(store: BlockSink, carrier: ParcelCarrier): BlockSink {
  let queue = Promise.resolve();
  return {
    close: () => queue.then(() => store.close()),
    isolate: (block, isolation) => store.isolate(block, isolation),
    write: async (block) => {
      if (prepared.config.store.kind === 'servers' && FRAMED.has(block.table)) return store.write(block); // cannot be kept
      const own = block.chunks.map((chunk) => chunk.slice());
      const kept = { ...block, chunks: [...own, ...(await carrier.collect(block.parcels ?? []))], parcels: [] };
      queue = queue.then(() => new Promise((resolve) => setTimeout(resolve, 500))).then(() => store.write(kept));
    },
  };
}

let writes = 0;

function forgetTokens(store: BlockSink): BlockSink {
  return {
    close: () => store.close(),
    isolate: (block, isolation) => store.isolate(block, isolation),
    write: (block) => store.write({ ...block, token: `${block.token}-${process.pid}-${writes++}` }),
  };
}

/** Commits new offsets with old state. */
function keepFirstSnapshot(router: Router): Router {
  const first = new Map<string, Uint8Array>();
  const closeBlock = router.closeBlock.bind(router);
  router.closeBlock = async (lane, how) => {
    const effects = await closeBlock(lane, how);
    if (!effects.snapshot) return effects;
    const kept = first.get(lane) ?? effects.snapshot.slice();
    first.set(lane, kept);
    return { ...effects, snapshot: kept };
  };
  return router;
}

/** Goes on as if the lane were still its own. */
function writeThoughFenced(log: LaneLog): LaneLog {
  const unlessFenced = (error: unknown): void => {
    if (!(error instanceof Fenced)) throw error;
  };
  return {
    commit: log.commit,
    pending: log.pending,
    append: (line, outgoing) => log.append(line, outgoing).catch(unlessFenced),
    save: (commit) => log.save(commit).catch(unlessFenced),
    close: () => log.close(),
  };
}

const orders = JSON.parse(process.argv[2]) as Orders;
if (orders.clockOffMs) {
  const now = Date.now.bind(Date);
  Date.now = () => now() + (orders.clockOffMs ?? 0);
}
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());
const prepared = await prepareRun(orders.values);
const log = createLog('warn');
let unwatch = (): void => {};
try {
  const { summary } = await startRun({
    config: prepared.config,
    documents: prepared.documents,
    stdin: process.stdin,
    counts: new RunCounts(() => {}),
    log,
    signal: stop.signal,
    started: (started) => {
      if (prepared.config.sources.some(({ topic }) => topic !== '')) unwatch = watchControl(prepared, started, log);
    },
    faults: faultsOf(orders),
  });
  await new Promise((resolve) => process.stdout.write(`${JSON.stringify(summary)}\n`, resolve));
} finally {
  unwatch();
}
process.exit(0); // as the command line does, for the same reason
