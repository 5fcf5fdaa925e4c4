// weir rejects: what was refused, why, where it stood, what to do about it; and sending it back once that was done.

import type { Config } from '../config/schema.ts';
import { loadForVerb } from './prepare.ts';
import { DATA_OPTIONS, hasTopics, placeOf, withReader } from './reader.ts';
import { filterOf, idOf } from './rejects-filter.ts';
import { REPLAY_OPTIONS, replay } from './rejects-replay.ts';
import { storedById, storedList } from './rejects-stored.ts';
import { topicById, topicList, withLetters } from './rejects-topic.ts';
import { printList, printOne, type Rejected } from './rejects-view.ts';
import { positiveInteger } from './values.ts';
import { type Io, OperationalError, UsageError, type Values, type Verb } from './verb.ts';

export const rejects: Verb = {
  name: 'rejects',
  usage:
    'list [filters] [--limit N] [--json]  |  show ID [--json]  |  replay [ID …] [filters | --all] [--dry-run] [--again] [--json]; each with --data DIR or --config FILE',
  summary:
    'Lists refused records (dead letters) by reason, shows one with its bytes and what to do about it, or sends them back to their topics once that was done.',
  options: {
    ...DATA_OPTIONS,
    tenant: { type: 'string', argument: 'SLUG', help: 'of one tenant: slug or UUID' },
    code: { type: 'string', argument: 'CODE', help: 'only this reason, e.g. bad_timestamp' },
    source: { type: 'string', argument: 'NAME', help: 'only of this source' },
    since: { type: 'string', argument: 'TIME', help: 'refused at or after: RFC 3339, or an age such as 90m, 24h, 7d' },
    until: { type: 'string', argument: 'TIME', help: 'refused before' },
    limit: { type: 'string', argument: 'N', help: 'at most so many records (list: 20, replay: 10000)' },
    ...REPLAY_OPTIONS,
    json: { type: 'boolean', help: 'one JSON document' },
  },
  examples: [
    'weir rejects list',
    'weir rejects list --tenant acme --code bad_timestamp --since 24h --json',
    'weir rejects show 1f6f0c1e',
    'weir rejects replay --code tenant_unknown --dry-run --config /etc/weir/weir.yaml',
  ],
  async run(values, positionals, io) {
    const [action = 'list', ...ids] = positionals;
    if (action !== 'replay') {
      const given = Object.keys(REPLAY_OPTIONS).find((name) => values[name] === true);
      if (given !== undefined) throw new UsageError(`--${given} goes with 'weir rejects replay'.`);
    }
    if (action === 'list' && ids.length === 0) return list(values, io);
    if (action === 'replay') return replay(await replayed(values), ids, values, io);
    if (action !== 'show')
      throw new UsageError(`rejects knows 'list', 'show ID' and 'replay', not '${positionals.join(' ')}'.`);
    if (ids.length !== 1) throw new UsageError('rejects show needs one reject id (or its beginning).');
    return show(idOf(ids[0]), values, io);
  },
};

/** A configuration whose dead letters are all there is; null where they are rows of a store. */
async function topicOnly(values: Values): Promise<Config | null> {
  const { servers } = await placeOf(values);
  return servers !== null && hasTopics(servers) ? servers : null;
}

/** Where to replay from. An embedded instance that reads Kafka has its dead letters there too. */
async function replayed(values: Values): Promise<Config> {
  const unread = typeof values.data === 'string' && values.set === undefined && values.config === undefined;
  const config = unread ? null : (await loadForVerb(values)).config;
  if (config !== null && hasTopics(config)) return config;
  throw new OperationalError(
    'replay_without_kafka',
    "only records from Kafka can be sent back. Those of files stay in their files: a stored reject has its own bytes, but not what stood before it (Zeek's header, MessagePack's structures, the compression), nor the PoP of its source, and a file made of them would be a source of its own, whose records come late. Repair the file and give it to 'weir run' under a source of another name; 'weir rejects show ID --json' has the bytes (raw_base64).",
  );
}

async function list(values: Values, io: Io): Promise<number> {
  const limit = positiveInteger('--limit', values.limit ?? '20', 100_000);
  const filter = await filterOf(values);
  const config = await topicOnly(values);
  const found = config
    ? await withLetters(config, (box) => topicList(box, filter, limit))
    : await withReader(values, (reader, directory) => storedList(reader, directory, filter, limit));
  printList(found, values.json === true, io);
  return 0;
}

async function show(id: string, values: Values, io: Io): Promise<number> {
  const config = await topicOnly(values);
  const found: readonly Rejected[] = config
    ? await withLetters(config, (box) => topicById(box, id))
    : await withReader(values, (reader, directory) => storedById(reader, directory, id));
  if (found.length === 0)
    throw new OperationalError('reject_unknown', `there is no reject ${id}; 'weir rejects list' lists them.`);
  if (found.length > 1 && (!config || new Set(found.map((one) => one.reject_id)).size > 1))
    throw new OperationalError('reject_ambiguous', `several rejects begin with ${id}; give more of the id.`);
  // Several documents of one Kafka record may be refused alike: they share an id.
  for (const one of values.json ? found.slice(0, 1) : found) printOne(one, values.json === true, io);
  return 0;
}
