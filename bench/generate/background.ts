// Ordinary traffic: what offices do all day. Nothing here may raise an alert.

import { flow, type GeneratedEvent } from './event.ts';
import type { Random } from './random.ts';
import { host, outside, place, type World } from './world.ts';

interface Habit {
  readonly weight: number;
  readonly application: string;
  readonly port: number;
  readonly protocol: 'tcp' | 'udp';
  /** log-normal parameters of bytes sent and received. */
  readonly sent: readonly [number, number];
  readonly received: readonly [number, number];
  readonly inside?: boolean;
}

const HABITS: readonly Habit[] = [
  { weight: 46, application: 'https', port: 443, protocol: 'tcp', sent: [7.5, 1.2], received: [9.5, 1.8] },
  { weight: 14, application: 'quic', port: 443, protocol: 'udp', sent: [7.2, 1.1], received: [9.8, 1.7] },
  { weight: 16, application: 'dns', port: 53, protocol: 'udp', sent: [4.3, 0.2], received: [5.2, 0.5], inside: true },
  { weight: 6, application: 'http', port: 80, protocol: 'tcp', sent: [6.5, 0.8], received: [9, 1.5] },
  { weight: 5, application: 'office365', port: 443, protocol: 'tcp', sent: [8.5, 1.3], received: [10, 1.6] },
  { weight: 3, application: 'zoom', port: 8801, protocol: 'udp', sent: [11.5, 0.8], received: [12, 0.8] },
  { weight: 3, application: 'slack', port: 443, protocol: 'tcp', sent: [7, 1], received: [8, 1.2] },
  { weight: 3, application: 'smb', port: 445, protocol: 'tcp', sent: [8, 1.2], received: [10, 1.7], inside: true },
  { weight: 2, application: 'ldap', port: 389, protocol: 'tcp', sent: [6.5, 0.6], received: [8, 0.8], inside: true },
  { weight: 2, application: 'imaps', port: 993, protocol: 'tcp', sent: [7, 0.8], received: [9, 1.5] },
];
const WEIGHT = HABITS.reduce((sum, habit) => sum + habit.weight, 0);

/** Users behind each tenant; every one has favourite destinations, so external peers repeat as they do in life. */
const USERS = 700;
const FAVOURITES = 40;

export class Background {
  private readonly random: Random;
  private readonly destinations = new Map<string, readonly string[]>();
  private readonly popular: readonly string[];

  constructor(random: Random) {
    this.random = random;
    this.popular = Array.from({ length: 1500 }, () => outside(random));
  }

  /** One ordinary flow that starts at `start`. */
  next(world: World, start: number): GeneratedEvent {
    const { random } = this;
    if (random.chance(0.04)) return this.visitor(world, start);
    let roll = random.int(0, WEIGHT);
    let habit = HABITS[0];
    for (const candidate of HABITS) {
      habit = candidate;
      roll -= candidate.weight;
      if (roll < 0) break;
    }
    const who = host(world, random.int(0, USERS));
    const to = habit.inside
      ? `${world.net}.1.${1 + random.int(0, 8)}`
      : random.pick(this.favourites(world.slug + who.ip));
    const allowed = !random.chance(0.002);
    return flow(world, random, start, {
      from: { ip: who.ip },
      to: { ip: to, port: habit.port },
      host: who,
      protocol: habit.protocol,
      application: habit.application,
      action: allowed ? 'allow' : 'deny',
      sent: Math.min(random.logNormal(...habit.sent), 40_000_000),
      received: allowed ? Math.min(random.logNormal(...habit.received), 400_000_000) : 0,
      tcpFlags: habit.protocol === 'tcp' ? (allowed ? 27 : 2) : undefined,
    });
  }

  /** Somebody outside uses a public web server of the tenant. */
  private visitor(world: World, start: number): GeneratedEvent {
    const { random } = this;
    const server = place(world, `1.${100 + random.int(0, 4)}`);
    return flow(world, random, start, {
      from: { ip: random.pick(this.popular) },
      to: { ip: server.ip, port: 443 },
      application: 'https',
      sent: random.logNormal(7, 1),
      received: random.logNormal(9.5, 1.6),
      tcpFlags: 27,
      pop: world.pops[0],
    });
  }

  private favourites(key: string): readonly string[] {
    let known = this.destinations.get(key);
    if (!known) {
      known = Array.from({ length: FAVOURITES }, () => this.random.pick(this.popular));
      this.destinations.set(key, known);
    }
    return known;
  }
}
