// Generated events as bytes: native NDJSON or MessagePack, or Zeek conn.log (flows only).

import { pack } from 'msgpackr';
import type { GeneratedEvent } from './event.ts';

export const OUTPUT_FORMATS = ['ndjson', 'msgpack', 'zeek'] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

export interface EventWriter {
  /** Bytes that come before everything else. */
  readonly head: Uint8Array;
  /** Bytes of one event; empty for events that the format has no place for. */
  write(event: GeneratedEvent): Uint8Array;
}

const NOTHING = new Uint8Array(0);

export function createEventWriter(format: OutputFormat): EventWriter {
  if (format === 'msgpack') return { head: NOTHING, write: ({ fields }) => pack(fields) };
  if (format === 'zeek') return zeekWriter();
  return { head: NOTHING, write: ({ fields }) => Buffer.from(`${JSON.stringify(fields)}\n`) };
}

const ZEEK_FIELDS =
  'ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto service duration orig_bytes resp_bytes conn_state local_orig local_resp missed_bytes history orig_pkts orig_ip_bytes resp_pkts resp_ip_bytes tunnel_parents';
const ZEEK_TYPES =
  'time string addr port addr port enum string interval count count string bool bool count string count count count count set[string]';

function zeekWriter(): EventWriter {
  const tabs = (text: string): string => text.replaceAll(' ', '\t');
  const head = [
    '#separator \\x09',
    '#set_separator\t,',
    '#empty_field\t(empty)',
    '#unset_field\t-',
    '#path\tconn',
    `#fields\t${tabs(ZEEK_FIELDS)}`,
    `#types\t${tabs(ZEEK_TYPES)}`,
    '',
  ].join('\n');
  return {
    head: Buffer.from(head),
    write: ({ kind, fields: f }) => {
      if (kind !== 'flow') return NOTHING;
      const inside = (ip: string | number): string => (String(ip).startsWith('10.') ? 'T' : 'F');
      const state = Number(f.packets_received) === 0 ? 'S0' : f.tcp_flags === 22 ? 'REJ' : 'SF';
      const row = [
        (Date.parse(String(f.timestamp)) / 1000).toFixed(6),
        `C${String(f.flow_id).replaceAll('-', '').slice(0, 17)}`,
        f.source_ip,
        f.source_port,
        f.destination_ip,
        f.destination_port,
        f.protocol,
        f.application ?? '-',
        (Number(f.duration_ms) / 1000).toFixed(6),
        f.bytes_sent,
        f.bytes_received,
        state,
        inside(f.source_ip),
        inside(f.destination_ip),
        0,
        '-',
        f.packets_sent,
        Number(f.bytes_sent) + 40 * Number(f.packets_sent),
        f.packets_received,
        Number(f.bytes_received) + 40 * Number(f.packets_received),
        '-',
      ];
      return Buffer.from(`${row.join('\t')}\n`);
    },
  };
}
