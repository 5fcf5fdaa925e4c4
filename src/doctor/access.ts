// Passwords and encryption, as far as the configuration tells.

import type { Findings } from './check.ts';

const DEFAULTS = new Set(['', 'default', 'admin', 'password', 'changeme', 'cassandra', 'clickhouse', 'kafka', 'weir']);

export interface Access {
  readonly username: string;
  readonly password: string;
  readonly encrypted: boolean;
  readonly hosts: readonly string[];
  /** Where the password is better given. */
  readonly variable: string;
  /** Nobody is asked for a password. */
  readonly open: boolean;
}

export function checkAccess(
  findings: Findings,
  { username, password, encrypted, hosts, variable, open }: Access,
): void {
  const local = hosts.every(isLocal);
  const todo = `make a user of Weir's own with a password of its own, and give it as ${variable}.`;
  if (open) {
    const where = local ? ' (it is on this machine)' : '';
    findings.warning('password', `anybody who reaches it may do anything: no password is asked for${where}`, todo);
  } else if (DEFAULTS.has(password) || password === username)
    findings.problem(
      'password',
      `the password of '${username}' is ${password === '' ? 'empty' : 'a default one'}`,
      todo,
    );
  else findings.ok('password', `'${username}' has a password that is no default`);
  if (encrypted) findings.ok('encryption', 'the connection is encrypted');
  else if (local) findings.ok('encryption', 'the connection is not encrypted, and does not leave this machine');
  else findings.warning('encryption', 'the connection is not encrypted', 'turn TLS on: telemetry names people.');
}

function isLocal(host: string): boolean {
  return /^(localhost|127\.|\[?::1\]?)/.test(host);
}
