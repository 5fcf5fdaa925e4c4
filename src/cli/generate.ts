// weir generate: seeded telemetry with ground truth, on standard output.

import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { generate as generateEvents } from '../../bench/generate/index.ts';
import { SCENARIOS, type ScenarioName } from '../../bench/generate/scenario.ts';
import { WORLDS } from '../../bench/generate/world.ts';
import { OUTPUT_FORMATS, type OutputFormat } from '../../bench/generate/write.ts';
import { UsageError, type Verb } from './verb.ts';

/** A whole number from text, within bounds, or a UsageError that names the option. */
export function wholeNumber(text: unknown, option: string, from: number, to: number): number {
  const value = Number(text);
  if (typeof text !== 'string' || !/^\d+$/.test(text) || value < from || value > to) {
    throw new UsageError(`--${option} takes a whole number from ${from} to ${to}, not '${text}'`);
  }
  return value;
}

function oneOf<T extends string>(text: unknown, option: string, known: readonly T[]): T {
  const found = known.find((name) => name === text);
  if (!found) throw new UsageError(`--${option} takes one of ${known.join(', ')}, not '${text}'`);
  return found;
}

export const generate: Verb = {
  name: 'generate',
  usage: '--scenario NAME --seed N --records N [--format ndjson|msgpack|zeek] [--tenant SLUG] [--truth FILE] > FILE',
  summary: 'Writes seeded telemetry to standard output, and with --truth what is hidden in it.',
  options: {
    scenario: { type: 'string', default: 'demo', argument: 'NAME', help: Object.keys(SCENARIOS).join(', ') },
    seed: { type: 'string', default: '1', argument: 'N', help: 'the same seed gives the same bytes' },
    records: {
      type: 'string',
      default: '100000',
      argument: 'N',
      help: 'records in all, but at least what stories and their harmless twins need: about 30,000 for demo',
    },
    format: { type: 'string', default: 'ndjson', argument: 'FORMAT', help: OUTPUT_FORMATS.join(', ') },
    tenant: { type: 'string', argument: 'SLUG', help: 'only this tenant (Zeek logs name none: default acme there)' },
    truth: { type: 'string', argument: 'FILE', help: 'write the ground truth here, as JSON' },
    out: { type: 'string', argument: 'FILE', help: 'write here instead of standard output' },
  },
  examples: [
    'weir generate --scenario demo --seed 7 --records 600000 --truth truth.json > demo.ndjson',
    'weir run --config examples/demo.yaml --input demo.ndjson --data demo-data --truth truth.json',
  ],
  async run(values, positionals, io) {
    if (positionals.length > 0) throw new UsageError(`generate takes no argument: '${positionals[0]}'`);
    const format = oneOf<OutputFormat>(values.format, 'format', OUTPUT_FORMATS);
    const slugs = WORLDS.map((world) => world.slug);
    const tenant =
      values.tenant === undefined ? (format === 'zeek' ? 'acme' : '') : oneOf(values.tenant, 'tenant', slugs);
    const generated = generateEvents({
      name: oneOf<ScenarioName>(values.scenario, 'scenario', Object.keys(SCENARIOS) as ScenarioName[]),
      seed: wholeNumber(values.seed, 'seed', 0, 2 ** 31 - 1),
      records: wholeNumber(values.records, 'records', 1, 1e9),
      tenant,
      format,
    });
    if (typeof values.out === 'string') await writeFile(values.out, generated.chunks());
    else for (const chunk of generated.chunks()) await writeOut(io.stdout as Writable, chunk);
    if (typeof values.truth === 'string')
      await writeFile(values.truth, `${JSON.stringify(generated.truth(), null, 2)}\n`);
    return 0;
  },
};

async function writeOut(stream: Writable, chunk: Uint8Array): Promise<void> {
  if (!stream.write(chunk)) await once(stream, 'drain');
}
