// weir alerts: what fired, for whom, and why.

import type { Alert, AttackReference } from '../model/alert.ts';
import { LEVELS } from '../model/alert.ts';
import { isUuid } from '../model/hash.ts';
import type { Reader } from '../sinks/sink.ts';
import { DATA_OPTIONS, rowsOf, withReader } from './reader.ts';
import { printable, printableJson, renderTable } from './table.ts';
import { parseMoment, positiveInteger } from './values.ts';
import { type Io, OperationalError, UsageError, type Values, type Verb } from './verb.ts';

export const alerts: Verb = {
  name: 'alerts',
  usage: '[--data DIR | --config FILE] [filters] [--json]  |  show ID [--data DIR | --config FILE] [--json]',
  summary: 'Lists alerts, newest first, or shows one with its reason, its ATT&CK place and the events behind it.',
  options: {
    ...DATA_OPTIONS,
    tenant: { type: 'string', argument: 'SLUG', help: 'of one tenant: slug or UUID' },
    since: {
      type: 'string',
      argument: 'TIME',
      help: 'last seen at or after: RFC 3339, or an age such as 90m, 24h, 7d',
    },
    until: { type: 'string', argument: 'TIME', help: 'first seen before' },
    severity: { type: 'string', argument: 'LEVEL', help: `this level or above: ${LEVELS.join(', ')}` },
    technique: { type: 'string', argument: 'ID', help: 'ATT&CK technique, its sub-techniques included: T1110' },
    rule: { type: 'string', argument: 'ID', help: 'rule id, or part of the title' },
    limit: { type: 'string', argument: 'N', help: 'at most so many (default 50; with --json all)' },
    json: { type: 'boolean', help: 'one JSON document: an array of alerts, or the alert' },
  },
  examples: [
    'weir alerts --severity high --since 24h',
    'weir alerts --tenant acme --technique T1046 --json',
    'weir alerts show 1f6f0c1e',
  ],
  async run(values, positionals, io) {
    const [action, id, more] = positionals;
    if (action === undefined) return withReader(values, (reader) => list(reader, values, io));
    if (action !== 'show') throw new UsageError(`alerts knows 'show ID', not '${action}'.`);
    if (id === undefined || more !== undefined)
      throw new UsageError('alerts show needs one alert id (or its beginning).');
    return withReader(values, (reader) => show(reader, id, values, io));
  },
};

interface Found {
  readonly details: string;
}

async function list(reader: Reader, values: Values, io: Io): Promise<number> {
  const { where, parameters } = filter(values);
  // A document that was cut would be taken for all there is: --json has no limit of its own.
  const given = values.limit ?? (values.json ? '4294967295' : '50');
  const limit = positiveInteger('--limit', given, 4_294_967_295);
  const sql = `SELECT details FROM alerts_latest WHERE ${where} ORDER BY last_seen DESC, alert_id LIMIT {limit:UInt32}`;
  const found = await rowsOf<Found>(reader, sql, { ...parameters, limit });
  if (values.json) {
    io.stdout.write(printableJson(`[${found.map(({ details }) => details).join(',\n')}]\n`));
    return 0;
  }
  const rows = found.map(({ details }) => row(JSON.parse(details) as Alert));
  const columns = ['id', 'last seen (UTC)', 'severity', 'tenant', 'ATT&CK', 'events', 'title', 'reason'].map(
    (title) => ({
      title,
      align: title === 'events' ? ('right' as const) : ('left' as const),
    }),
  );
  if (rows.length > 0)
    io.stdout.write(renderTable(columns, rows, { width: io.stdout.isTTY ? (io.stdout.columns ?? 0) : 0 }));
  const [total] = await rowsOf<{ n: number }>(
    reader,
    `SELECT toUInt32(count()) AS n FROM alerts_latest WHERE ${where}`,
    parameters,
  );
  if (total.n === 0) io.stdout.write('no alerts\n');
  else io.stdout.write(`${rows.length} of ${total.n} alerts; 'weir alerts show ID' explains one\n`);
  return 0;
}

function row(alert: Alert): string[] {
  return [
    alert.alert_id.slice(0, 8),
    alert.last_seen.slice(0, 19).replace('T', ' '),
    alert.severity,
    alert.tenant,
    alert.attack.techniques[0]?.id ?? '',
    String(alert.count),
    alert.title,
    alert.reason,
  ];
}

