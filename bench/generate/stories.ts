// Attack stories. Each picks its own actors, times and intensity from the seed, with jitter, and says what it did:
// that is the ground truth which alerts are held against.

import { flow, type GeneratedEvent, log, tunnel } from './event.ts';
import type { Random } from './random.ts';
import { host, OUTSIDE, outside, place, type World } from './world.ts';

export interface Story {
  readonly name: string;
  readonly world: World;
  /** Addresses, domains or ids by which an alert names the story. */
  readonly entities: readonly string[];
  /** ATT&CK techniques (or their parents) that a finding may carry; empty for operational stories. */
  readonly techniques: readonly string[];
  readonly events: readonly GeneratedEvent[];
}

type Tell = (world: World, random: Random, start: number, end: number) => Story;

const SYN = 2;
const RESET = 22;
const FULL = 27;
const minutes = (n: number): number => n * 60_000;

/** A moment that leaves `need` ms before the end. */
function begin(random: Random, start: number, end: number, need: number): number {
  return start + Math.floor(random.unit() * Math.max(0, end - start - need));
}

const horizontalScan: Tell = (world, random, start, end) => {
  const who = host(world, 700 + random.int(0, 40));
  const port = random.pick([445, 22, 3389, 5900]);
  const targets = random.int(120, 400);
  const span = minutes(random.int(4, 9));
  const t0 = begin(random, start, end, span);
  const events = Array.from({ length: targets }, (_, i) =>
    flow(world, random, t0 + Math.floor((span * (i + random.unit())) / targets), {
      from: { ip: who.ip },
      to: { ip: `${world.net}.${60 + (i >> 7)}.${1 + (i & 127)}`, port },
      host: who,
      sent: 60,
      received: random.chance(0.4) ? 40 : 0,
      packetsSent: 1,
      durationMs: random.int(0, 50),
      tcpFlags: random.chance(0.4) ? RESET : SYN,
    }),
  );
  return { name: 'horizontal-scan', world, entities: [who.ip], techniques: ['T1046', 'T1018', 'T1595'], events };
};

const verticalScan: Tell = (world, random, start, end) => {
  const attacker = outside(random);
  const target = place(world, `1.${100 + random.int(0, 4)}`);
  const ports = random.int(130, 500);
  const span = minutes(random.int(3, 9));
  const t0 = begin(random, start, end, span);
  const first = random.int(1, 2000);
  const events = Array.from({ length: ports }, (_, i) =>
    flow(world, random, t0 + Math.floor((span * (i + random.unit())) / ports), {
      from: { ip: attacker },
      to: { ip: target.ip, port: first + i * 3 },
      sent: 44,
      received: 40,
      packetsSent: 1,
      packetsReceived: 1,
      durationMs: random.int(0, 30),
      tcpFlags: RESET,
      pop: world.pops[0],
    }),
  );
  return { name: 'vertical-scan', world, entities: [attacker], techniques: ['T1046', 'T1595'], events };
};

const sshBruteForce: Tell = (world, random, start, end) => {
  const attacker = outside(random);
  const target = place(world, '1.22');
  const attempts = random.int(60, 200);
  const span = minutes(random.int(5, 15));
  const t0 = begin(random, start, end, span + minutes(2));
  const events: GeneratedEvent[] = [];
  const sshd = { product: 'linux', service: 'sshd' };
  const attempt = (t: number, ok: boolean, user: string): void => {
    const port = random.int(32768, 61000);
    events.push(
      flow(world, random, t, {
        from: { ip: attacker, port },
        to: { ip: target.ip, port: 22 },
        application: 'ssh',
        sent: ok ? 9000 : random.int(1800, 2600),
        received: ok ? 15000 : random.int(2200, 3200),
        durationMs: random.int(900, 2500),
        tcpFlags: FULL,
        pop: world.pops[0],
      }),
      log(world, random, t + 800, sshd, {
        host: 'gateway',
        program: 'sshd',
        event: ok ? 'accepted' : 'failed_password',
        method: 'password',
        user,
        source_ip: attacker,
        source_port: port,
        message: `${ok ? 'Accepted' : 'Failed'} password for ${user} from ${attacker} port ${port} ssh2`,
      }),
    );
  };
  for (let i = 0; i < attempts; i++) {
    attempt(
      t0 + Math.floor((span * (i + random.unit())) / attempts),
      false,
      random.pick(['root', 'admin', 'deploy', 'git', 'test']),
    );
  }
  attempt(t0 + span + random.int(5_000, 60_000), true, 'deploy');
  return { name: 'ssh-brute-force', world, entities: [attacker], techniques: ['T1110', 'T1078', 'T1021'], events };
};

