// npm run bench:servers: test servers of its own, and `weir bench --servers` against them. Arguments are passed on.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';

process.env.WEIR_SERVICES_FAST = '1'; // read when the servers' modules are loaded
const { startServices } = await import('./index.ts');
const { BATCH_KIB } = await import('./cassandra.ts');
const services = await startServices(['kafka', 'cassandra', 'clickhouse'], { isolated: true });
const folder = mkdtempSync(join(tmpdir(), 'weir-bench-servers-'));
try {
  const config = join(folder, 'servers.yaml');
  const { contactPoint, localDataCenter } = services.cassandra;
  writeFileSync(
    config,
    stringify({
      kafka: { brokers: [...services.kafka.brokers] },
      scylla: {
        contact_points: [contactPoint],
        local_data_center: localDataCenter,
        batch_bytes: `${BATCH_KIB / 4}KiB`,
      },
      clickhouse: { url: services.clickhouse.url },
    }),
  );
  const weir = join(import.meta.dirname, '..', '..', 'src', 'cli', 'weir.js');
  const args = [weir, 'bench', '--servers', '--config', config, ...process.argv.slice(2)];
  const [code] = (await once(spawn(process.execPath, args, { stdio: 'inherit' }), 'close')) as [number | null];
  process.exitCode = code ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
  await services.stop();
}
