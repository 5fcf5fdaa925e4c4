// Syslog lines, RFC 5424 and RFC 3164, with or without priority. In: lines. Out: log events of product linux.

import { LOG_SEVERITIES } from '../../src/model/records.ts';
import { carriesCef, parseCef } from './cef.ts';
import type { DecodeContext, SegmentDecoder } from './context.ts';
import { readSyslogHeader } from './syslog-header.ts';
import { shapeOf } from './syslog-messages.ts';
import { type LineSource, type ParsedLine, textDecoder } from './text-lines.ts';

const FACILITIES =
  'kern user mail daemon auth syslog lpr news uucp cron authpriv ftp ntp audit alert clock local0 local1 local2 local3 local4 local5 local6 local7'.split(
    ' ',
  );

export function createSyslogDecoder(context: DecodeContext): SegmentDecoder {
  return textDecoder(context, parseSyslog);
}

export function parseSyslog(line: string, source: LineSource): ParsedLine {
  const header = readSyslogHeader(line, source);
  if ('code' in header) return header;
  if (carriesCef(header)) return parseCef(line.slice(line.indexOf('CEF:')), source, header);
  const { ms, ns, host, program, message, priority } = header;
  const shape = shapeOf(program, message);
  const fields: Record<string, string | number> = { program, message };
  if (header.processId) fields.pid = header.processId;
  if (header.messageId) fields.msgid = header.messageId;
  if (priority >= 0) fields.facility = FACILITIES[priority >> 3];
  for (const [key, value] of Object.entries(header.structured)) fields[key] = value;
  Object.assign(fields, shape.fields);
  if (host) fields.host = host;
  return {
    ms,
    ns,
    logsource: { product: 'linux', category: shape.category, service: shape.service },
    fields,
    host,
    user: shape.user,
    sourceIp: shape.sourceIp,
    destinationIp: shape.destinationIp,
    severity: priority >= 0 ? LOG_SEVERITIES[priority & 7] : '',
    message,
  };
}