const rdpBruteForce: Tell = (world, random, start, end) => {
  const attacker = outside(random);
  const target = place(world, '1.89');
  const attempts = random.int(60, 200);
  const span = minutes(random.int(5, 12));
  const t0 = begin(random, start, end, span);
  const events = Array.from({ length: attempts }, (_, i) =>
    flow(world, random, t0 + Math.floor((span * (i + random.unit())) / attempts), {
      from: { ip: attacker },
      to: { ip: target.ip, port: 3389 },
      application: 'rdp',
      sent: random.int(1200, 2500),
      received: random.int(1200, 2500),
      durationMs: random.int(400, 2000),
      tcpFlags: FULL,
      pop: world.pops[0],
    }),
  );
  return { name: 'rdp-brute-force', world, entities: [attacker], techniques: ['T1110', 'T1021'], events };
};

const beacon: Tell = (world, random, start, end) => {
  const who = host(world, 750 + random.int(0, 20));
  const server = outside(random);
  const port = random.pick([443, 8443, 8080, 53]);
  const interval = random.int(45, 76) * 1000;
  const jitter = 0.04 + random.unit() * 0.06;
  const events: GeneratedEvent[] = [];
  for (
    let t = start + random.int(0, 60_000);
    t < end - 5_000;
    t += Math.max(1000, Math.round(random.normal(interval, interval * jitter)))
  ) {
    if (random.chance(0.03)) continue; // a missed beat
    events.push(
      flow(world, random, t, {
        from: { ip: who.ip },
        to: { ip: server, port },
        host: who,
        application: 'https',
        sent: random.int(280, 420),
        received: random.int(150, 900),
        durationMs: random.int(50, 400),
        tcpFlags: FULL,
      }),
    );
  }
  return {
    name: 'beaconing',
    world,
    entities: [who.ip, server],
    techniques: ['T1071', 'T1573', 'T1571', 'T1095', 'T1102'],
    events,
  };
};

const exfiltration: Tell = (world, random, start, end) => {
  const who = host(world, 780 + random.int(0, 15));
  const server = outside(random);
  const pieces = random.int(12, 40);
  const span = minutes(random.int(12, 30));
  const t0 = begin(random, start, end, span + 60_000);
  const total = random.int(4, 12) * 1e9;
  const events = Array.from({ length: pieces }, (_, i) =>
    flow(world, random, t0 + Math.floor((span * (i + random.unit() * 0.5)) / pieces), {
      from: { ip: who.ip },
      to: { ip: server, port: 443 },
      host: who,
      application: 'https',
      sent: Math.floor((total / pieces) * (0.7 + random.unit() * 0.6)),
      received: random.int(20_000, 900_000),
      durationMs: random.int(5_000, 40_000),
      tcpFlags: FULL,
    }),
  );
  return {
    name: 'exfiltration',
    world,
    entities: [who.ip, server],
    techniques: ['T1048', 'T1041', 'T1567', 'T1020'],
    events,
  };
};

const newService: Tell = (world, random, start, end) => {
  const server = place(world, `1.${120 + random.int(0, 20)}`);
  const port = random.pick([8081, 9200, 6379, 27017, 5601]);
  const t0 = start + Math.floor((end - start) * (0.6 + random.unit() * 0.2));
  const events = Array.from({ length: random.int(6, 20) }, (_, i) =>
    flow(world, random, t0 + i * random.int(5_000, 30_000), {
      from: { ip: outside(random) },
      to: { ip: server.ip, port },
      sent: random.int(500, 4000),
      received: random.int(5_000, 90_000),
      tcpFlags: FULL,
      pop: world.pops[0],
    }),
  ).filter((event) => event.at < end);
  return {
    name: 'new-external-service',
    world,
    entities: [server.ip],
    techniques: ['T1133', 'T1190', 'T1571'],
    events,
  };
};

