// Benign twins: traffic that looks like an attack story and is none. Every alert about it is a false one.

import { flow, type GeneratedEvent, log, session, tunnel } from './event.ts';
import type { Random } from './random.ts';
import { host, OUTSIDE, outside, PLACES, place, type World } from './world.ts';

type Twin = (world: World, random: Random, start: number, end: number) => GeneratedEvent[];

const FULL = 27;
const minutes = (n: number): number => n * 60_000;

/** The sanctioned vulnerability scanner: every server, many ports. */
const scanner: Twin = (world, random, start, end) => {
  const who = place(world, PLACES.scanner);
  const events: GeneratedEvent[] = [];
  for (let s = 0; s < 30; s++) {
    for (let p = 0; p < 25; p++) {
      const t = start + Math.floor(random.unit() * (end - start - 60_000));
      const to = { ip: `${world.net}.${PLACES.servers}.${1 + s * 4}`, port: 1 + p * 37 + s };
      events.push(
        flow(world, random, t, {
          from: { ip: who.ip },
          to,
          sent: 60,
          received: 40,
          packetsSent: 1,
          durationMs: 5,
          tcpFlags: 22,
        }),
      );
    }
  }
  return events;
};

/** Nightly backup: gigabytes to one known outside address. */
const backup: Twin = (world, random, start, end) => {
  const who = place(world, PLACES.backup);
  return Array.from({ length: 40 }, (_, i) =>
    flow(world, random, start + Math.floor(((end - start - 90_000) * i) / 40), {
      from: { ip: who.ip },
      to: { ip: OUTSIDE.backupTarget, port: 443 },
      application: 'backup',
      sent: random.int(2e8, 9e8),
      received: random.int(1e5, 1e6),
      durationMs: random.int(20_000, 60_000),
      tcpFlags: FULL,
    }),
  );
};

/** The monitoring host asks every server every minute, on the second. */
const monitoring: Twin = (world, random, start, end) => {
  const who = place(world, PLACES.monitor);
  const events: GeneratedEvent[] = [];
  for (let t = start; t < end - 5_000; t += 60_000) {
    for (let s = 0; s < 40; s++) {
      const to = { ip: `${world.net}.${PLACES.servers}.${1 + s}`, port: s % 3 === 0 ? 22 : s % 3 === 1 ? 161 : 443 };
      const protocol = to.port === 161 ? 'udp' : 'tcp';
      events.push(
        flow(world, random, t + random.int(0, 900), {
          from: { ip: who.ip },
          to,
          protocol,
          sent: 300,
          received: 500,
          durationMs: 20,
        }),
      );
    }
  }
  return events;
};

/** Time synchronisation: as regular as any beacon. */
const timeSync: Twin = (world, random, start, end) => {
  const events: GeneratedEvent[] = [];
  for (let n = 0; n < 25; n++) {
    const who = host(world, n * 7);
    const server = OUTSIDE.timeServers[n % OUTSIDE.timeServers.length];
    for (let t = start + random.int(0, 64_000); t < end - 3_000; t += 64_000 + random.int(-200, 200)) {
      const to = { ip: server, port: 123 };
      events.push(
        flow(world, random, t, {
          from: { ip: who.ip },
          to,
          host: who,
          protocol: 'udp',
          application: 'ntp',
          sent: 76,
          received: 76,
          durationMs: 20,
        }),
      );
    }
  }
  return events;
};

/** Endpoint agents report to their vendor about every minute, loosely. */
const agents: Twin = (world, random, start, end) => {
  const events: GeneratedEvent[] = [];
  const cloud = [outside(random), outside(random)];
  for (let n = 0; n < 20; n++) {
    const who = host(world, 300 + n);
    for (let t = start + random.int(0, 60_000); t < end - 5_000; t += random.int(15_000, 150_000)) {
      const to = { ip: random.pick(cloud), port: 443 };
      events.push(
        flow(world, random, t, {
          from: { ip: who.ip },
          to,
          host: who,
          application: 'https',
          sent: random.logNormal(7, 0.8),
          received: random.logNormal(6.5, 0.7),
          tcpFlags: FULL,
        }),
      );
    }
  }
  return events;
};

/** Configuration management: one host opens SSH to many machines, every one answers. */
const automation: Twin = (world, random, start, end) => {
  const who = place(world, PLACES.automation);
  const t0 = start + Math.floor(random.unit() * (end - start - minutes(6)));
  return Array.from({ length: 60 }, (_, i) =>
    flow(world, random, t0 + i * 4_000, {
      from: { ip: who.ip },
      to: { ip: `${world.net}.${PLACES.servers}.${1 + i}`, port: 22 },
      application: 'ssh',
      sent: random.int(20_000, 90_000),
      received: random.int(20_000, 200_000),
      durationMs: random.int(2_000, 15_000),
      tcpFlags: FULL,
    }),
  );
};

