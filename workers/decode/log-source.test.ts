import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logSourceOf } from './log-source.ts';
import { hoistWindowsEvent } from './windows-event.ts';

const NONE = { product: '', category: '', service: '' };
const source = (fields: Record<string, unknown>, declared = NONE): string => {
  const { product, category, service } = logSourceOf(declared, hoistWindowsEvent(fields));
  return `${product}/${category}/${service}`;
};
const sysmon = 'Microsoft-Windows-Sysmon/Operational';

test('a Windows event is told by channel and event id, however it is nested', () => {
  const wanted = 'windows/process_creation/sysmon';
  assert.equal(source({ Channel: sysmon, EventID: 1 }), wanted);
  assert.equal(source({ Event: { System: { Channel: sysmon, EventID: 1 } } }), wanted);
  assert.equal(source({ Event: { System: { Channel: sysmon, EventID: { '#text': '1' } } } }), wanted);
  assert.equal(source({ System: { Channel: sysmon, EventID: '1' }, EventData: { Image: 'a' } }), wanted);
  assert.equal(source({ winlog: { channel: sysmon, event_id: '1' } }), wanted);
  assert.equal(source({ Channel: 'Security', EventID: 4688 }), 'windows/process_creation/security');
  assert.equal(source({ Channel: 'Security', EventID: 4625 }), 'windows//security');
  assert.equal(source({ Channel: 'PowerShellCore/Operational', EventID: 4104 }), 'windows/ps_script/powershell');
  assert.equal(source({ Channel: sysmon, EventID: 12, EventType: 'DeleteKey' }), 'windows/registry_delete/sysmon');
});

test('what an event leaves open follows from the rest of it, unless that is of another product', () => {
  const declared = { product: 'windows', category: 'process_creation', service: '' };
  assert.equal(source({ Channel: sysmon, EventID: 1 }, declared), 'windows/process_creation/sysmon');
  assert.equal(source({ Channel: sysmon, EventID: 1 }, { ...NONE, product: 'linux' }), 'linux//');
});

test('clouds are told by dataset, or by the fields that only they have', () => {
  assert.equal(source({ event: { dataset: 'okta.system' } }), 'okta//okta');
  assert.equal(source({ 'event.dataset': 'zeek.http' }), 'zeek//http');
  assert.equal(
    source({ eventSource: 'iam.amazonaws.com', eventName: 'CreateUser', awsRegion: 'x' }),
    'aws//cloudtrail',
  );
  assert.equal(
    source({ category: 'SignInLogs', operationName: 'x' }, { ...NONE, category: 'signinlogs' }),
    'azure//signinlogs',
  );
  assert.equal(source({ apiVersion: 'audit.k8s.io/v1', verb: 'get' }), 'kubernetes/application/audit');
  assert.equal(source({ type: 'EXECVE', msg: 'audit(1.2:3)' }), 'linux//auditd');
});

test('hostile keys are only text', () => {
  assert.equal(source(JSON.parse('{"__proto__":{"Channel":"Security"},"event":null,"winlog":[1],"Event":"x"}')), '//');
  assert.equal(source({ Channel: 'constructor', EventID: 'toString' }), '//');
});

test('nested data lie beside what is there, whose own names win', () => {
  const Data = [
    { '@Name': 'Image', '#text': 'a.exe' },
    { '#attributes': { Name: 'User' }, '#text': 'bob' },
  ];
  const hoisted = hoistWindowsEvent({ Event: { System: { Computer: 'pc' }, EventData: { Data } }, User: 'eve' });
  assert.equal(hoisted.Image, 'a.exe');
  assert.equal(hoisted.User, 'eve');
  assert.equal(hoisted.Computer, 'pc');
  const plain = { message: 'x' };
  assert.equal(hoistWindowsEvent(plain), plain);
});
