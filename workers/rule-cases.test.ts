import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../src/config/load.ts';
import { readRuleFiles } from '../src/control/index.ts';
import { casePassed, runRuleCases } from './rule-cases.ts';

test('every case inside the shipped rules comes out as its rule says', async (t) => {
  const results = runRuleCases(await readRuleFiles(loadConfig(null).config));
  assert.deepEqual(
    results.filter((result) => !casePassed(result)),
    [],
  );
  assert.ok(results.length > 50);
  t.diagnostic(`${results.length} cases`);
});

test('a case that expects too much or too little fails', async () => {
  const rule = (alerts: number): string => `title: t
id: 00000000-0000-4000-8000-00000000000a
status: test
level: low
logsource: {category: network, service: connection}
detection: {s: {destination_port: 23}, condition: s}
weir:
  tests:
    - name: one telnet flow
      alerts: ${alerts}
      events: [{source_ip: 10.0.0.1, destination_ip: 203.0.113.1, destination_port: 23, protocol: tcp}]
`;
  const passed = [0, 1, 2].map((alerts) => runRuleCases([{ path: 'x.yml', text: rule(alerts) }]).map(casePassed));
  assert.deepEqual(passed, [[false], [true], [false]]);
});
