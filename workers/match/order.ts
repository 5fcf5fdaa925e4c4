// Stream order inside a batch: records of the four kinds interleave by segment and raw position.

import type { Decoded } from '../../src/model/decoded.ts';
import type { Place } from '../../src/model/records.ts';

export interface Visitor {
  flow(row: number): void;
  log(index: number): void;
  session(index: number): void;
  tunnel(index: number): void;
}

/** Visits every accepted record in stream order. Each kind is in order by itself, as decoders append. */
export function inStreamOrder(decoded: Decoded, visitor: Visitor): void {
  const { flows, logs, sessions, tunnels } = decoded;
  const others = logs.length + sessions.length + tunnels.length;
  let flow = 0;
  if (others === logs.length && flows.length === 0) {
    for (let log = 0; log < logs.length; log++) visitor.log(log);
    return;
  }
  if (others > 0) {
    let log = 0;
    let session = 0;
    let tunnel = 0;
    for (let left = others; left > 0; left--) {
      // The earliest record that is not a flow, then all flows before it.
      let next: Place | undefined = logs[log];
      let kind = 0;
      if (next === undefined || before(sessions[session], next)) {
        next = sessions[session] ?? next;
        kind = sessions[session] === undefined ? kind : 1;
      }
      if (next === undefined || before(tunnels[tunnel], next)) {
        next = tunnels[tunnel] ?? next;
        kind = tunnels[tunnel] === undefined ? kind : 2;
      }
      while (flow < flows.length && flowBefore(decoded, flow, next)) visitor.flow(flow++);
      if (kind === 0) visitor.log(log++);
      else if (kind === 1) visitor.session(session++);
      else visitor.tunnel(tunnel++);
    }
  }
  while (flow < flows.length) visitor.flow(flow++);
}

function before(a: Place | undefined, b: Place): boolean {
  if (a === undefined) return false;
  return a.segment === b.segment ? a.rawStart < b.rawStart : a.segment < b.segment;
}

function flowBefore({ flows }: Decoded, row: number, place: Place): boolean {
  const segment = flows.segment[row];
  return segment === place.segment ? flows.rawStart[row] < place.rawStart : segment < place.segment;
}
