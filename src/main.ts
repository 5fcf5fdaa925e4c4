// Composition root: what a run is built of, in the order in which it is started; stopped in reverse.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { OperationalError } from './cli/verb.ts';
import type { Config } from './config/schema.ts';
import { buildSnapshot, type ControlDocuments, loadSnapshot, readRuleFiles, saveSnapshot } from './control/index.ts';
import { neverCrash, type Reach } from './delivery/crashpoints.ts';
import { type DataDirectory, openDataDirectory } from './delivery/directory.ts';
import { reportLanes } from './delivery/gauges.ts';
import { merged } from './delivery/in-order.ts';
import { Lane } from './delivery/lane.ts';
import { type LaneLog, openFileLog } from './delivery/lane-log.ts';
import { type LaneRun, lanesAtOnce } from './delivery/lane-run.ts';
import { Router } from './delivery/router.ts';
import type { RunCounts, RunSummary } from './delivery/summary.ts';
import { Traffic } from './delivery/traffic.ts';
import { watchedLog } from './delivery/watched-log.ts';
import { listen } from './http/listener.ts';
import type { KafkaHost, LaneKit } from './kafka/host.ts';
import { utf8 } from './model/bytes.ts';
import type { ControlSnapshot } from './model/control.ts';
import { hashHex } from './model/hash.ts';
import { SlabPool } from './model/slabs.ts';
import { runPipeline } from './pipeline.ts';
import { groupOf, openSinks, workerSetup } from './sinks/open.ts';
import type { BlockSink, ParcelCarrier, Reader } from './sinks/sink.ts';
import { createSource, type Source, type SourceNote, slabBytes } from './sources/index.ts';
import type { Log } from './telemetry/log.ts';

export interface RunRequest {
  readonly config: Config;
  readonly documents: ControlDocuments;
  readonly stdin: NodeJS.ReadableStream;
  readonly counts: RunCounts;
  readonly log: Log;
  /** First request to stop: finish what was taken, commit, return. */
  readonly signal: AbortSignal;
  /** From here on nobody waits for a store that cannot take anything; the same as `signal` when it is left out. */
  readonly deadline?: AbortSignal;
  /** Called once everything is built, before the first batch. */
  readonly started?: (run: StartedRun) => void;
  /** Called when everything is stored, before the store is closed; null: the store keeps nothing that can be read. */
  readonly finishing?: (reader: Reader | null) => Promise<void>;
  /** For the crash tests: places to die, and a store or router between Weir and the real one. */
  readonly faults?: Faults;
}

export interface Faults {
  readonly reach?: Reach;
  readonly store?: (store: BlockSink, carrier: ParcelCarrier) => BlockSink;
  readonly router?: (router: Router) => Router;
  /** Wraps the log of every lane of Kafka. */
  readonly log?: (log: LaneLog) => LaneLog;
}

export interface StartedRun {
  readonly snapshot: ControlSnapshot;
  readonly workers: number;
  readonly totalBytes: number;
  /** Puts changed documents (tenants, policies, rules, lists) in force from the next batch on. */
  reload(documents: ControlDocuments): Promise<void>;
}

export interface RunResult {
  readonly summary: RunSummary;
  readonly notes: readonly SourceNote[];
}

