// The standard native flow record (15 seed columns, then user, device and site; 461 bytes on average) in seeded batches.

import { Random } from './generate/random.ts';

const APPLICATIONS =
  'https dns quic ssh smtp rdp smb office365 zoom slack salesforce github youtube netflix s3 postgres ldap ntp icmp unknown'.split(
    ' ',
  );
const PORTS = [443, 443, 443, 80, 53, 22, 25, 445, 3389, 5432, 8443, 123];
const POPS = 'fra lon nyc sjc sin syd gru nrt'.split(' ').flatMap((city) => [`pop-${city}-1`, `pop-${city}-2`]);

/** Event time moves as in a stream of 100,000 flows a second, about what is measured: rollups then have minutes to sum over. */
const FLOWS_PER_MS = 100;

export interface StandardRecords {
  readonly tenants: readonly string[];
  /** One JSON text a record. */
  readonly lines: readonly string[];
}

export function standardRecords(count: number, seed = 1): StandardRecords {
  const random = new Random(seed, 'standard');
  const tenants = Array.from({ length: 50 }, () => random.uuid());
  const users = Array.from(
    { length: 5000 },
    (_, i) =>
      `${random.pick(['alice', 'bob', 'carol', 'dave', 'erin', 'mallory'])}.${random.pick(['smith', 'jones', 'garcia', 'taylor'])}${i}`,
  );
  const devices = Array.from({ length: 8000 }, () => random.uuid().slice(0, 18));
  const sites = Array.from({ length: 300 }, (_, i) => `site-${String(i).padStart(4, '0')}`);
  const start = Date.UTC(2026, 6, 28, 9, 0, 0);
  const lines = Array.from({ length: count }, (_, i) => {
    const at = start + Math.floor(i / FLOWS_PER_MS) + random.int(0, 50);
    return JSON.stringify({
      tenant_id: random.pick(tenants),
      pop_id: random.pick(POPS),
      timestamp: new Date(at).toISOString(),
      flow_id: random.uuid(),
      source_ip: `10.${random.int(0, 64)}.${random.int(0, 256)}.${random.int(1, 255)}`,
      destination_ip: `${random.int(11, 200)}.${random.int(0, 256)}.${random.int(0, 256)}.${random.int(1, 255)}`,
      source_port: random.int(1024, 65536),
      destination_port: random.pick(PORTS),
      protocol: random.chance(0.75) ? 'tcp' : 'udp',
      bytes_sent: random.logNormal(8, 2),
      bytes_received: random.logNormal(9, 2.2),
      packets_sent: random.int(1, 2000),
      packets_received: random.int(1, 4000),
      application: random.pick(APPLICATIONS),
      action: random.chance(0.9) ? 'allow' : 'deny',
      user_id: random.pick(users),
      device_id: random.pick(devices),
      site_id: random.pick(sites),
    });
  });
  return { tenants, lines };
}
