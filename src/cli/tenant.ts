// weir tenant purge: everything of a tenant out of every store, proven by asking each of them afterwards.

import type { Config } from '../config/schema.ts';
import { topicNames } from '../kafka/topics.ts';
import { openStores } from '../purge/open.ts';
import { type Purged, type PurgeStore, purge } from '../purge/purge.ts';
import { groupOf } from '../sinks/open.ts';
import { loadForVerb } from './prepare.ts';
import { hasTopics } from './reader.ts';
import { printable, printableJson, renderTable } from './table.ts';
import { type NamedTenant, tenantNamed } from './tenant-name.ts';
import { CONFIG_OPTION, DATA_OPTION, type Io, SET_OPTION, UsageError, type Verb } from './verb.ts';

export const tenant: Verb = {
  name: 'tenant',
  usage: 'purge TENANT [--dry-run | --yes] [--config weir.yaml | --data DIR] [--json]',
  summary:
    'Deletes everything of a tenant from every store of the configuration, counts what is left, and says what it cannot delete.',
  options: {
    config: CONFIG_OPTION,
    data: DATA_OPTION,
    set: SET_OPTION,
    'dry-run': { type: 'boolean', help: 'only count what there is' },
    yes: { type: 'boolean', help: 'delete: it cannot be undone' },
    json: { type: 'boolean', help: 'one JSON document' },
  },
  examples: [
    'weir tenant purge acme --dry-run --config /etc/weir/weir.yaml',
    'weir tenant purge 7b0c1e2d-3f4a-5b6c-8d7e-9fa0b1c2d3e4 --yes',
  ],
  async run(values, positionals, io) {
    const [action, name, more] = positionals;
    if (action !== 'purge') throw new UsageError(`tenant knows 'purge TENANT', not '${positionals.join(' ')}'.`);
    if (name === undefined || more !== undefined)
      throw new UsageError('tenant purge needs one tenant: its slug or UUID.');
    const dry = values['dry-run'] === true;
    if (dry === (values.yes === true))
      throw new UsageError('tenant purge needs either --yes (it cannot be undone) or --dry-run (it only counts).');
    const { config } = await loadForVerb(values);
    // Unlike for reading, the configuration counts beside --data too: a tenant's UUID may stand there.
    const whose = await tenantNamed(name, { ...values, set: values.set ?? [] });
    const stores = await openStores(config, whose.id);
    let purged: readonly Purged[];
    try {
      purged = await purge(stores, dry);
    } finally {
      await closeAll(stores);
    }
    const left = purged.reduce((sum, { after }) => sum + after, 0);
    const remains = remainsOf(config, whose);
    if (values.json) {
      const tables = purged.map(({ store, table, unit, count, after }) => ({
        store,
        table,
        unit,
        before: count,
        after,
      }));
      const { id, slug, known } = whose;
      const document = { tenant: { id, slug, known }, dry_run: dry, purged: !dry && left === 0, tables, remains };
      io.stdout.write(`${printableJson(JSON.stringify(document))}\n`);
    } else print(purged, whose, { dry, left, remains }, io);
    return dry || left === 0 ? 0 : 1;
  },
};

async function closeAll(stores: readonly PurgeStore[]): Promise<void> {
  for (const store of stores) await store.close();
}

/** What no purge reaches, and when it goes. */
function remainsOf(config: Config, { slug, known }: NamedTenant): string[] {
  const remains: string[] = [];
  if (hasTopics(config) || config.kafka.brokers.length > 0) {
    const { alerts, deadLetters, overflow, repartition, state, control } = topicNames(config.kafka, groupOf(config));
    const inputs = config.sources.flatMap(({ topic }) => (topic === '' ? [] : [`${config.kafka.prefix}${topic}`]));
    remains.push(
      `topics keep its records until their retention ends, and Weir stores again what it has not read yet: ${[...inputs, repartition, deadLetters, alerts].join(', ')}`,
      `${overflow} keeps what is parked until it was drained`,
      `${state} keeps groups of correlations and open alerts until their windows end, and ${control} the tenant's configuration until it is compacted`,
    );
  }
  remains.push(
    `data directories (${config.data} of this instance) keep correlation state in lanes/, control snapshots in control/ and spooled input in input/ until they are replaced`,
    'refused records whose tenant was never known carry no tenant',
    'backups and snapshots of the stores',
  );
  if (known)
    remains.push(
      `the configuration still names ${slug}: set its status to inactive, or records that come are stored again`,
    );
  return remains;
}

interface Shape {
  readonly dry: boolean;
  readonly left: number;
  readonly remains: readonly string[];
}

function print(purged: readonly Purged[], whose: NamedTenant, { dry, left, remains }: Shape, io: Io): void {
  const { id, slug, known } = whose;
  io.stdout.write(
    `tenant ${printable(slug)} (${id})${known ? '' : ': no configuration knows it; a slug stands for the UUID that runs derive from it'}\n\n`,
  );
  const columns = [
    { title: 'store' },
    { title: 'table' },
    { title: dry ? 'there are' : 'before', align: 'right' as const },
    ...(dry ? [] : [{ title: 'after', align: 'right' as const }]),
    { title: 'of' },
  ];
  const rows = purged.map(({ store, table, count, after, unit }) => [
    store,
    table,
    String(count),
    ...(dry ? [] : [String(after)]),
    unit,
  ]);
  io.stdout.write(renderTable(columns, rows));
  const total = purged.reduce((sum, { count }) => sum + count, 0);
  if (dry) io.stdout.write(`\nnothing was deleted; --yes deletes it\n`);
  else if (left > 0)
    io.stdout.write(
      `\n${left} came in meanwhile: stop the tenant's records (status: inactive), and run the same command again\n`,
    );
  else io.stdout.write(`\n${total === 0 ? 'there was nothing' : 'all of it is gone'}: every table was asked\n`);
  io.stdout.write(`\nnot reached:\n${remains.map((line) => `  - ${printable(line)}\n`).join('')}`);
}
