// Enrichment. In: decoded flows and log events. Out: the same, with the columns filled that the record itself left empty:
// flows: direction, site, device, user, application, category, countries, ASNs, threat (dictionary ids, see flow.ts);
// logs: threat, and derived DNS fields for rules. Pure: what a record gets depends on it and the snapshot alone.

import { utf8 } from '../../src/model/bytes.ts';
import type { ControlSnapshot } from '../../src/model/control.ts';
import type { Dictionary } from '../../src/model/dictionary.ts';
import { DIRECTIONS, FLOW_FLAG, type FlowColumns } from '../../src/model/flow.ts';
import { parseIp } from '../../src/model/ip.ts';
import type { LogEvent } from '../../src/model/records.ts';
import { dnsFields, field, own, queryName } from './dns.ts';
import { AddressFacts, ASN, COUNTRY, DEVICE, INSIDE, SITE, THREAT, USER } from './facts.ts';
import { FlowNaming } from './naming.ts';

export interface Enricher {
  flows(flows: FlowColumns): void;
  logs(logs: readonly LogEvent[]): void;
}

const INBOUND = DIRECTIONS.indexOf('inbound');
const OUTBOUND = DIRECTIONS.indexOf('outbound');
const INTERNAL = DIRECTIONS.indexOf('internal');
const TRANSIT = DIRECTIONS.indexOf('transit');

/** Compiles the snapshot's inventory, lists and databases. Throws when a file that the snapshot names cannot be read. */
export function createEnricher(snapshot: ControlSnapshot, dictionary: Dictionary): Enricher {
  const facts = new AddressFacts(snapshot, dictionary);
  const naming = new FlowNaming(snapshot, dictionary, facts);
  let generation = dictionary.generation;

  const begin = (): void => {
    if (generation === dictionary.generation) return;
    generation = dictionary.generation;
    facts.clear();
    naming.clear();
  };
  return {
    flows(flows) {
      begin();
      enrichFlows(flows, facts, naming);
    },
    logs(logs) {
      begin();
      for (const event of logs) enrichLog(event, facts, dictionary);
    },
  };
}

function enrichFlows(flows: FlowColumns, facts: AddressFacts, naming: FlowNaming): void {
  const { tenant, source, destination, flags, application, category, host, threat, direction } = flows;
  for (let i = 0; i < flows.length; i++) {
    const owner = tenant[i];
    const at = i * 4;
    let sourceInside: boolean;
    let destinationInside: boolean;
    if (facts.isBare(owner)) {
      sourceInside = facts.isInside(owner, source, at);
      destinationInside = facts.isInside(owner, destination, at);
    } else {
      sourceInside = fillFromSource(flows, facts, i);
      destinationInside = fillFromDestination(flows, facts, i);
    }
    const flag = flags[i];
    if ((flag & FLOW_FLAG.localKnown) !== 0) {
      sourceInside = (flag & FLOW_FLAG.sourceLocal) !== 0;
      destinationInside = (flag & FLOW_FLAG.destinationLocal) !== 0;
    }
    if (sourceInside) direction[i] = destinationInside ? INTERNAL : OUTBOUND;
    else direction[i] = destinationInside ? INBOUND : TRANSIT;

    if (application[i] === 0) application[i] = naming.application(flows, i);
    if (category[i] === 0 && application[i] !== 0) category[i] = naming.categoryOf(owner, application[i]);
    if (threat[i] === 0 && host[i] !== 0) threat[i] = naming.threatOfHost(owner, host[i]);
  }
}

/** What is known of the source goes before what is known of the destination. True when it is inside. */
function fillFromSource(flows: FlowColumns, facts: AddressFacts, i: number): boolean {
  const { entries } = facts;
  const from = facts.find(flows.tenant[i], flows.source, i * 4);
  if (flows.sourceCountry[i] === 0) flows.sourceCountry[i] = entries[from + COUNTRY];
  if (flows.sourceAsn[i] === 0) flows.sourceAsn[i] = entries[from + ASN];
  fillEither(flows, entries, from, i);
  return entries[from + INSIDE] !== 0;
}

function fillFromDestination(flows: FlowColumns, facts: AddressFacts, i: number): boolean {
  const { entries } = facts;
  const to = facts.find(flows.tenant[i], flows.destination, i * 4);
  if (flows.destinationCountry[i] === 0) flows.destinationCountry[i] = entries[to + COUNTRY];
  if (flows.destinationAsn[i] === 0) flows.destinationAsn[i] = entries[to + ASN];
  fillEither(flows, entries, to, i);
  return entries[to + INSIDE] !== 0;
}

function fillEither({ site, device, user, threat }: FlowColumns, entries: Uint32Array, at: number, i: number): void {
  if (site[i] === 0) site[i] = entries[at + SITE];
  if (device[i] === 0) device[i] = entries[at + DEVICE];
  if (user[i] === 0) user[i] = entries[at + USER];
  if (threat[i] === 0) threat[i] = entries[at + THREAT];
}

const address = new Uint32Array(4);

function enrichLog(event: LogEvent, facts: AddressFacts, dictionary: Dictionary): void {
  const { tenant, logsource } = event;
  const query = queryName(event);
  if (
    query !== '' &&
    (logsource.service === 'dns' || logsource.category === 'dns' || field(event, 'dns') !== undefined)
  ) {
    event.derived = dnsFields(query);
  }
  if (event.threat !== '' || facts.hasNoThreats(tenant)) return;
  for (const text of [event.sourceIp, event.destinationIp]) {
    if (text === '' || !parseIp(text, address)) continue;
    const id = facts.entries[facts.find(tenant, address, 0) + THREAT];
    if (id !== 0) {
      event.threat = dictionary.text(id);
      return;
    }
  }
  if (facts.hasNoNames(tenant)) return;
  for (const name of namesOf(event, query)) {
    const bytes = utf8(name);
    event.threat = facts.threatOfName(tenant, bytes, 0, bytes.length);
    if (event.threat !== '') return;
  }
}

/** Host names of an event: Zeek `query`, `host`, `server_name`; Suricata dns, http and tls. Bounded at 255 characters. */
function namesOf(event: LogEvent, query: string): string[] {
  const candidates = [
    query,
    event.host,
    field(event, 'host'),
    field(event, 'server_name'),
    own(field(event, 'http'), 'hostname'),
    own(field(event, 'tls'), 'sni'),
  ];
  const names: string[] = [];
  for (const candidate of candidates) {
    if (typeof candidate !== 'string' || candidate === '' || candidate.length > 261) continue;
    names.push(candidate.replace(/:\d{1,5}$/, ''));
  }
  return names;
}
