// Application, category and threat of a flow's strings, remembered by dictionary id: a string is examined once a
// dictionary generation, every later flow with it costs an array read.

import type { ControlSnapshot } from '../../src/model/control.ts';
import type { Dictionary } from '../../src/model/dictionary.ts';
import { FLOW_FLAG, type FlowColumns } from '../../src/model/flow.ts';
import {
  APPLICATION_NAMES,
  applicationByPort,
  applicationOfHost,
  applicationOfService,
  categoryOfApplication,
  isCarrier,
  PROTOCOL_APPLICATIONS,
} from './applications.ts';
import type { AddressFacts } from './facts.ts';

/** id → 1 + value, 0 while unknown. Grows with the dictionary. */
class Memo {
  private values = new Uint32Array(1024);

  get(id: number): number {
    return id < this.values.length ? this.values[id] : 0;
  }

  set(id: number, value: number): number {
    if (id >= this.values.length) {
      const bigger = new Uint32Array(Math.max(id + 1, this.values.length * 2));
      bigger.set(this.values);
      this.values = bigger;
    }
    this.values[id] = value + 1;
    return value;
  }

  clear(): void {
    this.values.fill(0);
  }
}

export class FlowNaming {
  private readonly dictionary: Dictionary;
  private readonly facts: AddressFacts;
  private readonly categories: readonly ReadonlyMap<string, string>[];
  private readonly services = new Memo();
  private readonly carriers = new Memo();
  private readonly hosts = new Memo();
  /** Dictionary ids of APPLICATION_NAMES, 0 while not interned in this generation. */
  private readonly catalogue = new Uint32Array(APPLICATION_NAMES.length);
  private readonly category: readonly Memo[];
  private readonly threats: readonly (Memo | null)[];

  constructor(snapshot: ControlSnapshot, dictionary: Dictionary, facts: AddressFacts) {
    this.dictionary = dictionary;
    this.facts = facts;
    this.categories = snapshot.tenants.map((tenant) => lowerKeys({ ...snapshot.categories, ...tenant.categories }));
    // Tenants without categories of their own share one memo.
    const shared = new Memo();
    this.category = snapshot.tenants.map((tenant) =>
      Object.keys(tenant.categories).length === 0 ? shared : new Memo(),
    );
    this.threats = snapshot.tenants.map((_, tenant) => (facts.hasNoNames(tenant) ? null : new Memo()));
  }

  clear(): void {
    for (const memo of [this.services, this.carriers, this.hosts, ...this.category]) memo.clear();
    for (const memo of this.threats) memo?.clear();
    this.catalogue.fill(0);
  }

  /** Dictionary id of the application of row i, which the producer did not name; 0 for none. */
  application(flows: FlowColumns, i: number): number {
    const service = flows.service[i];
    const named = service === 0 ? 0 : this.services.get(service) || this.examineService(service);
    const host = flows.host[i];
    if (host !== 0 && (named <= 1 || this.carriers.get(service) === 2)) {
      const hosted = this.hosts.get(host) || this.examineHost(host);
      if (hosted > 1) return hosted - 1;
    }
    return named > 1 ? named - 1 : this.byPort(flows, i);
  }

  /** Dictionary id of the category of an application; 0 for none. */
  categoryOf(tenant: number, application: number): number {
    const memo = this.category[tenant];
    const known = memo.get(application);
    if (known !== 0) return known - 1;
    const name = this.dictionary.text(application);
    const category = this.categories[tenant].get(name.toLowerCase()) ?? categoryOfApplication(name);
    return memo.set(application, this.dictionary.internText(category));
  }

  /** Dictionary id of the threat list that a host is on; 0 for none. */
  threatOfHost(tenant: number, host: number): number {
    const memo = this.threats[tenant];
    if (memo === null) return 0;
    const known = memo.get(host);
    if (known !== 0) return known - 1;
    const bytes = this.dictionary.bytes(host);
    const name = this.facts.threatOfName(tenant, bytes, 0, hostLength(bytes));
    return memo.set(host, this.dictionary.internText(name));
  }

  private byPort(flows: FlowColumns, i: number): number {
    const protocol = flows.protocol[i];
    let index = PROTOCOL_APPLICATIONS[protocol] || applicationByPort(protocol, flows.destinationPort[i]);
    // One direction seen: the known port may be the sender's. Oriented flows keep the service at the destination.
    if (index === 0 && (flows.flags[i] & FLOW_FLAG.unidirectional) !== 0) {
      index = applicationByPort(protocol, flows.sourcePort[i]);
    }
    if (index === 0) return 0;
    this.catalogue[index] ||= this.dictionary.internText(APPLICATION_NAMES[index]);
    return this.catalogue[index];
  }

  private examineService(service: number): number {
    const name = applicationOfService(this.dictionary.text(service));
    this.carriers.set(service, isCarrier(name) ? 1 : 0);
    return this.services.set(service, this.dictionary.internText(name)) + 1;
  }

  private examineHost(host: number): number {
    const name = applicationOfHost(this.dictionary.text(host));
    return this.hosts.set(host, this.dictionary.internText(name)) + 1;
  }
}

/** Length of a host without its `:port`. */
function hostLength(bytes: Uint8Array): number {
  const colon = bytes.lastIndexOf(58);
  if (colon <= 0) return bytes.length;
  for (let i = colon + 1; i < bytes.length; i++) if (bytes[i] < 48 || bytes[i] > 57) return bytes.length;
  return colon;
}

function lowerKeys(record: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(record).map(([key, value]) => [key.toLowerCase(), value]));
}
