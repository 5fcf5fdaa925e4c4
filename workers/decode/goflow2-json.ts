// goflow2's JSON, one record a line: version 2's snake_case names (times in ns) and version 1's CamelCase (s and ms).
// goflow2 writes "" for protocols that it has no name for; such flows have protocol 0.

import type { DecodeContext, SegmentDecoder } from './context.ts';
import { FieldReader, jsonDecoder } from './json-records.ts';
import { NetflowJson, type NetflowNames, pathsOf } from './netflow.ts';

const NAMES: NetflowNames = {
  source: ['src_addr', 'SrcAddr'],
  destination: ['dst_addr', 'DstAddr'],
  sourcePort: ['src_port', 'SrcPort'],
  destinationPort: ['dst_port', 'DstPort'],
  protocol: ['proto', 'Proto'],
  bytes: ['bytes', 'Bytes'],
  packets: ['packets', 'Packets'],
  samplingRate: ['sampling_rate', 'SamplingRate'],
  exporter: ['sampler_address', 'SamplerAddress'],
  start: ['time_flow_start_ns', 'TimeFlowStartMs', 'TimeFlowStart'],
  end: ['time_flow_end_ns', 'TimeFlowEndMs', 'TimeFlowEnd'],
  received: ['time_received_ns', 'TimeReceived'],
  inputInterface: ['in_if', 'InIf'],
  outputInterface: ['out_if', 'OutIf'],
  tcpFlags: ['tcp_flags', 'TCPFlags', 'TcpFlags'],
  icmpType: ['icmp_type', 'IcmpType'],
  icmpCode: ['icmp_code', 'IcmpCode'],
  sourceAsn: ['src_as', 'SrcAS', 'SrcAs'],
  destinationAsn: ['dst_as', 'DstAS', 'DstAs'],
  type: ['type', 'Type'],
  sequence: ['sequence_num', 'SequenceNum'],
  domain: ['observation_domain_id', 'ObservationDomainId', 'ObservationDomainID'],
};

export function createGoflow2JsonDecoder(context: DecodeContext): SegmentDecoder {
  const reader = new FieldReader(context, pathsOf(NAMES));
  const records = new NetflowJson(reader, NAMES);
  return jsonDecoder(reader, () => records.record());
}
