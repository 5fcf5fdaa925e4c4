import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { PACKAGE_ROOT } from '../../src/root.ts';
import { decodeAll, snapshotOf, source } from './fixture.test-support.ts';

const DATA = join(PACKAGE_ROOT, '..', 'shared', 'data', 'logs');

test('an RFC 5424 line keeps header, structured data and nanoseconds', () => {
  const line = '<165>1 2025-10-11T22:14:15.003123456Z web1 app 42 ID47 [x@1 a="b\\"c" d="e"][y f="g"] hello world\n';
  const [log] = decodeAll('syslog', line).logs;
  assert.equal(log.ms, Date.UTC(2025, 9, 11, 22, 14, 15, 3));
  assert.equal(log.ns, 123456);
  assert.equal(log.host, 'web1');
  assert.equal(log.severity, 'notice');
  assert.equal(log.message, 'hello world');
  assert.deepEqual(
    [log.fields['x@1.a'], log.fields['x@1.d'], log.fields['y.f'], log.fields.facility, log.fields.program],
    ['b"c', 'e', 'g', 'local4', 'app'],
  );
});

test('an RFC 3164 line without a year takes the latest year that is not in the future of its reference', () => {
  const line = 'Dec 10 06:55:46 LabSZ sshd[24200]: Invalid user webmaster from 173.234.31.186\n';
  const reference = Date.UTC(2026, 10, 1);
  assert.equal(decodeAll('syslog', line, undefined, reference).logs[0].ms, Date.UTC(2025, 11, 10, 6, 55, 46));
  const configured = snapshotOf({ sources: [source({ year: 2017, timezone: 'Asia/Singapore' })] });
  assert.equal(decodeAll('syslog', line, configured, reference).logs[0].ms, Date.UTC(2017, 11, 9, 22, 55, 46));
  const leap = 'Feb 29 00:00:00 h p: m\n';
  assert.equal(decodeAll('syslog', leap, undefined, reference).logs[0].ms, Date.UTC(2024, 1, 29));
});

test('sshd, sudo and kernel firewall messages become fields', () => {
  const text = [
    'Dec 10 06:55:48 h sshd[1]: Failed password for invalid user webmaster from 173.234.31.186 port 38926 ssh2',
    'Dec 10 06:55:49 h sshd[1]: message repeated 5 times: [ Failed password for root from 5.36.59.76 port 42393 ssh2]',
    'Dec 10 06:55:50 h sshd[1]: Accepted password for fztu from 119.137.62.142 port 49116 ssh2',
    'Jun 14 15:16:01 h sshd(pam_unix)[2]: authentication failure; logname= uid=0 euid=0 tty=NODEVssh ruser= rhost=218.188.2.4  user=root',
    'Jun 14 15:16:01 h sudo:   deploy : TTY=pts/0 ; PWD=/home/deploy ; USER=root ; COMMAND=/bin/cat /etc/shadow',
    'Jun 14 15:16:01 h kernel: [12.3] DROP IN=eth0 OUT= SRC=203.0.113.9 DST=10.0.0.1 LEN=60 PROTO=TCP SPT=4444 DPT=22 SYN',
    '',
  ].join('\n');
  const [failed, repeated, accepted, pam, sudo, packet] = decodeAll('syslog', text).logs;
  assert.deepEqual(
    [failed.fields.event, failed.sourceIp, failed.user, failed.fields.source_port],
    ['failed_password', '173.234.31.186', 'webmaster', 38926],
  );
  assert.equal(failed.fields.invalid_user, 'true');
  assert.deepEqual(
    [repeated.fields.event, repeated.fields.repeated, repeated.sourceIp],
    ['failed_password', 5, '5.36.59.76'],
  );
  assert.deepEqual([accepted.fields.event, accepted.user], ['accepted', 'fztu']);
  assert.deepEqual([pam.fields.event, pam.sourceIp, pam.user], ['authentication_failure', '218.188.2.4', 'root']);
  assert.deepEqual(
    [sudo.logsource.service, sudo.user, sudo.fields.command],
    ['sudo', 'deploy', '/bin/cat /etc/shadow'],
  );
  assert.deepEqual(
    [
      packet.logsource.category,
      packet.sourceIp,
      packet.destinationIp,
      packet.fields.destination_port,
      packet.fields.prefix,
    ],
    ['firewall', '203.0.113.9', '10.0.0.1', 22, 'DROP'],
  );
});

