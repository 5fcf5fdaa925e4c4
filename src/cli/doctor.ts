// weir doctor: connects to everything that the configuration names, and says what is wrong there.

import { type Check, examine, type Status } from '../doctor/index.ts';
import { scyllaSchemaOptions } from './migrate.ts';
import { loadForVerb } from './prepare.ts';
import { paint } from './progress.ts';
import { printable, printableJson } from './table.ts';
import { CONFIG_OPTION, DATA_OPTION, type Io, SET_OPTION, UsageError, type Values, type Verb } from './verb.ts';

export const doctor: Verb = {
  name: 'doctor',
  usage: '[--config weir.yaml] [--rate N] [--json]',
  summary:
    'Examines Kafka, ScyllaDB (or Cassandra) and ClickHouse, or the data directory: reachable, up to date, in time, safe, allowed; and says what to do. Changes nothing.',
  options: {
    config: CONFIG_OPTION,
    data: DATA_OPTION,
    set: SET_OPTION,
    rate: {
      type: 'string',
      argument: 'N',
      help: 'flows a second of the busiest tenant and PoP, for the size of flow partitions (default: as rollups show it)',
    },
    json: { type: 'boolean', help: 'one JSON document' },
  },
  examples: ['weir doctor --config /etc/weir/weir.yaml', 'weir doctor --rate 1000 --json'],
  async run(values, positionals, io) {
    if (positionals.length > 0)
      throw new UsageError(`doctor takes no argument: '${positionals[0]}'. Did you mean --config?`);
    const { config } = await loadForVerb(values);
    const rate = rateOf(values);
    const checks = await examine(config, {
      scylla: scyllaSchemaOptions(config),
      ...(rate === undefined ? {} : { rate }),
    });
    const problems = countOf(checks, 'problem');
    if (values.json) {
      const counts = Object.fromEntries(STATUSES.map((status) => [status.replace(' ', '_'), countOf(checks, status)]));
      io.stdout.write(`${printableJson(JSON.stringify({ ok: problems === 0, counts, checks }))}\n`);
    } else print(checks, io);
    return problems === 0 ? 0 : 1;
  },
};

const STATUSES: readonly Status[] = ['ok', 'warning', 'problem', 'not checked'];

function rateOf({ rate }: Values): number | undefined {
  if (rate === undefined) return undefined;
  const number = /^\d{1,12}(\.\d{1,6})?$/.test(String(rate)) ? Number(rate) : 0;
  if (number <= 0) throw new UsageError(`--rate takes a number of flows a second, not '${String(rate)}'.`);
  return number;
}

function countOf(checks: readonly Check[], status: Status): number {
  return checks.filter((check) => check.status === status).length;
}

const COLOURS = { ok: 'green', warning: 'yellow', problem: 'red', 'not checked': 'dim' } as const;

function print(checks: readonly Check[], io: Io): void {
  const width = Math.max(...checks.map(({ name }) => name.length));
  let component = '';
  for (const check of checks) {
    if (check.component !== component) io.stdout.write(`${component === '' ? '' : '\n'}${check.component}\n`);
    component = check.component;
    const status = paint(COLOURS[check.status], check.status.padEnd(11), io.stdout.isTTY === true);
    io.stdout.write(`  ${status}  ${check.name.padEnd(width)}  ${printable(check.text)}\n`);
    if (check.todo !== '') io.stdout.write(`  ${' '.repeat(11 + 2 + width)}  → ${printable(check.todo)}\n`);
  }
  const said = STATUSES.map((status) => `${countOf(checks, status)} ${status}`).join(', ');
  io.stdout.write(`\n${said}\n`);
}
