// The keys of the servers that Weir reads from and writes to; part of schema.ts.

import { PARTITIONERS } from '../model/kafka/partitioner.ts';
import { choice, duration, flag, integer, list, path, secret, section, size, text } from './node.ts';
import { DAY, KIB, MIB, SECOND } from './units.ts';

const TLS = section('TLS.', {
  enabled: flag(false, 'Encrypt the connection and check the server’s certificate.'),
  ca: path('', 'PEM file of the authorities to trust; the system’s when it is left out.'),
  cert: path('', 'PEM file of the client’s certificate.'),
  key: path('', 'PEM file of the client’s key.'),
});

const seconds = (initial: number, least: number, most: number, doc: string) =>
  duration(initial * SECOND, { minimum: least * SECOND, maximum: most * SECOND }, doc);

export const KAFKA = section('Kafka, for sources with a topic.', {
  brokers: list('Brokers to start from.', text(undefined, 'host:port')),
  prefix: text('', 'Stands before every topic name, of input and output alike.', 'topic'),
  group: text(
    'weir',
    'Consumer group, and name of its state. An instance with one role takes this name with "-detect" or "-store" behind it.',
    'topic',
  ),
  tls: TLS,
  sasl: section('Who Weir is.', {
    mechanism: choice(['none', 'plain', 'scram-sha-256', 'scram-sha-512'], 'none', 'SASL mechanism.'),
    username: text('', 'User.'),
    password: secret('Password; better given as WEIR_KAFKA_SASL_PASSWORD.'),
  }),
  partitioner: choice(
    ['any', ...PARTITIONERS],
    'any',
    'How producers hash a tenant’s UUID, the key, to partitions. Records of a tenant in another partition than its own are sent there through the topic repartition-GROUP; any leaves them where they are.',
  ),
  session_timeout: seconds(30, 1, 300, 'Silence after which the group takes an instance for dead.'),
  fetch_bytes: size(4 * MIB, { minimum: 16 * KIB, maximum: 64 * MIB }, 'Most bytes fetched of a partition at once.'),
  replication: integer(
    -1,
    { minimum: -1, maximum: 15, unit: 'replicas' },
    'Replicas of topics that Weir creates; -1 leaves it to the broker.',
  ),
  create_topics: flag(true, 'Create output and state topics that are missing.'),
  tick: seconds(10, 1, 3600, 'How often a silent lane notes the time, so that silence has a clock.'),
  missing_offsets: choice(
    ['stop', 'earliest'],
    'stop',
    'What to do when the broker no longer has what comes next: stop loudly, or go on with what it still has and count the gap.',
  ),
});

export const SCYLLA = section('ScyllaDB or Cassandra, with store.kind: servers.', {
  contact_points: list('Nodes to start from.', text(undefined, 'host or host:port')),
  local_data_center: text('datacenter1', 'Data centre whose nodes are asked.'),
  keyspace: text('opensase', 'Keyspace.', 'keyspace'),
  username: text('', 'User; empty for no authentication.'),
  password: secret('Password; better given as WEIR_SCYLLA_PASSWORD.'),
  tls: TLS,
  consistency: choice(
    ['one', 'local_one', 'quorum', 'local_quorum', 'all', 'each_quorum'],
    'local_quorum',
    'Consistency of writes.',
  ),
  replication: integer(
    1,
    { minimum: 1, maximum: 15, unit: 'replicas' },
    'Replicas, where migrate creates the keyspace.',
  ),
  batch_bytes: size(
    5 * KIB,
    { minimum: 512, maximum: MIB },
    'Rows of one batch statement; the server warns above batch_size_warn_threshold and refuses above batch_size_fail_threshold.',
  ),
  in_flight: integer(
    64,
    { minimum: 1, maximum: 4096, unit: 'batches' },
    'Most batch statements under way of a worker; it adapts below that.',
  ),
  flow_bucket: duration(
    0,
    { minimum: 0, maximum: 7 * DAY },
    'Time bucket in the partition key of flows; 0 has the plain key (tenant, PoP), whose partitions grow without bound.',
  ),
  request_timeout: seconds(5, 1, 120, 'Longest wait for an answer.'),
});

export const CLICKHOUSE = section('ClickHouse, with store.kind: servers.', {
  url: text('', 'http(s)://host:port of the server.'),
  database: text('weir', 'Database.', 'keyspace'),
  username: text('default', 'User.'),
  password: secret('Password; better given as WEIR_CLICKHOUSE_PASSWORD.'),
  store_logs: flag(false, 'Keep log events too (table logs).'),
  request_timeout: seconds(30, 1, 600, 'Longest wait for an answer.'),
});
