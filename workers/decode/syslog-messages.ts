// Shapes of common syslog messages: who did what from where. In: program and message. Out: fields, and the log source.
// Every pattern is anchored and free of nested repetition, so that a hostile line costs linear time.

import { parseIp } from '../../src/model/ip.ts';

export interface Shape {
  readonly service: string;
  readonly category: string;
  readonly fields: Readonly<Record<string, string | number>>;
  readonly sourceIp: string;
  readonly destinationIp: string;
  readonly user: string;
}

const words = new Uint32Array(4);
const isAddress = (text: string): boolean => parseIp(text, words, 0);

/** Pattern of a message → its event name; groups name fields. `host` is an address or a name. */
const SSHD: readonly (readonly [RegExp, string])[] = [
  [
    /^Failed (?<method>\S{1,40}) for (?:(?<invalid>invalid user) )?(?<user>.{0,200}?) from (?<host>\S{1,255}) port (?<port>\d{1,5})/,
    'failed_password',
  ],
  [/^Accepted (?<method>\S{1,40}) for (?<user>.{0,200}?) from (?<host>\S{1,255}) port (?<port>\d{1,5})/, 'accepted'],
  [/^Invalid user (?<user>.{0,200}?) from (?<host>\S{1,255})(?: port (?<port>\d{1,5}))?$/, 'invalid_user'],
  [
    /^(?:pam_unix\(sshd:auth\): )?authentication failure; .{0,200}?rhost=(?<host>\S{0,255})(?: +user=(?<user>\S{1,100}))?/,
    'authentication_failure',
  ],
  [
    /^PAM (?<more>\d{1,4}) more authentication failures?; .{0,200}?rhost=(?<host>\S{0,255})(?: +user=(?<user>\S{1,100}))?/,
    'authentication_failure',
  ],
  [
    /^reverse mapping checking getaddrinfo for (?<name>\S{1,255}) \[(?<host>[0-9a-fA-F.:]{3,45})\] failed/,
    'reverse_mapping_failed',
  ],
  [/^Did not receive identification string from (?<host>\S{1,255})/, 'no_identification'],
  [
    /^(?:error: )?Received disconnect from (?<host>[^\s:]{1,255}|[0-9a-fA-F:]{3,45}?):? (?:port (?<port>\d{1,5}):)?/,
    'disconnected',
  ],
  [
    /^Connection (?:closed|reset) by (?:(?:invalid|authenticating) user (?<user>\S{1,100}) )?(?<host>\S{1,255})(?: port (?<port>\d{1,5}))?/,
    'connection_closed',
  ],
  [/^Disconnecting: Too many authentication failures for (?<user>\S{1,100})/, 'too_many_failures'],
  [/^(?:pam_unix\(sshd:session\): )?session opened for user (?<user>[^\s(]{1,100})/, 'session_opened'],
  [/^(?:pam_unix\(sshd:session\): )?session closed for user (?<user>\S{1,100})/, 'session_closed'],
  [/^(?:pam_unix\(sshd:auth\): )?check pass; user unknown/, 'unknown_user'],
];

const REPEATED = /^message repeated (\d{1,6}) times: \[ (.{0,2000})\]$/;
const SUDO =
  /^ *(?<user>\S{1,100}) : (?<problem>(?:[^;=]{1,100} ; )?)TTY=(?<tty>\S{1,40}) ; PWD=(?<pwd>.{1,300}?) ; USER=(?<runas>\S{1,100}) ; COMMAND=(?<command>.{1,2000})$/;
const SU = /^(?:pam_unix\(su(?:-l)?:session\): )?session (?<state>opened|closed) for user (?<user>[^\s(]{1,100})/;
const FTPD = /^connection from (?<host>\S{1,255}) \((?<name>\S{0,255})\)/;
const FIREWALL = /(?:^| )SRC=(?<source>\S{3,45}) DST=(?<destination>\S{3,45}) /;

const NOTHING: Shape = { service: '', category: '', fields: {}, sourceIp: '', destinationIp: '', user: '' };

/** Program names as syslog knows them: `sshd(pam_unix)` and `sshd` are one. */
export function shapeOf(program: string, message: string): Shape {
  const name = program.replace(/\(pam_unix\)$/, '').toLowerCase();
  if (name === 'sshd' || name === 'sshd-session') return sshd(message);
  if (name === 'sudo') return sudo(message);
  if (name === 'su') return su(message);
  if (name === 'ftpd') return { ...fromHost('ftpd', FTPD.exec(message)?.groups, 'connection'), category: '' };
  if (name === 'kernel') return firewall(message) ?? { ...NOTHING, service: 'kernel' };
  return { ...NOTHING, service: name === 'cron' || name === 'crond' ? 'cron' : 'syslog' };
}

function sshd(text: string): Shape {
  const repeat = REPEATED.exec(text);
  const message = repeat ? repeat[2].trim() : text;
  for (const [pattern, event] of SSHD) {
    const match = pattern.exec(message);
    if (!match) continue;
    const shape = fromHost('sshd', match.groups, event);
    return repeat ? { ...shape, fields: { ...shape.fields, repeated: Number(repeat[1]) } } : shape;
  }
  return { ...NOTHING, service: 'sshd' };
}

/** Fields of a match: `host` becomes source_ip or source_host, numbers become numbers. */
function fromHost(service: string, groups: Record<string, string> | undefined, event: string): Shape {
  if (!groups) return { ...NOTHING, service };
  const fields: Record<string, string | number> = { event };
  let sourceIp = '';
  for (const [key, value] of Object.entries(groups)) {
    if (value === undefined || value === '') continue;
    if (key === 'host' && isAddress(value)) sourceIp = value;
    else if (key === 'host') fields.source_host = value;
    else if (key === 'port') fields.source_port = Number(value);
    else if (key === 'more') fields.repeated = Number(value);
    else if (key === 'invalid') fields.invalid_user = 'true';
    else fields[key] = value;
  }
  if (sourceIp) fields.source_ip = sourceIp;
  return { service, category: '', fields, sourceIp, destinationIp: '', user: groups.user ?? '' };
}

function sudo(message: string): Shape {
  const groups = SUDO.exec(message)?.groups;
  if (!groups) return { ...NOTHING, service: 'sudo' };
  const { user, tty, pwd, runas, command } = groups;
  const problem = groups.problem.replace(/ ; $/, '');
  const fields = {
    event: problem ? 'denied' : 'command',
    user,
    tty,
    pwd,
    runas,
    command,
    ...(problem ? { problem } : {}),
  };
  return { ...NOTHING, service: 'sudo', fields, user };
}

function su(message: string): Shape {
  const groups = SU.exec(message)?.groups;
  if (!groups) return { ...NOTHING, service: 'su' };
  return {
    ...NOTHING,
    service: 'su',
    fields: { event: `session_${groups.state}`, user: groups.user },
    user: groups.user,
  };
}

/** iptables/nftables LOG lines: KEY=value pairs kept under their names, ports as numbers. */
function firewall(message: string): Shape | null {
  const groups = FIREWALL.exec(message)?.groups;
  if (!groups || !isAddress(groups.source) || !isAddress(groups.destination)) return null;
  const fields: Record<string, string | number> = { event: 'packet' };
  for (const [, key, value] of message.slice(0, 2000).matchAll(/(?:^| )([A-Z]{2,10})=(\S{0,100})/g))
    fields[key] = value;
  fields.source_ip = groups.source;
  fields.destination_ip = groups.destination;
  if (/^\d{1,5}$/.test(String(fields.SPT))) fields.source_port = Number(fields.SPT);
  if (/^\d{1,5}$/.test(String(fields.DPT))) fields.destination_port = Number(fields.DPT);
  const prefix = /^(?:\[ *[\d.]+\] )?(.{0,60}?)IN=/.exec(message);
  if (prefix?.[1]) fields.prefix = prefix[1].trim();
  return {
    service: '',
    category: 'firewall',
    fields,
    sourceIp: groups.source,
    destinationIp: groups.destination,
    user: '',
  };
}
