// A generated record before it is written: native record fields and when it reaches Weir.

import type { Random } from './random.ts';
import type { Host, World } from './world.ts';

export type Fields = Record<string, string | number>;

export interface GeneratedEvent {
  /** When it is written, ms since 1970: the end of a flow plus the exporter's delay. */
  readonly at: number;
  readonly world: World;
  readonly kind: 'flow' | 'log' | 'session' | 'tunnel';
  readonly fields: Fields;
}

export interface FlowShape {
  readonly from: { readonly ip: string; readonly port?: number };
  readonly to: { readonly ip: string; readonly port: number };
  readonly host?: Host;
  readonly protocol?: 'tcp' | 'udp' | 'icmp';
  readonly application?: string;
  readonly action?: string;
  readonly sent: number;
  readonly received: number;
  readonly packetsSent?: number;
  readonly packetsReceived?: number;
  readonly durationMs?: number;
  readonly tcpFlags?: number;
  readonly pop?: string;
}

const iso = (ms: number): string => new Date(ms).toISOString();

/** A flow that starts at `start`; it is exported up to two seconds after its end. */
export function flow(world: World, random: Random, start: number, shape: FlowShape): GeneratedEvent {
  const durationMs = shape.durationMs ?? random.int(1, 4000);
  const fields: Fields = {
    tenant_id: world.id,
    pop_id: shape.pop ?? world.pops[(shape.host?.site ?? '') === world.sites[1] ? 1 : 0],
    timestamp: iso(start),
    flow_id: random.uuid(),
    source_ip: shape.from.ip,
    destination_ip: shape.to.ip,
    source_port: shape.from.port ?? random.int(32768, 61000),
    destination_port: shape.to.port,
    protocol: shape.protocol ?? 'tcp',
    bytes_sent: shape.sent,
    bytes_received: shape.received,
    packets_sent: shape.packetsSent ?? 1 + Math.ceil(shape.sent / 1300),
    packets_received: shape.packetsReceived ?? (shape.received > 0 ? 1 + Math.ceil(shape.received / 1300) : 0),
    application: shape.application ?? '',
    action: shape.action ?? 'allow',
    duration_ms: durationMs,
  };
  if (fields.application === '') delete fields.application;
  if (shape.tcpFlags !== undefined) fields.tcp_flags = shape.tcpFlags;
  if (shape.host?.user) fields.user_id = shape.host.user;
  if (shape.host?.device) fields.device_id = shape.host.device;
  if (shape.host?.site) fields.site_id = shape.host.site;
  return { at: start + durationMs + random.int(0, 2000), world, kind: 'flow', fields };
}

/** A log event in native form. */
export function log(
  world: World,
  random: Random,
  at: number,
  source: { product: string; service: string },
  fields: Fields,
): GeneratedEvent {
  return {
    at: at + random.int(0, 1000),
    world,
    kind: 'log',
    fields: { tenant_id: world.id, pop_id: world.pops[0], timestamp: iso(at), ...source, ...fields },
  };
}

export function tunnel(world: World, random: Random, at: number, fields: Fields): GeneratedEvent {
  const base = { tenant_id: world.id, pop_id: world.pops[0], timestamp: iso(at) };
  return { at: at + random.int(0, 1000), world, kind: 'tunnel', fields: { ...base, ...fields } };
}

export function session(world: World, random: Random, at: number, fields: Fields): GeneratedEvent {
  const base = { tenant_id: world.id, last_activity: iso(at) };
  return { at: at + random.int(0, 1000), world, kind: 'session', fields: { ...base, ...fields } };
}
