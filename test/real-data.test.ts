// Promise: real telemetry comes out whole. What Weir stores of every file under ../shared/data is compared with counts that
// zcat and awk make of the same files, and what the attackers in it did is named by alerts.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, describe, type TestContext, test } from 'node:test';
import { glob } from 'tinyglobby';
import { uuidFrom } from '../src/model/hash.ts';
import { PACKAGE_ROOT } from '../src/root.ts';
import { type RunAnswer, rowsOf, runJson, Scratch, valuesOf } from './support/cli.ts';
import { weir } from './support/run.ts';

const DATA = join(PACKAGE_ROOT, '..', 'shared', 'data');
const EXPOSED_HOST = '64.225.56.201';

/** Kinds of telemetry, with the files of each. The logs are of different years and one tenant, so they are read in event-time order. */
const KINDS = {
  exposed: 'zeek/exposed-host-2024/*.log.gz',
  wrccdc: 'zeek/wrccdc-2018/*.json.gz',
  suricata: 'suricata/*.json.gz',
  logs: 'logs/*.log',
} as const;
type Kind = keyof typeof KINDS;

interface Counts {
  /** Records that are flows, and all others. */
  readonly flows: string;
  readonly others: string;
  readonly bytes_sent: string;
  readonly bytes_received: string;
  readonly packets_sent: string;
  readonly packets_received: string;
  readonly ip_bytes_sent: string;
  readonly ip_bytes_received: string;
}

const SUMS = ['bytes_sent', 'bytes_received', 'packets_sent', 'packets_received', 'ip_bytes_sent', 'ip_bytes_received'];
const PRINT =
  'END { printf "%.0f %.0f %.0f %.0f %.0f %.0f %.0f %.0f", flows, others, s[1], s[2], s[3], s[4], s[5], s[6] }';

/** Zeek TSV: fields by the header above them; an unset count is '-', which awk adds as 0. */
const ZEEK_TSV = `
  BEGIN { FS = "\\t"; split("orig_bytes resp_bytes orig_pkts resp_pkts orig_ip_bytes resp_ip_bytes", names, " ") }
  /^#path/ { path = $2 }
  /^#fields/ { for (i = 2; i <= NF; i++) at[$i] = i - 1 }
  /^#/ { next }
  path == "conn" { flows++; for (i = 1; i <= 6; i++) s[i] += $at[names[i]]; next }
  { others++ }
  ${PRINT}`;

/** Suricata EVE: the counters of flow events, cut out of the line. */
const SURICATA = `
  function counter(name) { return match($0, "\\"" name "\\":[0-9]+") ? substr($0, RSTART + length(name) + 3, RLENGTH) + 0 : 0 }
  BEGIN { split("bytes_toserver bytes_toclient pkts_toserver pkts_toclient", names, " ") }
  /"event_type":"flow"/ { flows++; for (i = 1; i <= 4; i++) s[i] += counter(names[i]); next }
  { others++ }
  ${PRINT}`;

const LINES = `{ others++ } ${PRINT}`;

