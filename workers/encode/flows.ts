// Flow columns to one Native block of `flows`. Most columns are copies; strings become a dictionary of the block.

import type { ControlSnapshot } from '../../src/model/control.ts';
import type { Dictionary } from '../../src/model/dictionary.ts';
import { DIRECTIONS, type FlowColumns } from '../../src/model/flow.ts';
import { uuidWords } from '../../src/model/hash.ts';
import { TABLES, type TableRows } from '../../src/model/tables.ts';
import { communityId } from '../enrich/community-id.ts';
import { columnHeaders, type NativeWriter, TextTable } from './native.ts';

interface Kit {
  readonly writer: NativeWriter;
  readonly dictionary: Dictionary;
  /** UUID words of each tenant. */
  readonly tenants: Uint32Array;
  /** By 1 + index of the policy; 0 is "none decided". */
  readonly policyIds: TextTable;
  readonly policyVersions: Uint32Array;
  readonly communityIds: boolean;
}

type ColumnStep = (kit: Kit, flows: FlowColumns, rows: number) => void;

const directions = new TextTable(DIRECTIONS);

const text =
  (pick: (flows: FlowColumns) => Uint32Array): ColumnStep =>
  ({ writer, dictionary }, flows, rows) =>
    writer.lowCardinality(pick(flows), rows, dictionary);

const copy =
  (pick: (flows: FlowColumns) => Uint8Array | Uint16Array | Uint32Array | Float64Array): ColumnStep =>
  ({ writer }, flows, rows) =>
    writer.plain(pick(flows), rows);

const counter =
  (pick: (flows: FlowColumns) => Uint32Array): ColumnStep =>
  ({ writer }, flows, rows) =>
    writer.plain(pick(flows), rows * 2);

const STEPS: Readonly<Record<string, ColumnStep>> = {
  tenant_id: ({ writer, tenants }, flows, rows) => writer.uuidsOf(tenants, flows.tenant, rows),
  pop_id: text((f) => f.pop),
  timestamp: ({ writer }, flows, rows) => writer.nanoseconds(flows.timeMs, flows.timeNs, rows),
  flow_id: ({ writer }, flows, rows) => writer.uuids(flows.id, rows),
  source_ip: ({ writer }, flows, rows) => writer.addresses(flows.source, rows),
  destination_ip: ({ writer }, flows, rows) => writer.addresses(flows.destination, rows),
  source_port: copy((f) => f.sourcePort),
  destination_port: copy((f) => f.destinationPort),
  protocol: copy((f) => f.protocol),
  bytes_sent: counter((f) => f.bytesSent),
  bytes_received: counter((f) => f.bytesReceived),
  packets_sent: counter((f) => f.packetsSent),
  packets_received: counter((f) => f.packetsReceived),
  application: text((f) => f.application),
  action: text((f) => f.action),
  user_id: text((f) => f.user),
  device_id: text((f) => f.device),
  site_id: text((f) => f.site),
  session_id: text((f) => f.session),
  duration_ms: copy((f) => f.durationMs),
  tcp_flags: copy((f) => f.tcpFlags),
  host: text((f) => f.host),
  ja3: text((f) => f.ja3),
  ja4: text((f) => f.ja4),
  sampling_rate: copy((f) => f.samplingRate),
  exporter: text((f) => f.exporter),
  input_interface: copy((f) => f.inputInterface),
  output_interface: copy((f) => f.outputInterface),
  ip_bytes_sent: counter((f) => f.ipBytesSent),
  ip_bytes_received: counter((f) => f.ipBytesReceived),
  service: text((f) => f.service),
  producer_id: text((f) => f.producerId),
  connection_state: text((f) => f.connectionState),
  history: text((f) => f.history),
  category: text((f) => f.category),
  direction: ({ writer }, flows, rows) => writer.lowCardinality(flows.direction, rows, directions),
  source_country: text((f) => f.sourceCountry),
  destination_country: text((f) => f.destinationCountry),
  source_asn: copy((f) => f.sourceAsn),
  destination_asn: copy((f) => f.destinationAsn),
  threat: text((f) => f.threat),
  policy_id: ({ writer, policyIds }, flows, rows) => writer.lowCardinality(flows.policy, rows, policyIds),
  policy_version: ({ writer, policyVersions }, flows, rows) => writer.numbersOf(policyVersions, flows.policy, rows),
  flags: copy((f) => f.flags),
  community_id: communityIds,
};

function communityIds({ writer, communityIds: wanted }: Kit, flows: FlowColumns, rows: number): void {
  if (!wanted) {
    writer.zeros(rows); // empty strings
    return;
  }
  const { protocol, source, sourcePort, destination, destinationPort } = flows;
  for (let i = 0; i < rows; i++) {
    const at = i * 4;
    writer.out.string(communityId(protocol[i], source, at, sourcePort[i], destination, at, destinationPort[i]));
  }
}

const HEADERS = columnHeaders(TABLES.flows);
const ORDERED = TABLES.flows.map(({ name }) => {
  const step = STEPS[name];
  if (!step) throw new Error(`flows.${name} has no encoder`);
  return step;
});

/** UUID words of every tenant, in snapshot order. */
export function tenantWords(snapshot: ControlSnapshot): Uint32Array {
  const words = new Uint32Array(Math.max(1, snapshot.tenants.length) * 4);
  snapshot.tenants.forEach(({ id, slug }, i) => {
    if (!uuidWords(id, words, i * 4)) throw new Error(`tenant '${slug}': '${id}' is not a UUID`);
  });
  return words;
}

export function createFlowEncoder(
  snapshot: ControlSnapshot,
  dictionary: Dictionary,
  writer: NativeWriter,
  finish: (rows: number) => TableRows,
): (flows: FlowColumns) => TableRows {
  const kit: Kit = {
    writer,
    dictionary,
    tenants: tenantWords(snapshot),
    policyIds: new TextTable(['', ...snapshot.policies.map((policy) => policy.id)]),
    policyVersions: Uint32Array.from([0, ...snapshot.policies.map((policy) => policy.version)]),
    communityIds: snapshot.enrich.communityId,
  };
  return (flows) => {
    const rows = flows.length;
    writer.begin(ORDERED.length, rows);
    for (let i = 0; i < ORDERED.length; i++) {
      writer.out.raw(HEADERS[i]);
      ORDERED[i](kit, flows, rows);
    }
    return finish(rows);
  };
}
