// What random rules over log events ask for: fields that every way of looking up has, and values that differ in case, in kind
// and beyond ASCII.

import type { FieldPool } from './arbitrary.test-support.ts';

export const LOG_POOLS: readonly FieldPool[] = [
  { name: 'EventID', kind: 'number', values: [4624, 4625, 1] },
  { name: 'Image', kind: 'text', values: ['C:\\Windows\\cmd.exe', '/bin/sh', 'node', 'Ärger.exe'] },
  { name: 'alert.signature', kind: 'text', values: ['ET SCAN ssh', 'tcp portscan', '%_*?[a]'] },
  { name: 'dns.answers.rdata', kind: 'text', values: ['8.8.8.8', '10.0.0.1', '2001:db8::1', 'www.example.com'] },
  { name: 'tags', kind: 'text', values: ['ssh', 'scan', '443', 'ЖУК'] },
  { name: 'source_ip', kind: 'text', values: ['10.0.0.1', '8.8.8.8'] },
  { name: 'user', kind: 'text', values: ['anna', 'Bob'] },
  { name: 'message', kind: 'text', values: ['Failed password for anna', 'ok'] },
  { name: 'ok', kind: 'flag', values: [true, false] },
];

/** Values of an event's field, of whatever kind. */
export const LOG_VALUES: readonly unknown[] = [
  'ssh',
  'Scan',
  'anna',
  'жук',
  '443',
  443,
  4624,
  '04625',
  4625,
  -1,
  true,
  false,
  null,
  '',
  '10.0.0.1',
  '8.8.8.8',
  '%_*?[A]',
];
