import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runRuleCases } from '../rule-cases.ts';

// The example of Sigma's specification: one address is the destination in one rule and the source in another.
const TEXT = `
title: Error inside
name: internal_error
logsource: {category: network, service: connection}
detection:
  selection: {destination_port: 500}
  condition: selection
---
title: Connection
name: new_network_connection
logsource: {category: network, service: connection}
detection:
  selection: {destination_port: 443}
  condition: selection
---
title: Error, then a connection the other way
name: back
correlation:
  type: temporal
  rules: [internal_error, new_network_connection]
  group-by: [internal_ip, remote_ip]
  timespan: 10s
  aliases:
    internal_ip: {internal_error: destination_ip, new_network_connection: source_ip}
    remote_ip: {internal_error: source_ip, new_network_connection: destination_ip}
weir:
  reason: '{internal_ip} and {remote_ip}'
  tests:
    - name: both ways
      alerts: 1
      events:
        - {source_ip: 203.0.113.9, destination_ip: 10.0.0.5, destination_port: 500, protocol: tcp}
        - {source_ip: 10.0.0.5, destination_ip: 203.0.113.9, destination_port: 443, protocol: tcp}
    - name: the same way twice
      alerts: 0
      events:
        - {source_ip: 203.0.113.9, destination_ip: 10.0.0.5, destination_port: 500, protocol: tcp}
        - {source_ip: 203.0.113.9, destination_ip: 10.0.0.5, destination_port: 443, protocol: tcp}
---
title: A host that talks no more
name: silent
correlation:
  type: event_count
  rules: new_network_connection
  group-by: source_ip
  timespan: 1m
  condition: {eq: 0}
weir:
  tests:
    - name: silence, told by the traffic of others
      alerts: 1
      events:
        - {source_ip: 10.0.0.5, destination_ip: 203.0.113.9, destination_port: 443, protocol: tcp}
        - {after: 10m, source_ip: 10.0.0.6, destination_ip: 203.0.113.9, destination_port: 80, protocol: tcp}
---
title: Rarely seen port
name: rare
correlation:
  type: value_percentile
  rules: internal_error
  group-by: source_ip
  timespan: 1h
  condition: {field: destination_ip, lt: 10}
weir:
  tests:
    - name: one of twenty
      alerts: 1
      events:
        - repeat:
            count: 20
            every: 1s
            event: {source_ip: 203.0.113.9, destination_ip: 10.0.0.5, destination_port: 500, protocol: tcp}
        - {source_ip: 203.0.113.9, destination_ip: 10.0.0.7, destination_port: 500, protocol: tcp}
---
title: Slow in general
name: slow
correlation:
  type: value_median
  rules: internal_error
  group-by: source_ip
  timespan: 1h
  condition: {field: destination_port, gt: 499}
weir:
  tests:
    - name: numbers
      alerts: 1
      events:
        - {source_ip: 203.0.113.9, destination_ip: 10.0.0.5, destination_port: 500, protocol: tcp}
`;

test('aliases that stand for other fields in other rules, and the newer correlations, on the real path', () => {
  const results = runRuleCases([{ path: 'rules.yml', text: TEXT }]);
  assert.equal(results.length, 5);
  for (const { name, alerts, expected, refused } of results) {
    assert.deepEqual(refused, []);
    assert.equal(alerts, expected, name);
  }
});
