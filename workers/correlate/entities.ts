// What an event names: addresses, user, host … as the fields of an alert, for sentences, and as parts of a group key.

import { ENTITY_FIELDS, type EntityField } from '../../rules/model.ts';
import type { Alert } from '../../src/model/alert.ts';
import { utf8 } from '../../src/model/bytes.ts';
import { type EntityText, type HitEvent, type KeyValue, KeyWriter } from '../../src/model/hits.ts';
import { ipText } from '../../src/model/ip.ts';
import { communityId } from '../enrich/community-id.ts';

/** Other names of the same fields: Sigma's, ECS's, Zeek's, the stored columns'. Compared in lower case. */
const ALIASES = new Map<string, EntityField>([
  ...ENTITY_FIELDS.map((name) => [name, name] as const),
  ...(
    [
      ['source_ip', 'src_ip sourceip source.ip sourceaddress id.orig_h c-ip ipaddress srcip client_ip'],
      ['destination_ip', 'dst_ip dest_ip destinationip destination.ip destinationaddress id.resp_h dstip'],
      ['source_port', 'src_port sourceport source.port id.orig_p srcport'],
      ['destination_port', 'dst_port dest_port destinationport destination.port id.resp_p dstport'],
      ['protocol', 'proto network.protocol network.iana_number'],
      ['user', 'user_id username user.name targetusername'],
      ['device', 'device_id'],
      ['site', 'site_id'],
      ['pop', 'pop_id'],
      ['host', 'hostname host.name computer computername'],
      ['tunnel', 'tunnel_id'],
      ['policy_id', 'policyid'],
      ['source_country', 'sourcecountry'],
      ['destination_country', 'destinationcountry'],
    ] as const
  ).flatMap(([name, others]) => others.split(' ').map((other) => [other, name] as const)),
]);

/** The entity that a field of a rule means, or null. */
export function entityOf(field: string): EntityField | null {
  return ALIASES.get(field.toLowerCase()) ?? null;
}

const TEXTS: Partial<Record<EntityField, EntityText>> = {
  source_country: 'sourceCountry',
  destination_country: 'destinationCountry',
  policy_id: 'policyId',
};

const absent = (words: Uint32Array): boolean => (words[0] | words[1] | words[2] | words[3]) === 0;

/** Where the texts of an event have an entity that is no address and no number. */
export function entityText(field: EntityField): EntityText {
  return TEXTS[field] ?? (field as EntityText);
}

export function addressText(words: Uint32Array): string {
  return absent(words) ? '' : ipText(words);
}

/** The value of an entity as a group key has it. */
export function entityValue(event: HitEvent, field: EntityField): KeyValue {
  switch (field) {
    case 'source_ip':
      return absent(event.source) ? null : event.source;
    case 'destination_ip':
      return absent(event.destination) ? null : event.destination;
    case 'source_port':
      return event.sourcePort;
    case 'destination_port':
      return event.destinationPort;
    case 'protocol':
      return event.protocol;
    default: {
      const text = event.texts[entityText(field)];
      return text === '' ? null : text;
    }
  }
}

export function valueText(value: KeyValue): string {
  if (value === null) return '';
  return value instanceof Uint32Array ? ipText(value) : String(value);
}

const writer = new KeyWriter();

/** The bytes that `readKey` turns into these values. A copy. */
export function keyBytes(values: readonly KeyValue[]): Uint8Array {
  writer.reset();
  for (const value of values) {
    if (value === null) writer.absent();
    else if (value instanceof Uint32Array) writer.ip(value, 0);
    else if (typeof value === 'number') writer.number(value);
    else writer.text(utf8(value));
  }
  return writer.out.take();
}

export function entitiesOf(event: HitEvent): Alert['entities'] {
  const { texts, source, destination, sourcePort, destinationPort, protocol } = event;
  const conversation = protocol > 0 && !absent(source) && !absent(destination);
  return {
    source_ip: addressText(source),
    destination_ip: addressText(destination),
    source_port: sourcePort,
    destination_port: destinationPort,
    protocol,
    user: texts.user,
    device: texts.device,
    site: texts.site,
    pop: texts.pop,
    host: texts.host,
    application: texts.application,
    direction: texts.direction,
    source_country: texts.sourceCountry,
    destination_country: texts.destinationCountry,
    threat: texts.threat,
    community_id: conversation ? communityId(protocol, source, 0, sourcePort, destination, 0, destinationPort) : '',
  };
}