function awk(program: string, files: readonly string[]): string {
  return execFileSync('sh', ['-c', 'program=$1; shift; zcat -f "$@" | awk "$program"', 'sh', program, ...files], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
}

function countedByAwk(kind: Kind, file: string): Counts {
  const program = kind === 'exposed' ? ZEEK_TSV : kind === 'suricata' ? SURICATA : LINES;
  const [flows, others, ...sums] = awk(program, [file]).split(' ');
  return { flows, others, ...Object.fromEntries(SUMS.map((name, i) => [name, sums[i]])) } as unknown as Counts;
}

async function filesOf(kind: Kind): Promise<string[]> {
  return (await glob(KINDS[kind], { cwd: DATA, absolute: true })).sort();
}

function skipped(t: TestContext): boolean {
  if (!existsSync(DATA)) t.skip('../shared/data is absent');
  return !existsSync(DATA);
}

function assertNothingLost({ code, stderr, summary }: RunAnswer, expected: readonly Counts[]): void {
  const sum = (name: keyof Counts): number => expected.reduce((total, counts) => total + Number(counts[name]), 0);
  assert.equal(code, 0, stderr);
  assert.deepEqual(summary.rejects, {}, 'nothing valid is rejected');
  const { read, accepted, rejected, skipped: left } = summary.records;
  assert.equal(read, accepted + rejected + left);
  assert.equal(accepted, sum('flows') + sum('others'));
  assert.equal(summary.stored.flows, sum('flows'), 'one flow a conn row or flow event');
  assert.equal(summary.stored.logs, sum('others'), 'one log event for each other record');
}

/** What is stored, by PoP: here every file is a PoP of its own. */
async function storedByPop(data: string): Promise<Map<string, Counts>> {
  const sums = SUMS.map((name) => `toString(sum(${name})) AS ${name}`).join(', ');
  const flows = await rowsOf<Counts & { pop_id: string }>(
    data,
    `SELECT pop_id, toString(count()) AS flows, ${sums} FROM flows GROUP BY pop_id`,
  );
  const others = await rowsOf<{ pop_id: string; others: string }>(
    data,
    'SELECT pop_id, toString(count()) AS others FROM logs GROUP BY pop_id',
  );
  const none = { flows: '0', others: '0', ...Object.fromEntries(SUMS.map((name) => [name, '0'])) };
  const stored = new Map<string, Counts>();
  for (const { pop_id, ...row } of [...flows, ...others])
    stored.set(pop_id, { ...none, ...stored.get(pop_id), ...row } as Counts);
  return stored;
}

async function assertNamed(data: string, wanted: readonly string[], what: string): Promise<void> {
  const named = new Set(await valuesOf(data, 'SELECT DISTINCT toString(source_ip) FROM threat_analytics'));
  const missing = wanted.filter((address) => !named.has(address));
  assert.deepEqual(missing, [], `${what}: every one of ${wanted.length} is named by an alert`);
}

async function assertNewsOnce(data: string): Promise<void> {
  const repeated = await rowsOf(
    data,
    `SELECT source_ip, source_ip6, rule_id, toStartOfHour(timestamp) AS hour, count() AS alerts
     FROM threat_analytics GROUP BY ALL HAVING alerts > 1`,
  );
  assert.deepEqual(repeated, [], 'at most one alert a source, rule and hour');
}

describe('real telemetry', { concurrency: 1 }, () => {
  const scratch = new Scratch('real-data');
  after(() => scratch.remove());

  for (const kind of Object.keys(KINDS) as Kind[]) {
    test(`${kind}: all of it is stored, and reading it again finds nothing new`, async (t) => {
      if (skipped(t)) return;
      const args = [
        '--input',
        join(DATA, KINDS[kind]),
        '--tenant',
        'acme',
        '--pop',
        kind,
        '--data',
        scratch.path(kind),
      ];
      if (kind === 'logs') args.push('--order', 'event-time');
      const expected = (await filesOf(kind)).map((file) => countedByAwk(kind, file));
      assertNothingLost(await runJson(args), expected);
      const again = await weir(['run', ...args]);
      assert.equal(again.code, 0, again.stderr);
      assert.match(again.stdout, /^Nothing is new/);
      await assertNewsOnce(scratch.path(kind));
    });
  }

  test('exposed host: every port scanner and every SSH brute forcer is named', async (t) => {
    if (skipped(t)) return;
    const files = (await filesOf('exposed')).filter((file) => basename(file).startsWith('conn.'));
    const found = awk(
      `BEGIN { FS = "\\t" }
       /^#fields/ { for (i = 2; i <= NF; i++) at[$i] = i - 1 }
       /^#/ { next }
       $at["id.resp_h"] == "${EXPOSED_HOST}" {
         source = $at["id.orig_h"]; port = $at["id.resp_p"]
         if (!seen[source, port]++) ports[source]++
         if (port == 22) ssh[source]++
       }
       END { for (s in ports) if (ports[s] >= 100) print "scan", s; for (s in ssh) if (ssh[s] >= 20) print "ssh", s }`,
      files,
    );
    const lines = found.trim().split('\n');
    const of = (what: string): string[] => lines.filter((l) => l.startsWith(what)).map((l) => l.split(' ')[1]);
    assert.equal(of('scan').length, 22);
    assert.equal(of('ssh').length, 291);
    await assertNamed(scratch.path('exposed'), of('scan'), 'sources that touch 100 ports or more');
    await assertNamed(scratch.path('exposed'), of('ssh'), 'sources that open 20 SSH connections or more');
  });

  test('OpenSSH_2k.log: every address with three or more failed passwords is named', async (t) => {
    if (skipped(t)) return;
    const file = join(DATA, 'logs', 'OpenSSH_2k.log');
    const found = awk(
      `/Failed password/ { for (i = 1; i < NF; i++) if ($i == "from") failed[$(i + 1)]++ }
       END { for (address in failed) if (failed[address] >= 3) print address }`,
      [file],
    );
    const wanted = found.trim().split('\n');
    assert.ok(wanted.length > 10);
    const alone = scratch.path('openssh');
    await runJson(['--input', file, '--tenant', 'acme', '--pop', 'dc', '--data', alone]);
    await assertNamed(alone, wanted, 'brute-forcing addresses, in a run of their own');
    await assertNewsOnce(alone);
    await assertNamed(scratch.path('logs'), wanted, 'brute-forcing addresses, among logs of other years');
  });

  test('everything in one run: rows and totals of each byte and packet column equal an independent count, file by file', async (t) => {
    if (skipped(t)) return;
    const expected = new Map<string, Counts>();
    const sources: string[] = [];
    for (const kind of Object.keys(KINDS) as Kind[]) {
      for (const file of await filesOf(kind)) {
        const name = basename(file);
        expected.set(name, countedByAwk(kind, file));
        sources.push(`  - { name: ${name}, input: ${JSON.stringify(file)}, tenant: ${kind}, pop: ${name} }`);
      }
    }
    const tenants = Object.keys(KINDS).map((kind) => `  - { slug: ${kind}, id: ${uuidFrom('test', kind)} }`);
    const config = scratch.write('weir.yaml', ['sources:', ...sources, 'tenants:', ...tenants, ''].join('\n'));
    const data = scratch.path('all');
    assertNothingLost(await runJson(['--config', config, '--data', data]), [...expected.values()]);
    assert.deepEqual(new Map([...(await storedByPop(data))].sort()), new Map([...expected].sort()));
    const again = await runJson(['--config', config, '--data', data]);
    assert.equal(again.summary.records.read, 0, 'reading it again finds nothing new');
  });
});