/** Conditions on alerts_latest; every value is a bound parameter. */
function filter(values: Values): { where: string; parameters: Record<string, string | string[]> } {
  const conditions = ['1'];
  const parameters: Record<string, string | string[]> = {};
  const add = (condition: string, name: string, value: string | string[]): void => {
    conditions.push(condition);
    parameters[name] = value;
  };
  if (values.tenant !== undefined) {
    const tenant = String(values.tenant);
    if (isUuid(tenant)) add('tenant_id = {tenant:UUID}', 'tenant', tenant);
    else add("JSONExtractString(details, 'tenant') = {tenant:String}", 'tenant', tenant);
  }
  if (values.since !== undefined)
    add('toUnixTimestamp64Milli(last_seen) >= {since:Int64}', 'since', String(parseMoment('--since', values.since)));
  if (values.until !== undefined)
    add('toUnixTimestamp64Milli(first_seen) < {until:Int64}', 'until', String(parseMoment('--until', values.until)));
  if (values.severity !== undefined)
    add('severity IN {levels:Array(String)}', 'levels', levelsFrom(String(values.severity)));
  if (values.technique !== undefined)
    add(
      "arrayExists(t -> t = {technique:String} OR startsWith(t, concat({technique:String}, '.')), techniques)",
      'technique',
      String(values.technique).toUpperCase(),
    );
  if (values.rule !== undefined)
    add(
      '(rule_id = {rule:String} OR positionCaseInsensitiveUTF8(title, {rule:String}) > 0)',
      'rule',
      String(values.rule),
    );
  return { where: conditions.join(' AND '), parameters };
}

function levelsFrom(severity: string): string[] {
  const at = (LEVELS as readonly string[]).indexOf(severity.toLowerCase());
  if (at < 0) throw new UsageError(`--severity is one of ${LEVELS.join(', ')}, not '${severity}'.`);
  return LEVELS.slice(at);
}

async function show(reader: Reader, id: string, values: Values, io: Io): Promise<number> {
  if (!/^[0-9a-f-]{4,36}$/i.test(id))
    throw new UsageError(`'${id}' is no alert id (hexadecimal, four digits or more).`);
  const sql = 'SELECT details FROM alerts_latest WHERE startsWith(toString(alert_id), {id:String}) LIMIT 2';
  const found = await rowsOf<Found>(reader, sql, { id: id.toLowerCase() });
  if (found.length === 0)
    throw new OperationalError('alert_unknown', `there is no alert ${id}; 'weir alerts' lists them.`);
  if (found.length > 1)
    throw new OperationalError('alert_ambiguous', `several alerts begin with ${id}; give more of the id.`);
  const [{ details }] = found;
  io.stdout.write(values.json ? `${details}\n` : alertPage(JSON.parse(details) as Alert));
  return 0;
}

/** One alert as a page to read. Everything in it comes from the input, so everything is made printable. */
export function alertPage(alert: Alert): string {
  const { entities: e, attack } = alert;
  const lines: string[] = [];
  const say = (text: string): void => void lines.push(printable(text));
  const field = (name: string, value: string): void => {
    if (value !== '') say(`  ${name.padEnd(14)}${value}`);
  };
  say(`${alert.severity.toUpperCase()}  ${alert.title}`);
  say(alert.reason);
  say('');
  field('alert', `${alert.alert_id}, revision ${alert.revision}`);
  field('tenant', `${alert.tenant} (${alert.tenant_id})`);
  field('seen', alert.first_seen === alert.last_seen ? alert.first_seen : `${alert.first_seen} to ${alert.last_seen}`);
  field('events', String(alert.count));
  field('confidence', alert.confidence);
  field('tactic', references(attack.tactics) || alert.category);
  field('technique', references(attack.techniques));
  field('ATT&CK', attack.techniques.length > 0 ? `Enterprise ${attack.version}` : '');
  field(
    'group',
    Object.entries(alert.group)
      .map(([name, value]) => `${name}=${value}`)
      .join('  '),
  );
  field('source', endpoint(e.source_ip, e.source_port, e.source_country));
  field('destination', endpoint(e.destination_ip, e.destination_port, e.destination_country));
  for (const name of [
    'host',
    'user',
    'device',
    'site',
    'pop',
    'application',
    'direction',
    'threat',
    'community_id',
  ] as const)
    field(name.replace('_', ' '), e[name]);
  field('policy', [alert.policy.action, alert.policy.id].filter((part) => part !== '').join(' by '));
  field(
    'suppression',
    alert.suppression.until === '' ? '' : `repeats are counted here until ${alert.suppression.until}`,
  );
  field('rule', `${alert.rule.id} version ${alert.rule.version} (${alert.rule.hash.slice(0, 12)})`);
  section(
    say,
    `Evidence: ${alert.evidence.length} of ${alert.count} events`,
    alert.evidence.flatMap(({ timestamp, event_id, stream, position, raw }) => [
      `${timestamp}  ${event_id}  ${stream.slice(0, 12)}@${position}`,
      ...(raw === undefined ? [] : [`  ${raw}`]),
    ]),
  );
  section(say, 'What to do', alert.runbook === '' ? [] : alert.runbook.trimEnd().split('\n'));
  section(
    say,
    'Known false positives',
    alert.false_positives.map((text) => `- ${text}`),
  );
  section(
    say,
    'References',
    alert.references.map((text) => `- ${text}`),
  );
  return `${lines.join('\n')}\n`;
}

function section(say: (text: string) => void, title: string, lines: readonly string[]): void {
  if (lines.length === 0) return;
  say('');
  say(title);
  for (const line of lines) say(`  ${line}`);
}

function references(list: readonly AttackReference[]): string {
  return list.map(({ id, name }) => `${id} ${name}`.trim()).join(', ');
}

function endpoint(address: string, port: number, country: string): string {
  if (address === '') return '';
  const place = port === 0 ? address : address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
  return country === '' ? place : `${place} (${country})`;
}