/** People mistype passwords, a few times, and then get in. */
const typos: Twin = (world, random, start, end) => {
  const events: GeneratedEvent[] = [];
  for (let n = 0; n < 15; n++) {
    const ip = outside(random);
    let t = start + Math.floor(random.unit() * (end - start - minutes(5)));
    const failures = random.int(1, 5);
    for (let i = 0; i <= failures; i++, t += random.int(4_000, 20_000)) {
      const ok = i === failures;
      const user = host(world, n * 11).user;
      const port = random.int(32768, 61000);
      const from = { ip, port };
      const to = { ip: `${world.net}.1.22`, port: 22 };
      events.push(
        flow(world, random, t, {
          from,
          to,
          application: 'ssh',
          sent: ok ? 20_000 : 2200,
          received: ok ? 60_000 : 2600,
          durationMs: 1500,
          tcpFlags: FULL,
          pop: world.pops[0],
        }),
      );
      const message = `${ok ? 'Accepted' : 'Failed'} password for ${user} from ${ip} port ${port} ssh2`;
      const event = ok ? 'accepted' : 'failed_password';
      events.push(
        log(
          world,
          random,
          t + 900,
          { product: 'linux', service: 'sshd' },
          {
            host: 'gateway',
            program: 'sshd',
            event,
            method: 'password',
            user,
            source_ip: ip,
            source_port: port,
            message,
          },
        ),
      );
    }
  }
  return events;
};

/** Ordinary name look-ups, content networks with long hashed labels among them. */
const names: Twin = (world, random, start, end) => {
  const events: GeneratedEvent[] = [];
  const labels = Array.from({ length: 30 }, () => random.hex(32));
  const sites = Array.from(
    { length: 120 },
    () => `${random.pick(['shop', 'news', 'mail', 'app', 'data'])}${random.hex(3)}.com`,
  );
  for (let n = 0; n < 2500; n++) {
    const who = host(world, random.int(0, 700));
    const query = random.chance(0.1)
      ? `${random.pick(labels)}.edge.contentnet.com`
      : `${random.pick(['www', 'api', 'login', 'static'])}.${random.pick(sites)}`;
    const t = start + Math.floor(random.unit() * (end - start));
    events.push(
      log(
        world,
        random,
        t,
        { product: 'weir', service: 'dns' },
        { category: 'dns', source_ip: who.ip, destination_ip: `${world.net}.1.2`, query, qtype_name: 'A' },
      ),
    );
  }
  return events;
};

/** Large downloads of updates by many machines at once. */
const updates: Twin = (world, random, start, end) => {
  const mirror = outside(random);
  return Array.from({ length: 80 }, (_, n) => {
    const who = host(world, n * 5);
    const t = start + Math.floor(random.unit() * (end - start - 60_000));
    return flow(world, random, t, {
      from: { ip: who.ip },
      to: { ip: mirror, port: 443 },
      host: who,
      application: 'https',
      sent: random.int(1e5, 5e5),
      received: random.int(2e8, 9e8),
      durationMs: random.int(10_000, 50_000),
      tcpFlags: FULL,
    });
  });
};

/** Healthy tunnels, with a short hiccup each; and sessions of people who come and go. */
const operations: Twin = (world, random, start, end) => {
  const events: GeneratedEvent[] = [];
  for (let n = 0; n < 3; n++) {
    const id = random.uuid();
    const hiccup = start + Math.floor(random.unit() * (end - start));
    for (let t = start; t < end; t += 10_000) {
      const bad = t >= hiccup && t < hiccup + 25_000;
      events.push(
        tunnel(world, random, t, {
          tunnel_id: id,
          latency_ms: bad ? 400 : random.int(15, 45),
          jitter_ms: random.int(0, 8),
          packet_loss_percent: bad ? 6 : 0.1,
          rx_bytes: random.int(1e5, 1e8),
          tx_bytes: random.int(1e5, 1e8),
          uptime_seconds: Math.floor((t - start) / 1000) + 3600,
        }),
      );
    }
  }
  for (let n = 0; n < 60; n++) {
    const who = host(world, n * 3);
    const session_id = random.uuid();
    const t0 = start + Math.floor(random.unit() * (end - start - minutes(10)));
    const about = {
      session_id,
      user_id: who.user,
      device_id: who.device,
      source_ip: who.ip,
      started_at: new Date(t0).toISOString(),
    };
    events.push(session(world, random, t0, { ...about, status: 'active' }));
    events.push(session(world, random, t0 + minutes(4), { ...about, status: 'idle' }));
    events.push(session(world, random, t0 + minutes(9), { ...about, status: 'closed' }));
  }
  return events;
};

export const TWINS: readonly Twin[] = [
  scanner,
  backup,
  monitoring,
  timeSync,
  agents,
  automation,
  typos,
  names,
  updates,
  operations,
];
