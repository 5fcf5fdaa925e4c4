// Akvorado's flows as JSON: its schema's column names, as its HTTP API and ClickHouse's JSONEachRow print them (64-bit
// numbers may be text; columns of no own place stand under OtherColumns in the API). Bytes and packets are unscaled.

import type { DecodeContext, SegmentDecoder } from './context.ts';
import { FieldReader, jsonDecoder } from './json-records.ts';
import { NetflowJson, type NetflowNames, pathsOf } from './netflow.ts';

const both = (...names: string[]): string[] => [...names, ...names.map((name) => `OtherColumns.${name}`)];

const NAMES: NetflowNames = {
  source: ['SrcAddr'],
  destination: ['DstAddr'],
  sourcePort: both('SrcPort'),
  destinationPort: both('DstPort'),
  protocol: both('Proto'),
  bytes: both('Bytes'),
  packets: both('Packets'),
  samplingRate: ['SamplingRate'],
  exporter: ['ExporterAddress'],
  start: ['TimeFlowStart'],
  end: ['TimeFlowEnd'],
  received: ['TimeReceived'],
  inputInterface: ['InIf'],
  outputInterface: ['OutIf'],
  tcpFlags: both('TCPFlags'),
  icmpType: both('IcmpType', 'ICMPv4Type', 'ICMPv6Type'),
  icmpCode: both('IcmpCode', 'ICMPv4Code', 'ICMPv6Code'),
  sourceAsn: ['SrcAS'],
  destinationAsn: ['DstAS'],
  type: [],
  sequence: [],
  domain: [],
};

export function createAkvoradoJsonDecoder(context: DecodeContext): SegmentDecoder {
  const reader = new FieldReader(context, pathsOf(NAMES));
  const records = new NetflowJson(reader, NAMES);
  return jsonDecoder(reader, () => records.record());
}
