// Apache Cassandra, one node. ScyllaDB speaks the same protocol and is what users run.

import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { stringify } from 'yaml';
import { cachedJars } from './cache.ts';
import { ServiceError } from './failure.ts';
import type { Server } from './server.ts';
import type { Ports } from './settings.ts';
import { java } from './tools.ts';

const VERSION = '5.0.9';

/** Small and quickly up for tests; for the bench as it would be run. */
const FAST = process.env.WEIR_SERVICES_FAST === '1';

/** Warning threshold of batches when it is fast, as ScyllaDB has it by default. */
export const BATCH_KIB = 128;

const MEMORY = [
  ...(FAST
    ? ['-Xms2g', '-Xmx2g', '-XX:MaxDirectMemorySize=1g', '-XX:+UseParallelGC']
    : ['-Xms384m', '-Xmx384m', '-XX:MaxDirectMemorySize=256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']),
  ...['-Xss512k', '-XX:+ExitOnOutOfMemoryError', '-XX:-UsePerfData'],
];

/** What Cassandra reaches into on Java 17. */
const ACCESS = [
  '-Djdk.attach.allowAttachSelf=true',
  ...exported(
    'java.base/jdk.internal.misc java.management.rmi/com.sun.jmx.remote.internal.rmi java.rmi/sun.rmi.registry',
  ),
  ...exported('java.rmi/sun.rmi.server java.sql/java.sql java.base/java.lang.ref jdk.unsupported/sun.misc'),
  ...opened('java.base/java.lang.module java.base/jdk.internal.loader java.base/jdk.internal.ref'),
  ...opened('java.base/jdk.internal.reflect java.base/jdk.internal.math java.base/jdk.internal.module'),
  ...opened('java.base/jdk.internal.util.jar jdk.management/com.sun.management.internal java.base/sun.nio.ch'),
  ...opened('java.base/java.io java.base/java.nio java.base/java.lang.reflect java.base/java.lang java.base/java.util'),
  '-Dio.netty.tryReflectionSetAccessible=true',
  '-Dio.netty.allocator.useCacheForAllThreads=true',
  '-Dio.netty.allocator.maxOrder=11',
];

/** A ring of one waits for nobody. */
const ALONE = [
  '-Dcassandra-foreground=yes',
  '-Dcassandra.skip_wait_for_gossip_to_settle=0',
  '-Dcassandra.initial_token=0',
  '-Dcassandra.ring_delay_ms=1',
  '-Dcassandra.superuser_setup_delay_ms=0',
];

export const cassandra: Server = {
  name: 'cassandra',
  ports: ['cassandra', 'cassandraStorage'],
  patience: 150,
  stopSignal: 'SIGTERM',

  install: async (cache) => {
    await java17();
    return cachedJars(cache, 'cassandra', [`org.apache.cassandra:cassandra-all:${VERSION}`]);
  },

  prepare: async ({ software, directory, ports }) => {
    const data = join(directory, 'data');
    const temporary = join(directory, 'tmp');
    for (const folder of [data, temporary]) await mkdir(folder, { recursive: true });
    const configuration = join(directory, 'cassandra.yaml');
    const logging = join(directory, 'logback.xml');
    await writeFile(configuration, stringify(configurationOf(data, ports)));
    await writeFile(logging, LOGBACK);
    const lib = join(software, 'lib');
    const agent = (await readdir(lib)).find((jar) => /^jamm-.*\.jar$/.test(jar));
    if (!agent) throw new ServiceError('services_download_failed', `${lib} has no jamm-*.jar: delete ${software}.`);
    const system = [
      `-javaagent:${join(lib, agent)}`,
      `-Dcassandra.config=${pathToFileURL(configuration)}`,
      `-Dcassandra.storagedir=${data}`,
      `-Dlogback.configurationFile=${logging}`,
      `-Djava.io.tmpdir=${temporary}`,
      `-Djna.tmpdir=${temporary}`,
      '-Djava.net.preferIPv4Stack=true',
      '-Djava.awt.headless=true',
    ];
    const main = ['-cp', join(lib, '*'), 'org.apache.cassandra.service.CassandraDaemon'];
    return { command: await java17(), args: [...ACCESS, ...MEMORY, ...system, ...ALONE, ...main] };
  },

  isReady: ({ cassandra: port }) => listens(port), // the last thing that it opens
};

const java17 = () => java('Cassandra', (version) => version === 17, '17');

const configurationOf = (data: string, ports: Ports) => ({
  cluster_name: 'weir-services',
  num_tokens: 1,
  partitioner: 'org.apache.cassandra.dht.Murmur3Partitioner',
  endpoint_snitch: 'SimpleSnitch',
  listen_address: '127.0.0.1',
  rpc_address: '127.0.0.1',
  storage_port: ports.cassandraStorage,
  ssl_storage_port: ports.cassandraStorage + 1, // named, but opened only with encryption
  native_transport_port: ports.cassandra,
  start_native_transport: true,
  seed_provider: [
    {
      class_name: 'org.apache.cassandra.locator.SimpleSeedProvider',
      parameters: [{ seeds: `127.0.0.1:${ports.cassandraStorage}` }],
    },
  ],
  authenticator: 'AllowAllAuthenticator',
  authorizer: 'AllowAllAuthorizer',
  data_file_directories: [join(data, 'data')],
  commitlog_directory: join(data, 'commitlog'),
  saved_caches_directory: join(data, 'saved_caches'),
  hints_directory: join(data, 'hints'),
  cdc_raw_directory: join(data, 'cdc_raw'),
  // Acknowledged after the fsync, so kill -9 loses nothing: with 'periodic', the default, it was seen to lose rows.
  commitlog_sync: 'batch',
  commitlog_segment_size: '8MiB',
  commitlog_total_space: FAST ? '2GiB' : '256MiB',
  memtable_heap_space: FAST ? '512MiB' : '64MiB',
  memtable_offheap_space: FAST ? '512MiB' : '64MiB',
  ...(FAST ? { batch_size_warn_threshold: `${BATCH_KIB}KiB` } : {}),
  file_cache_size: '32MiB',
  key_cache_size: '4MiB',
  auto_snapshot: false,
  concurrent_reads: 8,
  concurrent_writes: FAST ? 32 : 8,
  concurrent_compactors: 1,
});

const LOGBACK = `<configuration>
  <appender name="out" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%d %-5level [%thread] %logger{20} - %msg%n</pattern></encoder>
  </appender>
  <root level="INFO"><appender-ref ref="out"/></root>
</configuration>
`;

function exported(packages: string): string[] {
  return packages.split(' ').map((name) => `--add-exports=${name}=ALL-UNNAMED`);
}

function opened(packages: string): string[] {
  return packages.split(' ').map((name) => `--add-opens=${name}=ALL-UNNAMED`);
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const tell = (open: boolean) => () => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', tell(true)).once('error', tell(false));
  });
}
