// IANA protocol numbers by the names that exporters and sensors print, and ICMP's place in the port columns.

import type { FlowColumns } from '../../src/model/flow.ts';
import { isV4 } from '../../src/model/ip.ts';

/** Lower-case names. The empty name and Zeek's `unknown_transport` say that the producer did not tell: 0. */
const NUMBERS: ReadonlyMap<string, number> = new Map([
  ['', 0],
  ['unknown_transport', 0],
  ['unknown', 0],
  ['hopopt', 0],
  ['icmp', 1],
  ['igmp', 2],
  ['ipip', 4],
  ['ipv4', 4],
  ['tcp', 6],
  ['egp', 8],
  ['igp', 9],
  ['udp', 17],
  ['dccp', 33],
  ['ipv6', 41],
  ['ipv6-route', 43],
  ['ipv6-frag', 44],
  ['rsvp', 46],
  ['gre', 47],
  ['esp', 50],
  ['ah', 51],
  ['icmp6', 58],
  ['icmpv6', 58],
  ['ipv6-icmp', 58],
  ['ipv6-nonxt', 59],
  ['ipv6-opts', 60],
  ['eigrp', 88],
  ['ospf', 89],
  ['ospfigp', 89],
  ['pim', 103],
  ['ipcomp', 108],
  ['vrrp', 112],
  ['l2tp', 115],
  ['sctp', 132],
  ['udplite', 136],
  ['mpls-in-ip', 137],
]);

export const ICMP = 1;
export const TCP = 6;
export const ICMP6 = 58;

/** Number of a protocol's name or of its decimal digits; -1 when it is neither. */
export function protocolNumber(text: string): number {
  const known = NUMBERS.get(text.toLowerCase());
  if (known !== undefined) return known;
  if (!/^\d{1,3}$/.test(text)) return -1;
  const number = Number(text);
  return number <= 255 ? number : -1;
}

/** Zeek prints `icmp` for both families; the address tells them apart. */
export function settleIcmpFamily(flows: FlowColumns, i: number): void {
  if (flows.protocol[i] === ICMP && !isV4(flows.source, i * 4)) flows.protocol[i] = ICMP6;
}

/** request → reply, and back. */
const REPLY_OF = new Map([
  [8, 0],
  [13, 14],
  [15, 16],
  [17, 18],
]);
const REPLY_OF_6 = new Map([
  [128, 129],
  [135, 136],
  [139, 140],
]);
const turned = (pairs: ReadonlyMap<number, number>): ReadonlyMap<number, number> =>
  new Map([...pairs].map(([request, reply]) => [reply, request]));
const REQUEST_OF = turned(REPLY_OF);
const REQUEST_OF_6 = turned(REPLY_OF_6);

/** True for a type that only the answering side sends. */
export function isIcmpReply(protocol: number, type: number): boolean {
  return (protocol === ICMP ? REQUEST_OF : REQUEST_OF_6).has(type);
}

/**
 * Type and code stand in the port columns as Zeek writes them: request and reply type where there is such a pair (the same
 * for both directions), else type and code.
 */
export function placeIcmp(flows: FlowColumns, i: number, type: number, code: number): void {
  const six = flows.protocol[i] === ICMP6;
  const reply = (six ? REPLY_OF_6 : REPLY_OF).get(type);
  const request = (six ? REQUEST_OF_6 : REQUEST_OF).get(type);
  flows.sourcePort[i] = request ?? type;
  flows.destinationPort[i] = reply ?? (request === undefined ? code : type);
}
