// Records of a tenant that came in by other partitions than the tenant's own: they meet in one lane, once, as the records that they were.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import type { CrashPoint } from '../src/delivery/crashpoints.ts';
import { makeTopics } from '../src/kafka/topics.ts';
import { Instance } from './chaos/instance.ts';
import { orSkip, startServices } from './services/index.ts';
import { Scratch } from './support/cli.ts';
import { flow } from './support/crooked.ts';
import { lagOf } from './support/lag.ts';
import { dumpOf } from './support/run.ts';

const scratch = new Scratch('strays');
after(() => scratch.remove());

const LANES = 4;
const TENANTS = ['acme', 'globex', 'initech'];
const FLOWS = 600;
const RULE = `title: Many ports
id: 6d7f2a4e-94a2-4c3c-9f0e-2d5b1c7a8e90
status: test
logsource: { category: network, service: connection }
detection:
  any: { destination_ip: 192.0.2.9 }
  condition: any
level: low
---
title: Many ports of one host
id: 6d7f2a4e-94a2-4c3c-9f0e-2d5b1c7a8e91
status: test
correlation:
  type: value_count
  rules: [6d7f2a4e-94a2-4c3c-9f0e-2d5b1c7a8e90]
  group-by: [source_ip]
  timespan: 1h
  condition: { field: destination_port, gte: 150 }
level: high
tags: [attack.discovery, attack.t1046]
`;

test('records in the wrong partition are stored once, in their tenant’s lane, under their own identifiers', async (t) => {
  const services = await orSkip(t, () => startServices(['kafka']));
  if (!services) return;
  const kafka = new Kafka({ brokers: [...services.kafka.brokers], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  const prefix = `strays-${randomBytes(4).toString('hex')}-`;
  await Promise.all([admin.connect(), producer.connect()]);
  try {
    const topics = ['flows', 'logs'].map((name) => ({ topic: `${prefix}${name}`, numPartitions: LANES }));
    await makeTopics(admin, topics);
    scratch.write('rules/ports.yml', RULE);
    const results = [];
    // Every record by whatever partition comes next, several a message now and then.
    const messages = Array.from({ length: FLOWS }, (_, i) => {
      const line = (port: number): string =>
        flow({ tenant_id: TENANTS[i % 3], destination_port: port, flow_id: undefined });
      const value = i % 50 === 7 ? `${line(2000 + i)}\n${line(2000 + i)}\n${line(4000 + i)}` : line(2000 + i);
      return { partition: i % LANES, key: null, value };
    });
    const log = (i: number): string =>
      JSON.stringify({
        tenant_id: TENANTS[i % 3],
        pop_id: 'fra1',
        timestamp: '2026-03-02T09:00:00Z',
        message: `event ${i}`,
      });
    await producer.send({ topic: `${prefix}flows`, messages });
    await producer.send({
      topic: `${prefix}logs`,
      messages: Array.from({ length: 30 }, (_, i) => ({ partition: i % LANES, value: log(i) })),
    });
    const rows = FLOWS + (FLOWS / 50) * 2;
    for (const partitioner of ['any', 'murmur2']) {
      const data = scratch.path(partitioner);
      const config = scratch.write(
        `${partitioner}.yaml`,
        JSON.stringify({
          kafka: { brokers: services.kafka.brokers, prefix, group: partitioner, partitioner, session_timeout: '6s' },
          sources: ['flows', 'logs'].map((topic) => ({ name: topic, topic, format: 'native-json' })),
          tenants: TENANTS.map((slug) => ({ slug })),
          rules: { packs: false, directories: [scratch.path('rules')] },
          block: { rows: 40 },
          snapshot: { seconds: 2 },
          batch: { bytes: '4KiB' },
        }),
      );
      const deaths: CrashPoint[] = partitioner === 'any' ? [] : ['after-journal', 'before-commit', 'after-commit'];
      const values = { config, data, workers: '2' };
      const read = [
        `${prefix}flows`,
        `${prefix}logs`,
        ...(partitioner === 'any' ? [] : [`${prefix}repartition-${partitioner}`]),
      ];
      for (const point of deaths) {
        const dying = new Instance(() => ({ values, crash: { point, nth: 3 } }));
        for (const end = Date.now() + 30_000; dying.died.length === 0 && Date.now() < end; ) await sleep(50);
        await dying.stop(30_000);
      }
      const instance = new Instance(() => ({ values }));
      await sleep(8000); // a member that was killed is one until its session ends
      for (const end = Date.now() + 60_000; ; await sleep(300)) {
        const lag = await lagOf(admin, partitioner, read);
        if (lag === '') break;
        assert.ok(Date.now() < end, `${lag} ${instance.failures.join()}`);
      }
      assert.ok(await instance.stop(30_000), instance.failures.join('\n'));
      results.push(await dumpOf(data));
    }
    const [plain, diverted] = results;
    assert.equal(new Set(diverted.flows.map(({ flow_id }) => flow_id)).size, rows);
    for (const table of ['flows', 'logs', 'traffic_analytics', 'rejects'] as const)
      assert.deepEqual(diverted[table], plain[table], table);
    assert.equal(plain.threat_analytics.length, 0, 'no lane sees enough ports by itself');
    assert.equal(diverted.threat_analytics.length, TENANTS.length);
  } finally {
    await Promise.all([admin.disconnect(), producer.disconnect()]);
    await services.stop();
  }
});
