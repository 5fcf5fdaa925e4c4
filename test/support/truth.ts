// What generated NDJSON must come out as, read from the file itself and never through Weir's code.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Dump } from './dump.ts';

interface Expected {
  readonly flows: ReadonlyMap<string, string>;
  readonly logs: number;
  readonly tunnels: number;
  readonly sessions: number;
  /** tenant|pop|minute|application → [bytes, requests]. */
  readonly rollups: ReadonlyMap<string, readonly [bigint, number]>;
}

type Row = Record<string, string | number>;

const flowText = (row: Row): string =>
  [
    row.tenant_id,
    row.pop_id,
    row.source_ip,
    row.destination_ip,
    row.bytes_sent,
    row.bytes_received,
    row.packets_sent,
    row.packets_received,
  ].join(' ');

export function expectedOf(path: string): Expected {
  const flows = new Map<string, string>();
  const rollups = new Map<string, readonly [bigint, number]>();
  const counts = { logs: 0, tunnels: 0, sessions: 0 };
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (line === '') continue;
    const row = JSON.parse(line) as Row;
    if (row.flow_id) {
      flows.set(String(row.flow_id), flowText(row));
      const minute = Math.floor(Date.parse(String(row.timestamp)) / 60_000) * 60;
      const key = [row.tenant_id, row.pop_id, minute].join('|');
      const [bytes, requests] = rollups.get(key) ?? [0n, 0];
      rollups.set(key, [bytes + BigInt(row.bytes_sent) + BigInt(row.bytes_received), requests + 1]);
    } else if (row.tunnel_id) counts.tunnels++;
    else if (row.session_id) counts.sessions++;
    else counts.logs++;
  }
  return { flows, rollups, ...counts };
}

const plain = (ip: unknown): string => String(ip).replace(/^::ffff:(?=\d+\.)/, '');

/** Rows, values and sums of a dump equal the input's: nothing lost, nothing doubled. */
export function assertHolds(dump: Dump, expected: Expected): void {
  const flows = dump.flows.map(
    (row) =>
      [
        String(row.flow_id),
        flowText({ ...(row as Row), source_ip: plain(row.source_ip), destination_ip: plain(row.destination_ip) }),
      ] as const,
  );
  assert.equal(flows.length, expected.flows.size, 'number of flows');
  for (const [id, text] of flows) assert.equal(text, expected.flows.get(id), `flow ${id}`);
  assert.equal(new Set(flows.map(([id]) => id)).size, expected.flows.size, 'no flow twice');
  assert.equal(dump.logs.length, expected.logs, 'number of log events');
  assert.equal(dump.tunnel_stats.length, expected.tunnels, 'number of tunnel statistics');
  assert.equal(dump.session_events.length, expected.sessions, 'number of session events');
  const sums = new Map<string, readonly [bigint, number]>();
  for (const row of dump.traffic_analytics) {
    const key = [row.tenant_id, row.pop_id, Date.parse(`${String(row.timestamp).replace(' ', 'T')}Z`) / 1000].join('|');
    const [bytes, requests] = sums.get(key) ?? [0n, 0];
    sums.set(key, [bytes + BigInt(String(row.bytes)), requests + Number(row.requests)]);
  }
  assert.deepEqual(new Map([...sums].sort()), new Map([...expected.rollups].sort()), 'rollups');
  assert.equal(
    new Set(dump.threat_analytics.map((row) => row.alert_id)).size,
    dump.threat_analytics.length,
    'no alert twice',
  );
}
