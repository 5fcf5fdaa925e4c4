// Apache Kafka, one node that is broker and controller (KRaft).

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cachedJars, exists } from './cache.ts';
import type { Server } from './server.ts';
import type { Ports } from './settings.ts';
import { java, runTool } from './tools.ts';

const ARTIFACTS = [
  'org.apache.kafka:kafka_2.13:4.4.0',
  'org.apache.logging.log4j:log4j-slf4j-impl:2.25.5', // without a binding of SLF4J 1.7 the broker logs nothing
];

const MEMORY = ['-Xms128m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData'];

export const kafka: Server = {
  name: 'kafka',
  ports: ['kafka', 'kafkaController', 'kafkaProxied'],
  patience: 90,
  stopSignal: 'SIGTERM',

  install: async (cache) => {
    await java('Kafka', (version) => version >= 17, '17 or later');
    return cachedJars(cache, 'kafka', ARTIFACTS);
  },

  prepare: async ({ software, directory, ports }) => {
    const data = join(directory, 'data');
    const temporary = join(directory, 'tmp'); // native libraries are unpacked here, and would stay behind in /tmp
    for (const folder of [data, temporary]) await mkdir(folder, { recursive: true });
    const properties = join(directory, 'server.properties');
    const logging = join(directory, 'log4j2.xml');
    await writeFile(properties, propertiesOf(data, ports));
    await writeFile(logging, LOG4J);
    const command = await java('Kafka', (version) => version >= 17, '17 or later');
    const system = [
      `-Djava.io.tmpdir=${temporary}`,
      '-Djava.awt.headless=true',
      `-Dlog4j2.configurationFile=${logging}`,
    ];
    const args = [...MEMORY, ...system, '-cp', join(software, 'lib', '*')];
    if (!(await exists(join(data, 'meta.properties'))))
      await runTool(command, [...args, 'kafka.tools.StorageTool', 'format', '-t', CLUSTER, '-c', properties], {
        purpose: 'It formats the data directory of Kafka',
        code: 'services_ended',
      });
    return { command, args: [...args, 'kafka.Kafka', properties] };
  },

  isReady: async (_ports, log) => log().includes('Kafka Server started'),
};

const CLUSTER = 'MkU3OEVBNTcwNTJENDM2Qg';

const propertiesOf = (data: string, ports: Ports) => `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${ports.kafkaController}
listeners=PLAINTEXT://127.0.0.1:${ports.kafka},PROXIED://127.0.0.1:${ports.kafkaProxied},CONTROLLER://127.0.0.1:${ports.kafkaController}
# Whoever comes in by the second listener is sent back to it: through a proxy, if a test has put one there.
advertised.listeners=PLAINTEXT://127.0.0.1:${ports.kafka},PROXIED://127.0.0.1:${ports.kafkaProxy}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs=${data.replaceAll('\\', '\\\\')}
num.partitions=4
auto.create.topics.enable=false
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
# Tests of fencing and take-over want sessions shorter than the 6 s that is the least by default.
group.min.session.timeout.ms=500
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
# After kill -9 the broker may register only when its old session has ended: 9 s by default.
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=300
log.cleaner.backoff.ms=500
log.cleaner.dedupe.buffer.size=2097152
num.network.threads=2
num.io.threads=4
`;

const LOG4J = `<?xml version="1.0" encoding="UTF-8"?>
<Configuration status="WARN">
  <Appenders><Console name="out" target="SYSTEM_OUT"><PatternLayout pattern="%d %p [%c{1}] %m%n"/></Console></Appenders>
  <Loggers><Root level="INFO"><AppenderRef ref="out"/></Root></Loggers>
</Configuration>
`;