test('CEF, bare and behind a syslog header, keeps keys and unescapes values', () => {
  const body =
    'CEF:0|Acme|Wall\\|Gate|1.0|100|worm stopped|10|src=10.0.0.1 dst=2.1.2.2 spt=1232 msg=a\\=b c rt=1712345678901';
  for (const line of [body, `<134>Feb 14 19:04:54 gw ${body}`]) {
    const [log] = decodeAll('cef', `${line}\n`).logs;
    assert.equal(log.ms, 1712345678901);
    assert.deepEqual(
      [log.sourceIp, log.destinationIp, log.message, log.severity],
      ['10.0.0.1', '2.1.2.2', 'a=b c', 'critical'],
    );
    assert.deepEqual(log.logsource, { product: 'acme', category: '', service: 'wall|gate' });
  }
});

test('httpd access and error records', () => {
  const text = [
    '203.0.113.7 - frank [10/Oct/2020:13:55:36 -0700] "GET /a.php?x=1%20 HTTP/1.1" 404 2326 "http://e/" "Mozilla \\"x\\""',
    '[Sun Dec 04 05:15:09 2005] [error] [client 222.166.160.184] Directory index forbidden by rule: /var/www/html/',
    '[Fri Sep 09 10:42:29.902022 2011] [core:error] [pid 35708:tid 4328636416] [client 72.15.99.187:5000] File does not exist',
    '',
  ].join('\n');
  const [access, error, modern] = decodeAll('httpd', text).logs;
  assert.equal(access.ms, Date.UTC(2020, 9, 10, 20, 55, 36));
  assert.deepEqual(
    [access.sourceIp, access.user, access.fields['sc-status'], access.fields['cs-uri-query']],
    ['203.0.113.7', 'frank', 404, 'x=1%20'],
  );
  assert.equal(access.fields['cs-user-agent'], 'Mozilla "x"');
  assert.deepEqual(
    [error.ms, error.sourceIp, error.severity],
    [Date.UTC(2005, 11, 4, 5, 15, 9), '222.166.160.184', 'error'],
  );
  assert.deepEqual([modern.sourceIp, modern.fields.module, modern.ns], ['72.15.99.187', 'core', 22000]);
});

test('dates and times that do not exist are rejects', () => {
  const syslog = 'Feb 30 06:55:46 h p: m\nDec 10 24:00:00 h p: m\n<34>Dec 10 06:61:00 h p: m\n';
  assert.deepEqual(
    decodeAll('syslog', syslog).rejects.map((r) => r.code),
    Array(3).fill('bad_timestamp'),
  );
  const httpd =
    '1.2.3.4 - - [31/Feb/2020:13:55:36 -0700] "GET / HTTP/1.1" 200 1\n[Sun Dec 04 25:15:09 2005] [error] x\n';
  assert.deepEqual(
    decodeAll('httpd', httpd).rejects.map((r) => r.code),
    Array(2).fill('bad_timestamp'),
  );
});

test('lines of other shapes are rejects, each with a code', () => {
  const out = decodeAll('syslog', 'hello\n\nDec 40 06:55:46 h p: m\n<999>Dec 10 06:55:46 h p: m\n');
  assert.deepEqual(
    out.rejects.map((r) => r.code),
    ['format_mismatch', 'bad_timestamp', 'out_of_range'],
  );
  assert.deepEqual([out.read, out.skipped, out.accepted], [4, 1, 0]);
});

for (const [file, format] of [
  ['OpenSSH_2k.log', 'syslog'],
  ['Linux_2k.log', 'syslog'],
  ['Apache_2k.log', 'httpd'],
] as const) {
  test(`every line of ${file} is one log event`, (t) => {
    const path = join(DATA, file);
    if (!existsSync(path)) return t.skip(`${path} is absent`);
    const text = readFileSync(path);
    const out = decodeAll(format, text);
    assert.deepEqual(
      out.rejects.map((r) => r.detail),
      [],
    );
    const lines = text
      .toString('latin1')
      .split('\n')
      .filter((line) => line.trim() !== '').length;
    assert.equal(out.logs.length, lines);
  });
}

test('no line, however odd, throws or is lost', () => {
  const piece = fc.constantFrom(
    '<34>',
    '1 ',
    'Dec 10 06:55:46 ',
    '2025-10-11T22:14:15Z ',
    'sshd[1]: ',
    'CEF:0|a|b|c|d|e|5|',
    'src=1.1.1.1 ',
    '[x a="b"] ',
    '- ',
    '"',
    '\\',
    '__proto__=1 ',
    '\u0000',
    'é',
    '\n',
  );
  const property = fc.property(
    fc.array(fc.oneof(piece, fc.string()), { maxLength: 30 }),
    fc.constantFrom('syslog', 'cef', 'httpd'),
    (parts, format) => {
      const out = decodeAll(format as 'syslog', parts.join(''));
      assert.equal(out.read, out.accepted + out.rejects.length + out.skipped);
    },
  );
  fc.assert(property, { numRuns: 500 });
});
