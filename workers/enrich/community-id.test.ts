import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIp } from '../../src/model/ip.ts';
import { communityId } from './community-id.ts';

function id(
  protocol: number,
  source: string,
  sourcePort: number,
  destination: string,
  destinationPort: number,
): string {
  const words = new Uint32Array(8);
  assert.ok(parseIp(source, words, 0) && parseIp(destination, words, 4));
  return communityId(protocol, words, 0, sourcePort, words, 4, destinationPort);
}

// Vectors of the specification's baseline and of other implementations' tests.
const VECTORS = [
  [6, '128.232.110.120', 34855, '66.35.250.204', 80, '1:LQU9qZlK+B5F3KDmev6m5PMibrg='],
  [17, '192.168.1.52', 54585, '8.8.8.8', 53, '1:d/FP5EW3wiY1vCndhwleRRKHowQ='],
  [6, '2001:470:e5bf:dead:4957:2174:e82c:4887', 63943, '2607:f8b0:400c:c03::1a', 25, '1:/qFaeAR+gFe1KYjMzVDsMv+wgU4='],
  [132, '192.168.170.8', 7, '192.168.170.56', 7, '1:MP2EtRCAUIZvTw6MxJHLV7N7JDs='],
  [6, '1.2.3.4', 1122, '5.6.7.8', 3344, '1:wCb3OG7yAFWelaUydu0D+125CLM='],
  [17, '1.2.3.4', 1122, '5.6.7.8', 3344, '1:0Mu9InQx6z4ZiCZM/7HXi2WMhOg='],
] as const;

test('published vectors, in both directions', () => {
  for (const [protocol, source, sourcePort, destination, destinationPort, expected] of VECTORS) {
    assert.equal(id(protocol, source, sourcePort, destination, destinationPort), expected);
    assert.equal(id(protocol, destination, destinationPort, source, sourcePort), expected);
  }
});

test('ICMP: request and answer have one id, types without an answer keep their direction', () => {
  assert.equal(id(1, '192.168.0.89', 8, '192.168.0.1', 0), '1:X0snYXpgwiv9TZtqg64sgzUn6Dk=');
  assert.equal(id(1, '192.168.0.1', 0, '192.168.0.89', 0), '1:X0snYXpgwiv9TZtqg64sgzUn6Dk=');
  assert.equal(id(58, 'fe80::260:97ff:fe07:69ea', 134, 'ff02::1', 0), '1:pkvHqCL88/tg1k4cPigmZXUtL00=');
  assert.notEqual(id(1, '192.168.0.89', 3, '192.168.0.1', 1), id(1, '192.168.0.1', 3, '192.168.0.89', 1));
});

test('protocols without ports do not hash them', () => {
  assert.equal(id(47, '10.0.0.1', 0, '10.0.0.2', 0), id(47, '10.0.0.2', 9, '10.0.0.1', 9));
});
