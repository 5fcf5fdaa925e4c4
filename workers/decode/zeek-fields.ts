// What Zeek's two spellings share: paths and their log sources, who a log event is about, and TCP flags from a history.

import type { LogSource } from '../../src/model/records.ts';

/** Sigma's taxonomy gives DNS a category of its own; Zeek's other logs are told apart by service, as SigmaHQ's rules do. */
const CATEGORIES = new Map([['dns', 'dns']]);

const SOURCES = new Map<string, LogSource>();

export function zeekLogSource(path: string): LogSource {
  let source = SOURCES.get(path);
  if (source === undefined) {
    source = { product: 'zeek', category: CATEGORIES.get(path) ?? '', service: path };
    // Records name their own paths, so the table of them is bounded.
    if (SOURCES.size < 1024) SOURCES.set(path, source);
  }
  return source;
}

/** Path → keys that only its records have together. Used for JSON without `_path`; the first line that fits decides. */
export const DISTINCTIVE: readonly (readonly [path: string, keys: readonly string[]])[] = [
  ['conn', ['conn_state']],
  ['conn', ['orig_ip_bytes']],
  ['dns', ['query', 'trans_id']],
  ['dns', ['query', 'qtype']],
  ['http', ['method', 'uri']],
  ['http', ['status_code', 'trans_depth']],
  ['ssl', ['established']],
  ['x509', ['certificate.serial']],
  ['ssh', ['auth_attempts']],
  ['rdp', ['security_protocol']],
  ['kerberos', ['request_type']],
  ['ntlm', ['server_nb_computer_name']],
  ['ntlm', ['domainname']],
  ['dce_rpc', ['endpoint', 'operation']],
  ['smb_files', ['action', 'path']],
  ['smb_mapping', ['share_type']],
  ['smtp', ['mailfrom']],
  ['smtp', ['helo']],
  ['ftp', ['reply_code', 'command']],
  ['syslog', ['facility', 'severity']],
  ['dhcp', ['lease_time']],
  ['dhcp', ['msg_types']],
  ['tunnel', ['tunnel_type']],
  ['software', ['software_type']],
  ['notice', ['note']],
  ['known_services', ['port_proto']],
  ['known_certs', ['issuer_subject']],
  ['files', ['fuid', 'mime_type']],
  ['weird', ['name', 'peer']],
];

/** Keys of the fields that say whom an event is about, most telling first. */
const HOST_KEYS = ['host', 'hostname', 'host_name'];
const USER_KEYS = ['user', 'username'];
/** `client` is a principal in Kerberos, but a software version in SSH; RDP's cookie carries the user's name. */
const USER_BY_PATH = new Map([
  ['kerberos', 'client'],
  ['rdp', 'cookie'],
]);
const MESSAGE_BY_PATH = new Map([
  ['notice', 'msg'],
  ['syslog', 'message'],
  ['weird', 'name'],
]);

const SYSLOG_SEVERITIES = new Map([
  ['EMERG', 'emergency'],
  ['ALERT', 'alert'],
  ['CRIT', 'critical'],
  ['ERR', 'error'],
  ['WARNING', 'warning'],
  ['NOTICE', 'notice'],
  ['INFO', 'info'],
  ['DEBUG', 'debug'],
]);

export interface ZeekSubject {
  readonly host: string;
  readonly user: string;
  readonly severity: string;
  readonly message: string;
}

/** The text under the first of some keys that has one (own keys only). */
export function textIn(fields: Readonly<Record<string, unknown>>, keys: readonly string[]): string {
  for (const key of keys) {
    const value = Object.hasOwn(fields, key) ? fields[key] : '';
    if (typeof value === 'string' && value !== '') return value;
  }
  return '';
}

/** Reads a log event's subject from its fields: `text` gives the text of the first of some keys that has one. */
export function zeekSubject(path: string, text: (keys: readonly string[]) => string): ZeekSubject {
  return {
    host: zeekHost(text),
    user: zeekUser(path, text),
    severity: zeekSeverity(path, text),
    message: zeekMessage(path, text),
  };
}

type FirstText = (keys: readonly string[]) => string;

export function zeekHost(text: FirstText): string {
  return text(HOST_KEYS);
}

export function zeekUser(path: string, text: FirstText): string {
  const further = USER_BY_PATH.get(path);
  return text(further === undefined ? USER_KEYS : [...USER_KEYS, further]);
}

export function zeekSeverity(path: string, text: FirstText): string {
  if (path === 'notice') return 'notice';
  return path === 'syslog' ? (SYSLOG_SEVERITIES.get(text(['severity'])) ?? '') : '';
}

export function zeekMessage(path: string, text: FirstText): string {
  const key = MESSAGE_BY_PATH.get(path);
  return key === undefined ? '' : text([key]);
}

const FIN = 1;
const SYN = 2;
const RST = 4;
const ACK = 16;

/** By lower-cased letter of a history: SYN, SYN-ACK, pure ACK, payload (which carries an ACK), FIN, RST. */
const FLAGS_OF = new Uint8Array(256);
FLAGS_OF['s'.charCodeAt(0)] = SYN;
FLAGS_OF['h'.charCodeAt(0)] = SYN | ACK;
FLAGS_OF['a'.charCodeAt(0)] = ACK;
FLAGS_OF['d'.charCodeAt(0)] = ACK;
FLAGS_OF['f'.charCodeAt(0)] = FIN;
FLAGS_OF['r'.charCodeAt(0)] = RST;

/** TCP flags that both sides sent, from Zeek's `history` (upper case: originator, lower: responder). */
export function flagsOfHistory(bytes: Uint8Array, start: number, end: number): number {
  let flags = 0;
  for (let i = start; i < end; i++) flags |= FLAGS_OF[bytes[i] | 32];
  return flags;
}
