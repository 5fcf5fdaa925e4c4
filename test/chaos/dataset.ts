// The records that schedules send, and the alerts that there must be in the end: made once for all worlds of this process.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../../src/root.ts';
import { dumpOf, weir } from '../support/run.ts';
import { alertName } from './oracle.ts';

export type Fields = Readonly<Record<string, string | number>>;

export interface Dataset {
  /** By tenant, in order. */
  readonly records: readonly (readonly Fields[])[];
  readonly alerts: ReadonlySet<string>;
}

export const DEMO = join(PACKAGE_ROOT, 'examples', 'demo.yaml');
/** Of a tenant: enough for alerts, few enough for many schedules. */
export const RECORDS = 4000;
const TENANTS = ['acme', 'globex', 'initech'];
const DATASETS = 3;

const known = new Map<number, Promise<Dataset>>();

/** The records of a schedule; several schedules share them. */
export function datasetOf(seed: number): Promise<Dataset> {
  const number = seed % DATASETS;
  const dataset = known.get(number) ?? make(number);
  known.set(number, dataset);
  return dataset;
}

/** The same records through the embedded pipeline, undisturbed, say which alerts there must be. */
async function make(number: number): Promise<Dataset> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-chaos-data-'));
  try {
    const made = await Promise.all(TENANTS.map((tenant) => generate(tenant, number, folder)));
    const data = join(folder, 'reference');
    const inputs = made.flatMap(({ path }) => ['--input', path]);
    const ran = await weir(['run', '--config', DEMO, ...inputs, '--data', data, '--json']);
    if (ran.code !== 0) throw new Error(ran.stderr);
    const alerts = (await dumpOf(data)).threat_analytics.map(({ details }) => alertName(String(details)));
    if (alerts.length < 3) throw new Error('there are no alerts to lose');
    return { records: made.map(({ records }) => records), alerts: new Set(alerts) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function generate(
  tenant: string,
  number: number,
  folder: string,
): Promise<{ readonly path: string; readonly records: readonly Fields[] }> {
  const path = join(folder, `${tenant}.ndjson`);
  const args = ['--tenant', tenant, '--seed', String(100 + number), '--records', '1', '--out', path];
  const made = await weir(['generate', ...args]);
  if (made.code !== 0) throw new Error(made.stderr);
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, RECORDS);
  writeFileSync(path, `${lines.join('\n')}\n`);
  return { path, records: lines.map((line) => JSON.parse(line) as Fields) };
}
