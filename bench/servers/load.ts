// The load: a process of its own that sends standard flow records at a pace, and in between probes, records that make a rule fire.
//   node load.js '{"config": …}'; says {ready}, then {sent} and {probes: [[id, when]]} as it goes, {done} at the end.

import { Partitioners, type Producer } from 'kafkajs';
import { loadForVerb } from '../../src/cli/prepare.ts';
import { openKafka } from '../../src/kafka/session.ts';
import { utf8 } from '../../src/model/bytes.ts';
import { partitionOf } from '../../src/model/kafka/partitioner.ts';
import { standardRecords } from '../standard.ts';
import { type LoadNews, type LoadOrders, PROBE, type Stretch } from './orders.ts';
import { LANES } from './place.ts';

const STEP_MS = 20;
const MOST_MESSAGES = 2000;

const orders = JSON.parse(process.argv[2]) as LoadOrders;
const tell = (news: LoadNews): void => void process.send?.(news);

const { config } = await loadForVerb({ config: orders.config });
const { kafka, close } = await openKafka(config.kafka);
const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner, allowAutoTopicCreation: false });
await producer.connect();
const { tenants, lines } = standardRecords(orders.pool);
const messages = lines.map((line, i) => {
  const own = (JSON.parse(line) as { tenant_id: string }).tenant_id;
  const tenant = orders.tenants.length > 0 ? orders.tenants[i % orders.tenants.length] : own;
  return messageOf(tenant, tenant === own ? line : line.replace(own, tenant));
});
let next = 0;
let probe = 0;
tell({ kind: 'ready' });
for (const stretch of orders.stretches) {
  if (stretch.rate === 0) await flood(producer, stretch.records);
  else await pace(producer, stretch);
  tell({ kind: 'stretch' });
}
await producer.disconnect();
await close();
tell({ kind: 'done' });
process.disconnect?.();

interface Keyed {
  readonly key: string;
  readonly value: string;
  readonly partition: number;
}

function messageOf(tenant: string, value: string): Keyed {
  return { key: tenant, value, partition: partitionOf('murmur2', utf8(tenant), LANES) };
}

function taken(count: number): Keyed[] {
  return Array.from({ length: count }, () => messages[next++ % messages.length]);
}

async function flood(to: Producer, records: number): Promise<void> {
  for (let sent = 0; sent < records; ) {
    const count = Math.min(MOST_MESSAGES, records - sent);
    await to.send({ topic: orders.topic, messages: taken(count), acks: -1 });
    sent += count;
    tell({ kind: 'sent', records: count, probes: [] });
  }
}

/** What is due is sent every few ms, whether or not the broker has answered: load does not wait for what it loads. */
async function pace(to: Producer, { records, rate, probesPerSecond, extra }: Stretch): Promise<void> {
  const began = Date.now();
  const pending: Promise<unknown>[] = [];
  let sent = 0;
  let probes = 0;
  let more = 0;
  while (sent < records) {
    const elapsed = (Date.now() - began) / 1000;
    const due = Math.min(records, Math.floor(elapsed * rate)) - sent;
    const now = Date.now();
    const fresh = Array.from({ length: Math.floor(elapsed * probesPerSecond) - probes }, () => probeOf(probe++, now));
    const extras = extra ? extrasOf(extra.tenant, Math.floor(elapsed * extra.rate) - more) : [];
    const batch = [...taken(due), ...extras, ...fresh.map(({ message }) => message)];
    sent += due;
    more += extras.length;
    probes += fresh.length;
    if (batch.length > 0) {
      pending.push(to.send({ topic: orders.topic, messages: batch, acks: -1 }));
      tell({ kind: 'sent', records: batch.length, probes: fresh.map(({ id }) => [id, now] as const) });
    }
    await new Promise((resolve) => setTimeout(resolve, STEP_MS));
  }
  await Promise.all(pending);
}

function extrasOf(tenant: string, count: number): Keyed[] {
  return taken(count).map(({ value }) =>
    messageOf(tenant, value.replace(/"tenant_id":"[^"]*"/, `"tenant_id":"${tenant}"`)),
  );
}

/** A probe has an address of its own, so it is an alert of its own: its number is the last three bytes. */
function probeOf(id: number, now: number): { id: number; message: Keyed } {
  const all = orders.tenants.length > 0 ? orders.tenants : tenants;
  const tenant = all[id % all.length];
  const value = JSON.stringify({
    tenant_id: tenant,
    pop_id: 'pop-fra-1',
    timestamp: now,
    source_ip: `172.${(id >> 16) & 255}.${(id >> 8) & 255}.${id & 255}`,
    destination_ip: '192.0.2.1',
    source_port: 40_000,
    destination_port: 443,
    protocol: 'tcp',
    bytes_sent: 100,
    bytes_received: 100,
    packets_sent: 1,
    packets_received: 1,
    application: PROBE,
    action: 'allow',
  });
  return { id, message: messageOf(tenant, value) };
}
