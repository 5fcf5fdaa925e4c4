// Input with bad records among good ones, which knows where each bad one stands.

import type { RejectCode } from '../../src/model/reject.ts';

const FLOW = {
  tenant_id: undefined as unknown,
  pop_id: 'fra1',
  timestamp: '2026-03-02T09:00:00.137Z',
  source_ip: '10.0.0.7',
  destination_ip: '192.0.2.9',
  source_port: 39_781,
  destination_port: 443,
  protocol: 'tcp',
  bytes_sent: 300,
  bytes_received: 500,
  packets_sent: 2,
  packets_received: 2,
  duration_ms: 20,
};

/** A native flow, as JSON; `undefined` leaves a field out. */
export function flow(change: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ ...FLOW, ...change });
}

const ZEEK = {
  ts: '1713484795.943239',
  uid: 'CYl7H53iN6mY9NyXJ8',
  'id.orig_h': '167.94.138.145',
  'id.orig_p': '25320',
  'id.resp_h': '64.225.56.201',
  'id.resp_p': '6008',
  proto: 'tcp',
  service: '-',
  duration: '0.000064',
  orig_bytes: '0',
  resp_bytes: '0',
  conn_state: 'REJ',
  orig_pkts: '1',
  orig_ip_bytes: '60',
  resp_pkts: '1',
  resp_ip_bytes: '40',
};

export const ZEEK_HEADER: readonly string[] = [
  '#separator \\x09',
  '#set_separator\t,',
  '#empty_field\t(empty)',
  '#unset_field\t-',
  '#path\tconn',
  `#fields\t${Object.keys(ZEEK).join('\t')}`,
];

/** A row of conn.log under that header. */
export function zeekConn(change: Readonly<Partial<Record<keyof typeof ZEEK, string>>>): string {
  return Object.values({ ...ZEEK, ...change }).join('\t');
}

export class Crooked {
  /** Expected rejects, in order. */
  readonly refused: { readonly code: RejectCode; readonly position: number; readonly length: number }[] = [];
  accepted = 0;
  skipped = 0;
  private readonly parts: Buffer[] = [];
  private position = 0;
  private readonly record: () => string;

  /** `record` makes a good record with its newline. */
  constructor(record: () => string) {
    this.record = record;
  }

  good(): this {
    this.accepted++;
    return this.add(this.record());
  }

  bad(code: RejectCode, record: string | Uint8Array): this {
    const { byteLength: length } = Buffer.from(record as string);
    this.refused.push({ code, position: this.position, length });
    return this.add(record).add('\n');
  }

  /** What is no record: `lines` of them. */
  blank(text: string, lines = 1): this {
    this.skipped += lines;
    return this.add(`${text}\n`);
  }

  /** A good record without its newline, the last one. */
  end(record: string): this {
    this.accepted++;
    return this.add(record);
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.parts);
  }

  private add(text: string | Uint8Array): this {
    const bytes = Buffer.from(text as string);
    this.parts.push(bytes);
    this.position += bytes.length;
    return this;
  }
}
