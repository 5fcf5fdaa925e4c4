// weir rebuild traffic-analytics: rollups made right from stored flows.

import type { Config } from '../config/schema.ts';
import type { Engine } from '../purge/tables.ts';
import { type Rebuilt, rebuildTenant } from '../rebuild/index.ts';
import { openRebuild } from '../rebuild/open.ts';
import { loadForVerb, tenantsForVerb } from './prepare.ts';
import { printableJson, renderTable } from './table.ts';
import { tenantNamed } from './tenant-name.ts';
import { parseMoment } from './values.ts';
import { CONFIG_OPTION, DATA_OPTION, type Io, SET_OPTION, UsageError, type Values, type Verb } from './verb.ts';

export const rebuild: Verb = {
  name: 'rebuild',
  usage: 'traffic-analytics --from TIME --to TIME [--tenant SLUG] [--config weir.yaml | --data DIR] [--json]',
  summary:
    'Compares rollups with the stored flows hour by hour behind the watermark, and adds what makes their sums right. Repeatable.',
  options: {
    from: { type: 'string', argument: 'TIME', help: 'first hour: RFC 3339, or an age such as 24h, 7d' },
    to: { type: 'string', argument: 'TIME', help: 'end of the last hour (default: the watermark)' },
    tenant: { type: 'string', argument: 'SLUG', help: 'only of this tenant: slug or UUID (default: of every one)' },
    config: CONFIG_OPTION,
    data: DATA_OPTION,
    set: SET_OPTION,
    json: { type: 'boolean', help: 'one JSON document' },
  },
  examples: [
    'weir rebuild traffic-analytics --from 48h --config /etc/weir/weir.yaml',
    'weir rebuild traffic-analytics --from 2026-05-01 --to 2026-05-02 --tenant acme',
  ],
  async run(values, positionals, io) {
    if (positionals.length !== 1 || positionals[0] !== 'traffic-analytics')
      throw new UsageError(`rebuild knows 'traffic-analytics', not '${positionals.join(' ')}'.`);
    if (values.from === undefined) throw new UsageError('rebuild needs --from: the first hour to compare.');
    const now = Date.now();
    const from = Math.floor(parseMoment('--from', values.from, now) / HOUR) * HOUR;
    const to = values.to === undefined ? now : parseMoment('--to', values.to, now);
    if (to <= from) throw new UsageError('--to must lie behind --from.');
    const { config } = await loadForVerb(values);
    const named =
      values.tenant === undefined ? null : await tenantNamed(String(values.tenant), withConfiguration(values));
    const kit = await openRebuild(config);
    try {
      const tenants = named ? [named.id] : await tenantsOf(kit.engine, values);
      const rebuilt: Rebuilt[] = [];
      const notes: string[] = [];
      for (const tenant of tenants) {
        const { span, note } = await within(kit.engine, config, { tenant, from, to }, now);
        if (note !== '') notes.push(`${tenant}: ${note}`);
        for await (const one of rebuildTenant(kit, span)) rebuilt.push(one);
      }
      report(rebuilt, notes, values.json === true, io);
      return rebuilt.some(({ outcome }) => outcome === 'busy') ? 1 : 0;
    } finally {
      await kit.close();
    }
  },
};

const HOUR = 3_600_000;

/** Beside --data too, a tenant's UUID may stand in the configuration. */
function withConfiguration(values: Values): Values {
  return { ...values, set: values.set ?? [] };
}

/** Those that are configured, and those that have rollups. */
async function tenantsOf(engine: Engine, values: Values): Promise<readonly string[]> {
  const rows = await engine.rows('SELECT DISTINCT toString(tenant_id) AS id FROM traffic_analytics_1h', {});
  const configured = await tenantsForVerb(values);
  return [...new Set([...configured.map(({ id }) => id), ...rows.map(({ id }) => String(id))])].sort();
}

interface Span {
  readonly tenant: string;
  readonly from: number;
  readonly to: number;
}

/** The part of a span that can be rebuilt: hours before the watermark, whose flows are all still there. */
async function within(
  engine: Engine,
  config: Config,
  { tenant, from, to }: Span,
  now: number,
): Promise<{ span: Span; note: string }> {
  const rows = await engine.rows(
    `SELECT toUnixTimestamp(max(timestamp)) AS newest, toUnixTimestamp(minIf(ingested_at, timestamp >= toDateTime({from:UInt32}) AND timestamp < toDateTime({to:UInt32}))) AS oldest
     FROM traffic_analytics WHERE tenant_id = {tenant:UUID}`,
    { tenant, from: from / 1000, to: Math.ceil(to / 1000) },
  );
  const newest = Number(rows[0]?.newest ?? 0) * 1000;
  const oldest = Number(rows[0]?.oldest ?? 0) * 1000;
  const lateness = Math.max(config.lateness, ...config.sources.map((source) => source.lateness));
  const watermark = Math.min(now, newest > 0 ? newest + 60_000 : now) - lateness;
  const end = Math.floor(Math.min(to, watermark) / HOUR) * HOUR;
  // Flows go by the time of their arrival, which is hardly before their own: rollups show it, where there are any.
  const { flows } = config.retention;
  const kept = flows === 0 ? 0 : now - flows * 86_400_000 + HOUR;
  const begin = oldest >= kept && oldest > 0 ? from : Math.max(from, Math.ceil(kept / HOUR) * HOUR);
  const notes: string[] = [];
  if (begin > from)
    notes.push(`hours before ${new Date(begin).toISOString()} are left alone: their flows may have expired`);
  if (end < Math.floor(to / HOUR) * HOUR)
    notes.push(`hours from ${new Date(Math.max(end, from)).toISOString()} on are not behind the watermark`);
  return { span: { tenant, from: begin, to: Math.max(begin, end) }, note: notes.join('; ') };
}

function report(rebuilt: readonly Rebuilt[], notes: readonly string[], json: boolean, io: Io): void {
  const shown = rebuilt.map(({ tenant, from, to, ...rest }) => ({
    tenant_id: tenant,
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    ...rest,
  }));
  if (json) {
    io.stdout.write(`${printableJson(JSON.stringify({ spans: shown, notes }))}\n`);
    return;
  }
  if (shown.length > 0) {
    const columns = ['tenant', 'from (UTC)', 'to (UTC)', 'flows', 'outcome', 'keys corrected'].map((title) => ({
      title,
    }));
    const rows = shown.map((one) => [
      one.tenant_id,
      one.from.slice(0, 16),
      one.to.slice(0, 16),
      String(one.flows),
      one.outcome,
      Object.entries(one.corrected)
        .map(([table, n]) => `${table} ${n}`)
        .join(', '),
    ]);
    io.stdout.write(renderTable(columns, rows));
  }
  for (const note of notes) io.stdout.write(`${note}\n`);
  const busy = shown.filter(({ outcome }) => outcome === 'busy').length;
  if (busy > 0)
    io.stdout.write(`${busy} spans are busy: late flows kept coming for them; run the same command again\n`);
  const corrected = shown.filter(({ outcome }) => outcome === 'corrected').length;
  io.stdout.write(`${shown.length} spans compared, ${corrected} corrected\n`);
}