const dnsTunnel: Tell = (world, random, start, end) => {
  const who = host(world, 800 + random.int(0, 15));
  const domain = `${random.pick(['cdn', 'sync', 'img', 'ns'])}-${random.hex(4)}.${random.pick(['net', 'org', 'io'])}`;
  const queries = random.int(250, 700);
  const span = minutes(random.int(6, 20));
  const t0 = begin(random, start, end, span);
  const events = Array.from({ length: queries }, (_, i) =>
    log(
      world,
      random,
      t0 + Math.floor((span * (i + random.unit())) / queries),
      { product: 'weir', service: 'dns' },
      {
        category: 'dns',
        source_ip: who.ip,
        destination_ip: `${world.net}.1.2`,
        query: `${random.hex(random.int(36, 60))}.${random.hex(8)}.${domain}`,
        qtype_name: random.pick(['TXT', 'NULL', 'CNAME', 'A']),
      },
    ),
  );
  return {
    name: 'dns-tunnelling',
    world,
    entities: [who.ip, domain],
    techniques: ['T1071.004', 'T1048', 'T1572'],
    events,
  };
};

const knownBad: Tell = (world, random, start, end) => {
  const who = host(world, 820 + random.int(0, 15));
  const server = random.pick(OUTSIDE.knownBad);
  const events = Array.from({ length: random.int(1, 5) }, () =>
    flow(world, random, begin(random, start, end, 60_000), {
      from: { ip: who.ip },
      to: { ip: server, port: 443 },
      host: who,
      application: 'https',
      sent: random.int(400, 3000),
      received: random.int(400, 9000),
      tcpFlags: FULL,
    }),
  );
  return {
    name: 'known-bad-address',
    world,
    entities: [who.ip, server],
    techniques: ['T1071', 'T1105', 'T1573'],
    events,
  };
};

const tunnelDegradation: Tell = (world, random, start, end) => {
  const id = random.uuid();
  const bad = begin(random, start + minutes(10), end, minutes(14));
  const badUntil = bad + minutes(random.int(8, 13));
  const events: GeneratedEvent[] = [];
  for (let t = start; t < end; t += 10_000) {
    const degraded = t >= bad && t < badUntil;
    events.push(
      tunnel(world, random, t, {
        tunnel_id: id,
        latency_ms: degraded ? random.int(350, 900) : random.int(18, 40),
        jitter_ms: degraded ? random.int(60, 200) : random.int(0, 6),
        packet_loss_percent: degraded ? 5 + Math.round(random.unit() * 200) / 10 : Math.round(random.unit() * 3) / 10,
        rx_bytes: random.int(1e5, 1e8),
        tx_bytes: random.int(1e5, 1e8),
        uptime_seconds: Math.floor((t - start) / 1000) + 86_400,
      }),
    );
  }
  return { name: 'tunnel-degradation', world, entities: [id], techniques: [], events };
};

const policyViolation: Tell = (world, random, start, end) => {
  const who = host(world, 840 + random.int(0, 15));
  const server = outside(random);
  const t0 = begin(random, start, end, minutes(12));
  const events = Array.from({ length: random.int(25, 60) }, () =>
    flow(world, random, t0 + random.int(0, minutes(8)), {
      from: { ip: who.ip },
      to: { ip: server, port: 9001 },
      host: who,
      application: 'tor',
      sent: random.int(100, 900),
      received: 0,
      tcpFlags: SYN,
    }),
  );
  return { name: 'policy-violation', world, entities: [who.ip, server], techniques: ['T1090', 'T1090.003'], events };
};

/** Every story, told once to a tenant drawn by the seed. */
export const TELLERS: readonly Tell[] = [
  horizontalScan,
  verticalScan,
  sshBruteForce,
  rdpBruteForce,
  beacon,
  exfiltration,
  newService,
  dnsTunnel,
  knownBad,
  tunnelDegradation,
  policyViolation,
];
