// In: raw records of a batch, cut but not read. Out: flow columns, log events, sessions, tunnel statistics and rejects.
//
// One decoder a format, each made once per control snapshot. Every record ends as exactly one of accepted, rejected or
// skipped; nothing here depends on other batches.

import { FORMATS, type FormatName, type RawBatch } from '../../src/model/batch.ts';
import type { ControlSnapshot } from '../../src/model/control.ts';
import type { Decoded } from '../../src/model/decoded.ts';
import type { Dictionary } from '../../src/model/dictionary.ts';
import { createCefDecoder } from './cef.ts';
import { createDecodeContext, type DecodeContext, type SegmentDecoder } from './context.ts';
import { createHttpdDecoder } from './httpd.ts';
import { createNativeJsonDecoder } from './native-json.ts';
import { createSyslogDecoder } from './syslog.ts';
import { createZeekJsonDecoder } from './zeek-json.ts';
import { createZeekTsvDecoder } from './zeek-tsv.ts';

type Maker = (context: DecodeContext) => SegmentDecoder;

const MAKERS: Partial<Record<FormatName, Maker>> = {
  'native-json': createNativeJsonDecoder,
  'zeek-tsv': createZeekTsvDecoder,
  'zeek-json': createZeekJsonDecoder,
  syslog: createSyslogDecoder,
  cef: createCefDecoder,
  httpd: createHttpdDecoder,
};

/** Decodes batches into `out` (which the caller resets). Never throws on input. */
export function createDecoder(
  snapshot: ControlSnapshot,
  dictionary: Dictionary,
): (batch: RawBatch, out: Decoded) => void {
  const context = createDecodeContext(snapshot, dictionary);
  const decoders = new Map<FormatName, SegmentDecoder>();
  for (const format of FORMATS) {
    const make = MAKERS[format];
    if (make !== undefined) decoders.set(format, make(context));
  }
  return (batch, out) => {
    const { segments } = batch;
    for (let i = 0; i < segments.length; i++) {
      const { fault, format, start, end, source } = segments[i];
      if (fault === null) {
        decoders.get(format)?.(batch, i, out);
        continue;
      }
      // What the source could not cut into records is one reject, with the head that was kept of it.
      out.read++;
      out.reject(fault.code, fault.detail, i, start, end - start, context.rejectTenantOf(source));
      out.rejects[out.rejects.length - 1].length = fault.length;
    }
  };
}
