import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { PACKAGE_ROOT } from '../root.ts';
import { SNIFF_BYTES, sniff } from './sniff.ts';

const of = (text: string | Buffer): string | null => sniff(Buffer.from(text as string), 'input');

const DATA = join(PACKAGE_ROOT, '..', 'shared', 'data');

function filesBelow(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesBelow(path) : [path];
  });
}

describe('sniff', () => {
  it('knows every shared file', (t) => {
    if (!existsSync(DATA)) return t.skip(`${DATA} is absent`);
    for (const path of filesBelow(DATA)) {
      const raw = readFileSync(path);
      const content = path.endsWith('.gz') ? gunzipSync(raw) : raw;
      const found = sniff(content.subarray(0, SNIFF_BYTES), path);
      let expected: string | null | undefined;
      if (path.includes('exposed-host')) expected = 'zeek-tsv';
      else if (path.includes('wrccdc')) expected = 'zeek-json';
      else if (path.includes('suricata')) expected = 'suricata-eve';
      else if (path.includes('/logs/')) expected = path.includes('Apache') ? 'httpd' : 'syslog';
      else if (path.includes('sigma-rules') || basename(path) === 'README.md') expected = null;
      if (expected !== undefined) assert.equal(found, expected, path);
    }
  });

  it('tells the dialects of JSON by their keys', () => {
    assert.equal(of('{"tenant_id":"acme","timestamp":1}\n'), 'native-json');
    assert.equal(of('{"a":1}\n{"b":2}'), 'native-json');
    assert.equal(of('{"a":1\n{"_path":"conn","ts":1}\n'), 'zeek-json');
    assert.equal(of('{"ts":1.5,"uid":"C1","id.orig_h":"10.0.0.1"}\n'), 'zeek-json');
    assert.equal(of('{"timestamp":"x","event_type":"stats","stats":{}}\n'), 'suricata-eve');
    assert.equal(of('{"type":"SFLOW_5","time_received_ns":1,"sampler_address":"10.0.0.1"}\n'), 'goflow2-json');
    assert.equal(of('{"Type":"NETFLOW_V9","TimeReceived":1,"SequenceNum":2,"SamplerAddress":"::1"}\n'), 'goflow2-json');
    assert.equal(of('{"TimeReceived":1,"ExporterAddress":"::ffff:10.0.0.1"}\n'), 'akvorado-json');
    assert.equal(
      of(`{"_path":"dns","text":"${'x'.repeat(70_000)}"}`),
      'zeek-json',
      'a first line longer than the head',
    );
    assert.equal(of('{\n  "pretty": true\n}\n'), null, 'not one record a line');
  });

  it('tells text logs apart', () => {
    assert.equal(of('<34>1 2003-10-11T22:14:15.003Z host su - ID47 - message\n'), 'syslog');
    assert.equal(of("<34>Oct 11 22:14:15 mymachine su: 'su root' failed\n"), 'syslog');
    assert.equal(of('Jun  4 15:16:01 combo sshd[1]: x\n'), 'syslog');
    assert.equal(of('2024-05-01T10:00:00.123456+02:00 web1 sshd[812]: Failed password for root\n'), 'syslog');
    assert.equal(of('2024-05-01T10:00:00Z INFO started the service\n'), null);
    assert.equal(of('CEF:0|Security|threatmanager|1.0|100|worm stopped|10|src=10.0.0.1\n'), 'cef');
    assert.equal(of('Sep 19 08:26:10 host CEF:0|Security|tm|1.0|100|worm|10|src=10.0.0.1\n'), 'cef');
    assert.equal(of('<134>1 2024-01-01T00:00:00Z host - - - - CEF:0|a|b|1|2|c|3|\n'), 'cef');
    assert.equal(of('127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 23 "-" "x"\n'), 'httpd');
    assert.equal(of('[Wed Oct 11 14:32:52.123456 2000] [core:error] [pid 1] message\n'), 'httpd');
    assert.equal(of('#separator \\x09\n#fields\tts\tuid\n1\t2\n'), 'zeek-tsv');
  });

  it('tells binary records apart', () => {
    const plain = new Packr({ useRecords: false });
    const records = new Packr({ useRecords: true, sequential: true });
    const flow = { tenant_id: 'acme', bytes_sent: 12 };
    assert.equal(of(Buffer.concat([plain.pack(flow), plain.pack(flow)])), 'native-msgpack');
    assert.equal(
      of(Buffer.concat([Buffer.from(records.pack(flow)), Buffer.from(records.pack(flow))])),
      'native-msgpack',
    );
    const body = Buffer.from([0x08, 5, 0x32, 4, 10, 0, 0, 1, 0x3a, 4, 10, 0, 0, 2, 0x48, 0x96, 1]);
    const frame = Buffer.concat([Buffer.from([body.length]), body]);
    assert.equal(of(Buffer.concat([frame, frame, frame.subarray(0, 5)])), 'goflow2-protobuf');
  });

  it('passes over a few lines that cannot be read, wherever they stand', () => {
    const rubbish = Buffer.from([0, 0, 0xff, 0, 10]);
    const flow = Buffer.from('{"tenant_id":"a"}\n');
    const login = Buffer.from('Jun  4 15:16:01 combo sshd[1]: x\n');
    assert.equal(of(Buffer.concat([rubbish, rubbish, flow, flow])), 'native-json');
    assert.equal(of(Buffer.concat([rubbish, login, rubbish, login, login])), 'syslog');
    assert.equal(of(Buffer.concat([Buffer.alloc(4096), Buffer.from('\n'), flow])), 'native-json');
    assert.equal(of(Buffer.concat([rubbish, rubbish, rubbish, flow])), null, 'most of it is no text');
    assert.equal(of(Buffer.from('{"tenant_id":"a"}\n{"b":1}\n', 'utf16le')), null);
  });

  it('guesses nothing where there is nothing to guess', () => {
    assert.equal(of(''), null);
    assert.equal(of('\n\n  \n'), null);
    assert.equal(of('hello world\nthis is prose\n'), null);
    assert.equal(of('a,b,c\n1,2,3\n'), null);
    assert.equal(of(Buffer.alloc(5000)), null);
    assert.equal(of(Buffer.from('7f454c4602010100', 'hex')), null);
    // Random bytes that begin like a map, and like a frame with one plausible field.
    assert.equal(of(Buffer.from('83a13f5b89137b92f99d72e187e4248b6f77a41dc7011241', 'hex')), null);
    assert.equal(of(Buffer.from('050804088402f9d30a51fa3a07fd08fe00a2f109faf60705', 'hex')), null);
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 200, maxLength: 400 }), (bytes) => sniff(bytes, 'x') === null),
      { numRuns: 300 },
    );
  });
});