export async function startRun(request: RunRequest): Promise<RunResult> {
  const { config, counts, signal, faults = {} } = request;
  const directory = openDataDirectory(config.data);
  const { telemetry } = counts;
  const opened: (() => Promise<unknown>)[] = [async () => directory.release()];
  const stopping = (): void => {
    telemetry.health.phase = 'stopping';
  };
  try {
    opened.unshift(await serveHttp(request)); // closed last: a probe is answered up to the end
    const kafka = config.sources.some(({ topic }) => topic !== '') ? await connectKafka(request) : null;
    if (kafka) opened.push(() => kafka.close());
    const makeSnapshot = (documents: ControlDocuments): Promise<ControlSnapshot> =>
      snapshotOf(directory, config, documents, kafka?.lanes ?? 0);
    const snapshot = await makeSnapshot(request.documents);
    const plain = new Router(config.workers, workerSetup(config, kafka !== null), telemetry.stages);
    opened.push(() => plain.stop());
    const router = faults.router?.(plain) ?? plain;
    const { sink, reader, endpoint } = await openSinks({
      config,
      root: directory.root,
      carrier: router,
      messages: kafka ? await kafka.sink() : null,
      log: request.log,
      signal: request.deadline ?? signal,
      telemetry,
      wrap: faults.store && ((store) => faults.store!(store, router)),
    });
    opened.push(() => sink.close());
    if (endpoint) opened.push(() => endpoint.close());
    const kit = laneKit(directory, request, snapshot, router, sink);
    const sources = createSources(directory, request, snapshot, router, kit.slabs);
    const lanes = await openLanes(directory, request, kit, sources);
    reportLanes({ counts, slabs: kit.slabs, lanes: () => [...lanes, ...(kafka?.openLanes() ?? [])] });
    if (kafka) counts.gaps.readsAll = () => kafka.openLanes().length === kafka.lanes;
    if (kafka) await kafka.start(kit);
    telemetry.health.phase = 'running';
    signal.addEventListener('abort', stopping);
    if (signal.aborted) stopping();
    request.started?.({
      snapshot,
      workers: router.workers,
      totalBytes: await totalBytes(sources, lanes),
      reload: async (documents) => {
        const next = await makeSnapshot(documents);
        for (const lane of lanes) await lane.changeControl(next);
        await kafka?.changeControl(next);
      },
    });
    const all = (stop: AbortSignal): AsyncIterable<LaneRun> =>
      kafka ? merged([lanesAtOnce(lanes), kafka.runs(stop)]) : lanesAtOnce(lanes);
    await runPipeline({ lanes: all, router, reach: kit.reach }, signal);
    await request.finishing?.(reader);
    const notes = [...sources.flatMap((source) => source.notes()), ...(kafka?.notes() ?? [])];
    return { summary: counts.summary(router.workers), notes };
  } finally {
    signal.removeEventListener('abort', stopping);
    stopping();
    for (const close of opened.reverse()) await close();
  }
}

/**
 * An input that is missing ends the run here, before anything is read. Unless there is something to recover: that comes
 * first, may find its files elsewhere, and says better what is needed.
 */
async function totalBytes(sources: readonly Source[], lanes: readonly Lane[]): Promise<number> {
  const recovering = lanes.some((lane) => lane.recovering);
  let total = 0;
  for (const source of sources) {
    try {
      total += await source.totalBytes();
    } catch (error) {
      if (!recovering || !(error instanceof OperationalError) || error.code !== 'input_missing') throw error;
    }
  }
  return total;
}

async function snapshotOf(
  directory: DataDirectory,
  config: Config,
  documents: ControlDocuments,
  lanes: number,
): Promise<ControlSnapshot> {
  const snapshot = await buildSnapshot(config, documents, await readRuleFiles(config), directory.root, lanes);
  await saveSnapshot(directory.root, snapshot);
  return snapshot;
}

/** Append times are journaled; a coarse clock keeps neighbouring ranges together. Skew is counted in minutes. */
const CLOCK_MS = 30_000;
const coarseNow = (): number => Math.floor(Date.now() / CLOCK_MS) * CLOCK_MS;

/** Kafka, where a source has a topic. Loaded only then. */
async function connectKafka({ config, counts, log }: RunRequest): Promise<KafkaHost> {
  const { KafkaHost } = await import('./kafka/host.ts');
  return KafkaHost.connect(config, groupOf(config), (message, fields) => log.warn(fields, message), counts.telemetry);
}

/** Health and metrics, where they are asked for. Returns what ends it. */
async function serveHttp({ config, counts, log }: RunRequest): Promise<() => Promise<void>> {
  const { host, port } = config.http;
  if (port === 0) return async () => {};
  const { health, metrics } = counts.telemetry;
  const listener = await listen({ host, port, health, metrics: () => metrics.text() });
  log.info({ address: listener.address }, 'health and metrics are served');
  return () => listener.close();
}

