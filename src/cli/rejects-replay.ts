// weir rejects replay: refused records back to the topics that they came from, once each.

import type { Config } from '../config/schema.ts';
import { type DeadLetter, lettersOf, type ReplayMark } from '../kafka/dead-letters.ts';
import { Originals } from '../kafka/original.ts';
import type { KafkaReader } from '../kafka/reader.ts';
import { type Replayable, Replayer, replayable, UNFIT_TEXT, type Unfit } from '../kafka/replay.ts';
import { groupOf } from '../sinks/open.ts';
import { filterOf, idOf, type RejectFilter } from './rejects-filter.ts';
import { isMeant, type LetterBox, withLetters } from './rejects-topic.ts';
import { printable, printableJson, renderTable } from './table.ts';
import { positiveInteger } from './values.ts';
import { type Io, OperationalError, UsageError, type Values } from './verb.ts';

export const REPLAY_OPTIONS = {
  'dry-run': { type: 'boolean', help: 'replay: only say what would be sent, and where' },
  again: { type: 'boolean', help: 'replay: also what was sent back before' },
  all: { type: 'boolean', help: 'replay: everything that was refused' },
} as const;

/** Records of one transaction. */
const CHUNK_RECORDS = 100;
const CHUNK_BYTES = 4 << 20;

interface Outcome {
  readonly records: Sent[];
  readonly skipped: { readonly reject_id: string; readonly reason: Unfit }[];
}

interface Sent {
  readonly reject_id: string;
  readonly code: string;
  readonly from: string;
  readonly to: string;
  readonly attempt: number;
  /** Key and headers are those of the original. */
  readonly original: boolean;
  readonly bytes: number;
}

export async function replay(config: Config, ids: readonly string[], values: Values, io: Io): Promise<number> {
  const filter = await filterOf(values);
  if (ids.length === 0 && Object.keys(filter).length === 0 && !values.all)
    throw new UsageError('rejects replay needs reject ids, a filter (--code, --tenant, …) or --all.');
  const prefixes = ids.map(idOf);
  const limit = positiveInteger('--limit', values.limit ?? '10000', 1_000_000);
  const dry = values['dry-run'] === true;
  return withLetters(config, async (box) => {
    // From here on no other replay can send anything: which marks there are does not change any more.
    const replayer = dry ? null : await Replayer.start(box.session.kafka, groupOf(config), box.topic);
    try {
      const { chosen, marks } = await choose(box, filter, prefixes);
      const outcome: Outcome = { records: [], skipped: [] };
      const fresh = chosen.filter(({ key, id }) => {
        if (values.again || !marks.has(key)) return true;
        outcome.skipped.push({ reject_id: id, reason: 'replayed' });
        return false;
      });
      await sendAll(box, fresh.slice(0, limit), replayer, outcome);
      report(outcome, { dry, left: Math.max(0, fresh.length - limit), json: values.json === true }, io);
      // Named one by one, each was meant: a refusal is a failure then.
      return prefixes.length > 0 && outcome.skipped.length > 0 ? 1 : 0;
    } finally {
      await replayer?.close();
    }
  });
}

type Chosen = Pick<DeadLetter, 'key' | 'id' | 'partition' | 'offset'>;

/** Once each, in the order of their records; without their bytes. Throws OperationalError('reject_unknown'). */
async function choose(
  box: LetterBox,
  filter: RejectFilter,
  prefixes: readonly string[],
): Promise<{ chosen: readonly Chosen[]; marks: ReadonlyMap<string, ReplayMark> }> {
  const chosen = new Map<string, Chosen>();
  const marks = new Map<string, ReplayMark>();
  const found = new Set<string>();
  for await (const one of box.read(filter.sinceMs)) {
    if (one.kind === 'mark') {
      marks.set(one.key, one);
      continue;
    }
    const prefix = prefixes.find((begin) => one.id.startsWith(begin));
    if (!isMeant(one, filter) || (prefixes.length > 0 && prefix === undefined) || chosen.has(one.key)) continue;
    if (prefix !== undefined) found.add(prefix);
    chosen.set(one.key, { key: one.key, id: one.id, partition: one.partition, offset: one.offset });
  }
  const lacking = prefixes.filter((prefix) => !found.has(prefix));
  if (lacking.length > 0)
    throw new OperationalError(
      'reject_unknown',
      `there is no reject ${lacking.join(', ')}; 'weir rejects list' lists them.`,
    );
  return { chosen: [...chosen.values()], marks };
}

