// A run that may be told to die. Child process of the fault and determinism tests:
//   node victim.js '{"values": {…options of weir run…}, "crash": {"point": "after-insert", "nth": 3}, "sabotage": "no-token"}'
// Prints the run's summary as JSON when it ends by itself.

import { prepareRun } from '../../src/cli/prepare.ts';
import type { Values } from '../../src/cli/verb.ts';
import { type CrashPoint, crashAt } from '../../src/delivery/crashpoints.ts';
import type { Router } from '../../src/delivery/router.ts';
import { RunCounts } from '../../src/delivery/summary.ts';
import { type Faults, startRun } from '../../src/main.ts';
import type { BlockSink, ParcelCarrier } from '../../src/sinks/sink.ts';
import { createLog } from '../../src/telemetry/log.ts';

export interface Orders {
  readonly values: Values;
  readonly crash?: { readonly point: CrashPoint; readonly nth: number };
  /** Breaks a promise on purpose, to show that the tests notice. */
  readonly sabotage?: 'commit-before-acknowledgement' | 'no-token' | 'snapshot-skipped';
}

function faultsOf({ crash, sabotage }: Orders): Faults {
  return {
    ...(crash ? { reach: crashAt(crash.point, crash.nth) } : {}),
    ...(sabotage === 'commit-before-acknowledgement' ? { store: acknowledgeEarly } : {}),
    ...(sabotage === 'no-token' ? { store: forgetTokens } : {}),
    ...(sabotage === 'snapshot-skipped' ? { router: keepFirstSnapshot } : {}),
  };
}

/** Says "stored" at once and stores half a second later. */
function acknowledgeEarly(store: BlockSink, carrier: ParcelCarrier): BlockSink {
  let queue = Promise.resolve();
  return {
    close: () => queue.then(() => store.close()),
    write: async (block) => {
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
    write: (block) => store.write({ ...block, token: `${block.token}-${process.pid}-${writes++}` }),
  };
}

/** Commits new offsets with old state. */
function keepFirstSnapshot(router: Router): Router {
  const first = new Map<string, Uint8Array>();
  const closeBlock = router.closeBlock.bind(router);
  router.closeBlock = async (lane, end, commit) => {
    const effects = await closeBlock(lane, end, commit);
    if (!effects.snapshot) return effects;
    const kept = first.get(lane) ?? effects.snapshot.slice();
    first.set(lane, kept);
    return { ...effects, snapshot: kept };
  };
  return router;
}

const orders = JSON.parse(process.argv[2]) as Orders;
const { config, documents } = await prepareRun(orders.values);
const { summary } = await startRun({
  config,
  documents,
  stdin: process.stdin,
  counts: new RunCounts(() => {}),
  log: createLog('warn'),
  signal: new AbortController().signal,
  faults: faultsOf(orders),
});
process.stdout.write(`${JSON.stringify(summary)}\n`);
