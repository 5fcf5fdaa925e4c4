// Whole runs over a file of standard records: into nothing with one worker and two, and into the embedded store.
// Each figure is a ratio to JSON.parse of the same records, measured before and after the runs.

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Values } from '../src/cli/verb.ts';
import { calibrate } from './measure.ts';
import type { PipelineFigures } from './pipeline-child.ts';
import { syntheticRules } from './rules.ts';
import { standardRecords } from './standard.ts';

export interface PipelineRun extends PipelineFigures {
  readonly name: string;
  readonly x: number;
  /** Main thread, µs a 1,000 records. */
  readonly main_us_per_1000: number;
}

export interface PipelineReport {
  readonly calibration_per_s: number;
  readonly record_bytes: number;
  readonly rules: number;
  readonly runs: readonly PipelineRun[];
  /** Two workers against one, into nothing. */
  readonly scaling: number;
  /** One worker into the store against one worker into nothing. */
  readonly store_share: number;
}

const CHILD = fileURLToPath(new URL('./pipeline-child.js', import.meta.url));

export async function benchPipeline(
  records: number,
  rules: number,
  say: (line: string) => void,
): Promise<PipelineReport> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-bench-'));
  try {
    const { tenants, lines } = standardRecords(Math.min(records, 200_000));
    const input = join(folder, 'flows.ndjson');
    const text = `${lines.join('\n')}\n`;
    for (let written = 0; written < records; written += lines.length) writeFileSync(input, text, { flag: 'a' });
    const config = join(folder, 'weir.yaml');
    writeFileSync(config, `tenants:\n${tenants.map((id, i) => `  - {id: ${id}, slug: tenant-${i}}\n`).join('')}`);
    const rulesFolder = join(folder, 'rules');
    writeRules(rulesFolder, rules);
    const before = calibrate(lines);
    const runs: PipelineRun[] = [];
    const run = async (name: string, more: Values, set: readonly string[]): Promise<PipelineRun> => {
      say(name);
      const data = join(folder, name.replaceAll(' ', '-'));
      const values = {
        input: [input],
        config,
        data,
        rules: [rulesFolder],
        ...more,
        set: ['rules.packs=false', ...set],
      };
      const figures = await child(values);
      rmSync(data, { recursive: true, force: true });
      const perSecond = figures.records / figures.seconds;
      const done = {
        ...figures,
        name,
        x: round(perSecond / before),
        main_us_per_1000: round((figures.main_busy_seconds * 1e9) / figures.records),
      };
      runs.push(done);
      return done;
    };
    const one = await run('null store, 1 worker', { workers: '1' }, ['store.kind=null']);
    const two = await run('null store, 2 workers', { workers: '2' }, ['store.kind=null']);
    const stored = await run('embedded store, 1 worker', { workers: '1' }, []);
    const after = calibrate(lines);
    return {
      calibration_per_s: Math.round((before + after) / 2),
      record_bytes: Math.round(statSync(input).size / Math.ceil(records / lines.length) / lines.length),
      rules,
      runs,
      scaling: round(one.seconds / two.seconds),
      store_share: round(one.seconds / stored.seconds),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const round = (value: number): number => Math.round(value * 1000) / 1000;

function writeRules(folder: string, rules: number): void {
  mkdirSync(folder);
  for (const { text } of syntheticRules(rules)) writeFileSync(join(folder, 'synthetic.yml'), text);
}

function child(values: Values): Promise<PipelineFigures> {
  return new Promise((resolve, reject) => {
    const runner = spawn(process.execPath, [CHILD, JSON.stringify(values)], { stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    runner.stdout.on('data', (chunk) => {
      out += chunk;
    });
    runner.on('close', (code) =>
      code === 0 ? resolve(JSON.parse(out) as PipelineFigures) : reject(new Error('a bench run failed')),
    );
  });
}