async function sendAll(
  box: LetterBox,
  chosen: readonly Chosen[],
  replayer: Replayer | null,
  outcome: Outcome,
): Promise<void> {
  const metadata = await box.session.admin.fetchTopicMetadata();
  const topics = new Map(metadata.topics.map(({ name, partitions }) => [name, partitions.length]));
  const reader = await box.session.reader([box.topic]);
  const originals = new Map<string, Originals>();
  let chunk: Replayable[] = [];
  let bytes = 0;
  const send = async (): Promise<void> => {
    if (chunk.length > 0) await replayer?.send(chunk);
    outcome.records.push(...chunk.map(sentOf));
    chunk = [];
    bytes = 0;
  };
  for await (const letter of lettersAt(reader, box.topic, chosen)) {
    const topic = letter.stream.slice(0, letter.stream.lastIndexOf('/'));
    if (!originals.has(topic))
      originals.set(topic, new Originals(await box.session.reader(topics.has(topic) ? [topic] : [])));
    const made = await replayable(letter, box.topic, topics, originals.get(topic)!);
    if (typeof made === 'string') {
      outcome.skipped.push({ reject_id: letter.id, reason: made });
      continue;
    }
    chunk.push({ ...made, letter: { ...letter, bytes: NOTHING } });
    bytes += made.value.length;
    if (chunk.length >= CHUNK_RECORDS || bytes >= CHUNK_BYTES) await send();
  }
  await send();
}

const NOTHING = Buffer.alloc(0);

/** With their bytes, partition by partition. What retention has taken since is left out. */
async function* lettersAt(reader: KafkaReader, topic: string, chosen: readonly Chosen[]): AsyncGenerator<DeadLetter> {
  const partitions = new Map<number, Set<number>>();
  for (const { partition, offset } of chosen)
    partitions.set(partition, (partitions.get(partition) ?? new Set<number>()).add(offset));
  for (const [partition, offsets] of partitions) {
    const { first } = await reader.offsets(topic, partition);
    const from = Math.max(first, offsets.values().next().value ?? 0);
    const to = [...offsets].reduce((most, offset) => Math.max(most, offset), 0) + 1;
    for await (const one of lettersOf(reader, topic, partition, from, to))
      if (one.kind === 'letter' && offsets.has(one.offset)) yield one;
  }
}

function sentOf({ letter, topic, partition, attempt, original, value }: Replayable): Sent {
  return {
    reject_id: letter.id,
    code: letter.code,
    from: `${letter.stream}@${letter.position}`,
    to: `${topic}/${partition}`,
    attempt,
    original,
    bytes: value.length,
  };
}

interface Shape {
  readonly dry: boolean;
  /** More than --limit. */
  readonly left: number;
  readonly json: boolean;
}

function report({ records, skipped }: Outcome, { dry, left, json }: Shape, io: Io): void {
  if (json) {
    const document = { dry_run: dry, replayed: dry ? 0 : records.length, records, skipped, left };
    io.stdout.write(`${printableJson(JSON.stringify(document))}\n`);
    return;
  }
  if (records.length > 0) {
    const titles = ['id', 'code', 'record', 'to', 'attempt', 'key and headers'].map((title) => ({ title }));
    const rows = records
      .slice(0, 50)
      .map((one) => [
        one.reject_id.slice(0, 8),
        one.code,
        one.from,
        one.to,
        String(one.attempt),
        one.original ? 'original' : 'made from the letter',
      ]);
    io.stdout.write(renderTable(titles, rows, { width: io.stdout.isTTY ? (io.stdout.columns ?? 0) : 0 }));
  }
  io.stdout.write(`${dry ? 'would send' : 'sent'} ${records.length} records back\n`);
  for (const reason of new Set(skipped.map((one) => one.reason))) {
    const ids = skipped.filter((one) => one.reason === reason).map((one) => one.reject_id.slice(0, 8));
    const some = ids.length > 5 ? `${ids.slice(0, 5).join(', ')} and ${ids.length - 5} more` : ids.join(', ');
    io.stdout.write(printable(`not sent: ${some}: ${UNFIT_TEXT[reason]}`));
    io.stdout.write('\n');
  }
  if (left > 0) io.stdout.write(`${left} more than --limit allows: run the same command again\n`);
}
