// Synthetic flow rules in Sigma YAML: the mix of a large tenant base (ports, addresses, applications, thresholds).

import type { RuleFile } from '../src/model/control.ts';
import { Random } from './generate/random.ts';

const APPLICATIONS = ['ssh', 'rdp', 'smb', 'postgres', 'ldap', 'netflix', 'smtp', 'telnet', 'tor', 'ftp'];

function detection(random: Random, i: number): string {
  const port = random.int(1, 65535);
  const prefix = `${random.int(11, 200)}.${random.int(0, 256)}.${random.int(0, 256)}.0/24`;
  switch (i % 5) {
    case 0:
      return `destination_port: ${port}\n    bytes_sent|gt: ${random.int(1000, 1000000)}`;
    case 1:
      return `destination_ip|cidr: ${prefix}\n    protocol: tcp`;
    case 2:
      return `application: ${random.pick(APPLICATIONS)}\n    bytes_received|gte: ${random.int(5e8, 5e9)}`;
    case 3:
      return `source_ip: 10.${random.int(0, 64)}.${random.int(0, 256)}.${random.int(1, 255)}\n    destination_port:\n      - ${port}\n      - 22\n      - 3389`;
    default:
      return `user_id|startswith: mallory.${random.hex(3)}\n    action: deny`;
  }
}

const rule = (id: string, title: string, body: string): string => `title: ${title}
id: ${id}
status: test
level: low
logsource:
  category: network
  service: connection
${body}`;

/** `count` detection rules that seldom match. */
export function syntheticRules(count: number, seed = 1): RuleFile[] {
  const random = new Random(seed, 'rules');
  const documents = Array.from({ length: count }, (_, i) =>
    rule(
      random.uuid(),
      `synthetic ${i}`,
      `detection:\n  selection:\n    ${detection(random, i)}\n  condition: selection\n`,
    ),
  );
  return [{ path: 'bench/synthetic.yml', text: documents.join('---\n') }];
}

/** One correlation that counts one flow in ten or so, by source address. */
export function correlationRules(): RuleFile[] {
  const base = rule(
    '00000000-0000-4000-8000-000000000001',
    'denied flow',
    'name: denied_flow\ndetection:\n  selection:\n    action: deny\n  condition: selection\n',
  );
  const correlation = `title: many denied flows
id: 00000000-0000-4000-8000-000000000002
status: test
level: low
correlation:
  type: event_count
  rules: [denied_flow]
  group-by: [source_ip]
  timespan: 10m
  condition:
    gte: 1000
`;
  return [{ path: 'bench/correlation.yml', text: `${base}---\n${correlation}` }];
}
