// The simulated world: three tenants behind four PoPs. examples/demo.yaml describes the same world to Weir (a test compares them).

import type { Random } from './random.ts';

export interface Host {
  readonly ip: string;
  readonly user: string;
  readonly device: string;
  readonly site: string;
}

export interface World {
  readonly slug: string;
  readonly id: string;
  readonly pops: readonly string[];
  /** First two octets of the tenant's inside. acme and initech overlap on purpose: nothing may mix them up. */
  readonly net: string;
  readonly sites: readonly string[];
}

export const WORLDS: readonly World[] = [
  {
    slug: 'acme',
    id: '11111111-1111-4111-8111-111111111111',
    pops: ['fra1', 'ams1'],
    net: '10.10',
    sites: ['berlin', 'utrecht'],
  },
  { slug: 'globex', id: '22222222-2222-4222-8222-222222222222', pops: ['nyc1'], net: '10.20', sites: ['boston'] },
  { slug: 'initech', id: '33333333-3333-4333-8333-333333333333', pops: ['sgp1'], net: '10.10', sites: ['singapore'] },
];

/** Fixed places of every tenant, named by examples/demo.yaml. Third and fourth octet. */
export const PLACES = {
  servers: '1',
  scanner: '250.10',
  monitor: '250.20',
  backup: '250.30',
  automation: '250.40',
} as const;

/** Outside addresses that the demo configuration knows. */
export const OUTSIDE = {
  backupTarget: '198.51.100.40',
  timeServers: ['162.159.200.1', '162.159.200.123'],
  /** Listed as known bad in examples/demo.yaml. */
  knownBad: ['192.0.2.66', '192.0.2.77', '192.0.2.88'],
} as const;

/** First moment of every scenario. */
export const START_MS = Date.UTC(2026, 2, 2, 9, 0, 0);

/** An ordinary user's machine. */
export function host(world: World, n: number): Host {
  const site = world.sites[n % world.sites.length];
  return {
    ip: `${world.net}.${10 + (n >> 7)}.${1 + (n & 127)}`,
    user: `${world.slug}-user-${n}`,
    device: `${world.slug}-device-${n}`,
    site,
  };
}

export function place(world: World, octets: string): Host {
  return { ip: `${world.net}.${octets}`, user: '', device: '', site: world.sites[0] };
}

/** A public address that no list and no story uses. */
export function outside(random: Random): string {
  for (;;) {
    const first = random.int(11, 200);
    if (first === 127 || first === 172 || first === 192 || first === 198 || first === 169 || first === 100) continue;
    return `${first}.${random.int(0, 256)}.${random.int(0, 256)}.${random.int(1, 255)}`;
  }
}