/** What all lanes are made of. */
function laneKit(
  directory: DataDirectory,
  { config, counts, faults = {} }: RunRequest,
  snapshot: ControlSnapshot,
  router: Router,
  store: BlockSink,
): LaneKit {
  const { block, snapshot: state, batch } = config;
  const size = slabBytes(batch.bytes, snapshot.limits.recordBytes);
  const least = (router.workers * 3 + config.sources.length * 2) * size;
  return {
    root: directory.root,
    snapshot,
    router,
    store,
    observer: counts,
    traffic: new Traffic(),
    settings: {
      blockRows: block.rows,
      blockMs: block.seconds * 1000,
      alertsAhead: config.store.kind === 'servers',
      snapshotBlocks: state.blocks,
      snapshotMs: state.seconds * 1000,
    },
    slabs: new SlabPool(size, Math.max(config.budget.bytes, least)),
    batchBytes: batch.bytes,
    now: coarseNow,
    reach: faults.reach ?? neverCrash,
    wrapLog: (log, lane) => watchedLog(faults.log?.(log) ?? log, lane, counts.telemetry),
  };
}

function createSources(
  directory: DataDirectory,
  request: RunRequest,
  snapshot: ControlSnapshot,
  router: Router,
  slabs: SlabPool,
): Source[] {
  const { config, stdin } = request;
  const { limits } = snapshot;
  return config.sources.flatMap((source, index) => {
    if (source.topic !== '') return []; // the host of Kafka makes one a lane
    return createSource({
      definition: snapshot.sources[index],
      index,
      input: source.input,
      follow: source.follow,
      order: source.order,
      stateDirectory: join(directory.root, 'input', hashHex(utf8(source.name))),
      slabs,
      batchBytes: config.batch.bytes,
      batchRecords: config.batch.records,
      limits,
      now: coarseNow,
      stdin,
      timesOf: ({ bytes, segments, ranges }) =>
        router.recordTimes(snapshot.hash, { bytes, segments, appendedAtMs: ranges[0]?.appendedAtMs ?? 0 }),
    });
  });
}

/** Embedded lanes: the sources of one tenant together; a source whose records name their tenants is a lane of its own. */
function lanesOf(sources: readonly Source[], snapshot: ControlSnapshot): Map<string, Source[]> {
  const lanes = new Map<string, Source[]>();
  for (const source of sources) {
    const { tenant, name } = snapshot.sources[source.index];
    const lane = tenant === '' ? `source:${name}` : `tenant:${tenant}`;
    lanes.set(lane, [...(lanes.get(lane) ?? []), source]);
  }
  for (const members of lanes.values()) members.sort((a, b) => (a.name < b.name ? -1 : 1));
  return lanes;
}

async function openLanes(
  directory: DataDirectory,
  request: RunRequest,
  kit: LaneKit,
  sources: readonly Source[],
): Promise<Lane[]> {
  const { router, store, observer, traffic, settings, reach, snapshot } = kit;
  const snapshots = new Map([[snapshot.hash, snapshot]]);
  const snapshotOf = async (hash: string): Promise<ControlSnapshot> =>
    snapshots.get(hash) ?? loadSnapshot(directory.root, hash);
  const lanes: Lane[] = [];
  // What the null store threw away must never count as stored: its ledgers are its own, and last one run.
  const nothingKept = request.config.store.kind === 'null';
  const lanesFolder = join(directory.root, nothingKept ? 'null-lanes' : 'lanes');
  if (nothingKept) rmSync(lanesFolder, { recursive: true, force: true });
  for (const [name, members] of lanesOf(sources, snapshot)) {
    const log = kit.wrapLog(await openFileLog(join(lanesFolder, hashHex(utf8(name))), reach), name);
    const parts = {
      name,
      sources: members,
      router,
      store,
      log,
      settings,
      observer,
      traffic,
      reach,
      snapshotOf,
    };
    lanes.push(new Lane(parts, snapshot.hash));
  }
  return lanes;
}
