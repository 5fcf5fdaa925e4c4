// A tenant over its quota: its records take the way through the overflow, and end as if they had not; the others do not notice.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Admin, Kafka, logLevel, Partitioners } from 'kafkajs';
import type { CrashPoint } from '../src/delivery/crashpoints.ts';
import { makeTopics } from '../src/kafka/topics.ts';
import { Instance } from './chaos/instance.ts';
import { orSkip, startServices } from './services/index.ts';
import { Scratch } from './support/cli.ts';
import { flow } from './support/crooked.ts';
import { lagOf } from './support/lag.ts';
import { dumpOf } from './support/run.ts';

const scratch = new Scratch('quota');
after(() => scratch.remove());

const LANES = 2;
/** Sends this many in a burst, then some more within its quota; the other tenant's come in between. */
const BURST = 12_000;
const LATER = 300;
const QUIET = 300;
/** A tenant is parked between batches, so there have to be some. */
const STEPS = 100;
const RULES = `title: Ports
id: 6d7f2a4e-94a2-4c3c-9f0e-2d5b1c7a8ea0
status: test
logsource: { category: network, service: connection }
detection:
  any: { destination_ip: 192.0.2.9 }
  condition: any
level: low
---
title: Many ports of one host within minutes
id: 6d7f2a4e-94a2-4c3c-9f0e-2d5b1c7a8ea1
status: test
correlation:
  type: value_count
  rules: [6d7f2a4e-94a2-4c3c-9f0e-2d5b1c7a8ea0]
  group-by: [source_ip]
  timespan: 5m
  condition: { field: destination_port, gte: 200 }
level: high
tags: [attack.discovery, attack.t1046]
`;

/** Event time goes forward by a second a record: one that is overtaken by many others is late, and counts in no window. */
const record = (tenant: string, i: number): string =>
  flow({
    tenant_id: tenant,
    flow_id: undefined,
    timestamp: new Date(Date.UTC(2026, 2, 2) + i * 1000).toISOString(),
    source_ip: `10.0.${Math.floor(i / 500) % 200}.7`,
    destination_port: 1000 + (i % 500),
  });

const messagesOf = (tenant: string, from: number, count: number) =>
  Array.from({ length: count }, (_, i) => ({ partition: 0, key: tenant, value: record(tenant, from + i) }));

async function endOf(admin: Admin, topic: string): Promise<number> {
  const [{ high }] = (await admin.fetchTopicOffsets(topic)).filter(({ partition }) => partition === 0);
  return Number(high);
}

test('what a tenant sends beyond its quota waits apart, in order, and ends in the stores like everything else', async (t) => {
  const services = await orSkip(t, () => startServices(['kafka']));
  if (!services) return;
  const kafka = new Kafka({ brokers: [...services.kafka.brokers], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await Promise.all([admin.connect(), producer.connect()]);
  try {
    const results = [];
    for (const quota of [false, true]) {
      const group = quota ? 'limited' : 'free';
      const prefix = `quota-${group}-${randomBytes(4).toString('hex')}-`;
      const topic = `${prefix}flows`;
      const overflow = `${prefix}overflow-${group}`;
      await makeTopics(admin, [{ topic, numPartitions: LANES }]);
      scratch.write('rules/ports.yml', RULES);
      const data = scratch.path(group);
      const config = scratch.write(
        `${group}.yaml`,
        JSON.stringify({
          kafka: { brokers: services.kafka.brokers, prefix, group, session_timeout: '3s' },
          sources: [{ name: 'flows', topic: 'flows', format: 'native-json' }],
          tenants: [{ slug: 'acme', ...(quota ? { quota: { rate: 1000, burst: 2000 } } : {}) }, { slug: 'globex' }],
          rules: { packs: false, directories: [scratch.path('rules')] },
          block: { rows: 500 },
          snapshot: { seconds: 1 },
          batch: { bytes: '16KiB' },
        }),
      );
      const values = { config, data, workers: '2' };
      const settled = async (instance: Instance): Promise<void> => {
        for (const end = Date.now() + 90_000; ; await sleep(300)) {
          const lag = await lagOf(admin, group, [topic, overflow]);
          if (lag === '') return;
          assert.ok(Date.now() < end, `${lag} ${instance.failures.join()}`);
        }
      };
      for (let i = 0; i < STEPS; i++) {
        await producer.send({ topic, messages: messagesOf('acme', (i * BURST) / STEPS, BURST / STEPS) });
        await producer.send({ topic, messages: messagesOf('globex', (i * QUIET) / STEPS, QUIET / STEPS) });
      }
      const deaths: CrashPoint[] = quota ? ['after-journal', 'before-commit'] : [];
      for (const point of deaths) {
        const dying = new Instance(() => ({ values, crash: { point, nth: 4 } }));
        for (const end = Date.now() + 30_000; dying.died.length === 0 && Date.now() < end; ) await sleep(50);
        await dying.stop(30_000);
      }
      const instance = new Instance(() => ({ values }));
      await sleep(deaths.length > 0 ? 4000 : 0); // a member that was killed is one until its session ends
      await settled(instance);
      const parked = quota ? await endOf(admin, overflow) : 0;
      await sleep(4000); // so long a tenant has to be silent for its bucket to fill, and a lane to let it in again
      await producer.send({ topic, messages: messagesOf('acme', BURST, LATER) });
      await settled(instance);
      assert.ok(await instance.stop(30_000), instance.failures.join('\n'));
      if (quota) {
        assert.ok(parked > BURST / 4, `only ${parked} records were parked`);
        assert.equal(await endOf(admin, overflow), parked, 'within its quota a tenant is not parked');
      }
      results.push(await dumpOf(data));
    }
    const [free, limited] = results;
    assert.equal(
      new Set(limited.flows.map(({ destination_port, source_ip }) => `${destination_port} ${source_ip}`)).size,
      BURST + LATER,
    );
    const bare = (rows: readonly object[]): unknown[] =>
      rows.map((row) => JSON.stringify({ ...row, flow_id: undefined })).sort();
    for (const table of ['flows', 'traffic_analytics', 'rejects'] as const)
      assert.deepEqual(bare(limited[table]), bare(free[table]), table);
    assert.ok(free.threat_analytics.length > 20);
    assert.equal(limited.threat_analytics.length, free.threat_analytics.length);
  } finally {
    await Promise.all([admin.disconnect(), producer.disconnect()]);
    await services.stop();
  }
});
