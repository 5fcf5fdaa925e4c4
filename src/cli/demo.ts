// weir demo: a simulated hour through the whole embedded pipeline, in a fresh directory.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from '../../bench/generate/index.ts';
import { PACKAGE_ROOT } from '../root.ts';
import { wholeNumber } from './generate.ts';
import { count } from './progress.ts';
import { runAndReport } from './run.ts';
import type { Verb } from './verb.ts';

export const demo: Verb = {
  name: 'demo',
  usage: '[--seed N] [--records N] [--data DIR] [--json]',
  summary:
    'A simulated hour of four PoPs and three tenants, with attacks inside, through the whole pipeline. Start here.',
  options: {
    seed: { type: 'string', default: '1', argument: 'N', help: 'another seed tells other stories' },
    records: { type: 'string', default: '600000', argument: 'N', help: 'records in all, but at least about 30,000' },
    data: { type: 'string', argument: 'DIR', help: 'data directory (default: a fresh temporary one)' },
    workers: { type: 'string', argument: 'N', help: 'worker threads (default: one a core)' },
    json: { type: 'boolean', help: 'one JSON document with counts and verdict on standard output' },
  },
  examples: ['weir demo', 'weir demo --seed 42'],
  async run(values, _positionals, io) {
    const seed = wholeNumber(values.seed, 'seed', 0, 2 ** 31 - 1);
    const records = wholeNumber(values.records, 'records', 1, 1e8);
    const folder = await mkdtemp(join(tmpdir(), 'weir-demo-'));
    const data = typeof values.data === 'string' ? values.data : join(folder, 'data');
    const input = join(folder, 'telemetry.ndjson');
    const truth = join(folder, 'truth.json');
    if (!values.json)
      io.stderr.write(`simulating an hour of telemetry: ${count(records)} records, seed ${seed} → ${input}\n`);
    const generated = generate({ name: 'demo', seed, records, tenant: '', format: 'ndjson' });
    await writeFile(input, generated.chunks());
    await writeFile(truth, JSON.stringify(generated.truth()));
    const config = join(PACKAGE_ROOT, 'examples', 'demo.yaml');
    if (!values.json) io.stderr.write(`reading it with ${config}\n`);
    try {
      return await runAndReport(
        { ...values, seed: undefined, records: undefined, input: [input], data, config, truth },
        io,
        [
          `weir alerts show ID --data ${data}`,
          "weir run --input 'your logs' --tenant acme --pop fra1      (README has more)",
        ],
      );
    } finally {
      // Hundreds of megabytes that the same seed gives again; what is stored stays.
      await Promise.all([input, truth].map((path) => rm(path, { force: true })));
    }
  },
};
