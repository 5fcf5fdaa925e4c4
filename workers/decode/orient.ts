// Orientation of one-directional records (NetFlow, IPFIX, sFlow): source becomes the side that opened the conversation.
//
// An exporter sees two records a conversation, one a direction, and neither says who began. Scan, beacon and policy
// rules need the initiator as source, so records that travelled from server to client are turned round and their
// counters become "received". The decision looks at one record only, so it never depends on what else a batch holds:
//
//   1. multicast and broadcast destinations never send: the record stays
//   2. ICMP and ICMPv6 replies travel from the responder; every other type from the initiator
//   3. TCP with SYN and no ACK in its flags: the sender is the initiator
//   4. the port that more surely belongs to a service is the server's: a known service, then below 1024, then below 32768
//      (above it most systems take client ports), then the lower number
//   5. equal or unknown ports (fragments, GRE, NTP 123→123): it cannot be told, the record stays as observed
//
// Rule 4 comes to the same answer from either record of a conversation; rule 3 agrees with it but for clients that use
// a service's port to reach an unusual one, whose lone SYNs are scans and must keep their sender.

import { FLOW_FLAG, type FlowColumns } from '../../src/model/flow.ts';
import { isV4 } from '../../src/model/ip.ts';
import { ICMP, ICMP6, isIcmpReply, TCP } from './protocols.ts';

/** Well-known services, those above 1024 first of all: without them an NFS client's port 700 would look like the server. */
const SERVICES = [
  20, 21, 22, 23, 25, 53, 67, 69, 80, 88, 110, 111, 119, 123, 135, 137, 138, 139, 143, 161, 162, 179, 389, 443, 445,
  464, 465, 500, 502, 514, 515, 546, 547, 548, 554, 587, 593, 623, 631, 636, 853, 873, 902, 989, 990, 992, 993, 995,
  1080, 1194, 1433, 1434, 1521, 1701, 1723, 1812, 1813, 1883, 1900, 2049, 2055, 2181, 2375, 2376, 2379, 2380, 2483,
  2484, 3000, 3128, 3268, 3269, 3306, 3389, 3478, 4222, 4317, 4318, 4443, 4500, 4739, 4789, 5000, 5044, 5060, 5061,
  5222, 5353, 5355, 5432, 5555, 5601, 5671, 5672, 5683, 5684, 5900, 5938, 5984, 5985, 5986, 6343, 6379, 6443, 6514,
  6667, 6881, 7000, 7001, 8000, 8008, 8080, 8081, 8086, 8123, 8443, 8883, 8888, 9000, 9042, 9090, 9092, 9093, 9100,
  9200, 9300, 9418, 9443, 10250, 11211, 15672, 25565, 27017, 27018, 47808, 51820,
] as const;

const CLIENT_PORTS = 32_768;

/** 4 = known service … 1 = likely a client's; 0 = no port. */
const RANK = new Uint8Array(65_536).fill(1);
RANK.fill(2, 1024, CLIENT_PORTS);
RANK.fill(3, 0, 1024);
for (const port of SERVICES) RANK[port] = 4;
RANK[0] = 0;

const SYN = 2;
const ACK = 16;

/**
 * Marks row `i` as one-directional and turns it round when its sender is the responder. `icmpType` is -1 when unknown.
 * ICMP's type and code (in the port columns, see protocols.ts) are not ports and stay.
 * Call with the counters of the observed direction in bytesSent and packetsSent.
 */
export function orient(flows: FlowColumns, i: number, icmpType: number): void {
  flows.flags[i] |= FLOW_FLAG.unidirectional;
  if (isGroup(flows.destination, i * 4) || !sentByResponder(flows, i, icmpType)) return;
  flows.flags[i] |= FLOW_FLAG.reoriented;
  for (let word = i * 4; word < i * 4 + 4; word++) {
    const source = flows.source[word];
    flows.source[word] = flows.destination[word];
    flows.destination[word] = source;
  }
  const protocol = flows.protocol[i];
  if (protocol !== ICMP && protocol !== ICMP6) {
    const port = flows.sourcePort[i];
    flows.sourcePort[i] = flows.destinationPort[i];
    flows.destinationPort[i] = port;
  }
  const asn = flows.sourceAsn[i];
  flows.sourceAsn[i] = flows.destinationAsn[i];
  flows.destinationAsn[i] = asn;
  for (let half = i * 2; half < i * 2 + 2; half++) {
    flows.bytesReceived[half] = flows.bytesSent[half];
    flows.packetsReceived[half] = flows.packetsSent[half];
    flows.bytesSent[half] = flows.packetsSent[half] = 0;
  }
}

function sentByResponder(flows: FlowColumns, i: number, icmpType: number): boolean {
  const protocol = flows.protocol[i];
  if (protocol === ICMP || protocol === ICMP6) return isIcmpReply(protocol, icmpType);
  if (protocol === TCP && (flows.tcpFlags[i] & (SYN | ACK)) === SYN) return false;
  const source = flows.sourcePort[i];
  const destination = flows.destinationPort[i];
  if (source === 0 || destination === 0) return false;
  const lead = RANK[source] - RANK[destination];
  return lead === 0 ? source < destination : lead > 0;
}

function isGroup(words: Uint32Array, at: number): boolean {
  if (isV4(words, at)) return words[at + 3] >>> 28 === 14 || words[at + 3] === 0xffffffff;
  return words[at] >>> 24 === 255;
}
