// In: raw records of a batch, cut but not read. Out: flow columns, log events, sessions, tunnel statistics and rejects.
//
// One decoder a format, each made once per control snapshot. Every record ends as exactly one of accepted, rejected or
// skipped; nothing here depends on other batches.

import type { FormatName, RawBatch } from '../../src/model/batch.ts';
import type { ControlSnapshot } from '../../src/model/control.ts';
import type { Decoded } from '../../src/model/decoded.ts';
import type { Dictionary } from '../../src/model/dictionary.ts';
import { createAkvoradoJsonDecoder } from './akvorado-json.ts';
import { createCefDecoder } from './cef.ts';
import { createDecodeContext, type SegmentDecoder } from './context.ts';
import { createGoflow2JsonDecoder } from './goflow2-json.ts';
import { createGoflow2ProtobufDecoder } from './goflow2-protobuf.ts';
import { createHttpdDecoder } from './httpd.ts';
import { KafkaUnpacker } from './kafka/unpack.ts';
import { createNativeJsonDecoder } from './native-json.ts';
import { createNativeMsgpackDecoder } from './native-msgpack.ts';
import { createSuricataEveDecoder } from './suricata-eve.ts';
import { createSyslogDecoder } from './syslog.ts';
import { createZeekJsonDecoder } from './zeek-json.ts';
import { createZeekTsvDecoder } from './zeek-tsv.ts';

/**
 * Decodes batches into `out` (which the caller resets). Never throws on input. Returns the batch that rows of `out` refer to:
 * what came from Kafka is unpacked first, into memory that the next batch uses again. `strangers` is given by tools that store
 * nothing: it gathers the names of tenants that the snapshot lacks, and a source's tenant is then only a default.
 */
export function createDecoder(
  snapshot: ControlSnapshot,
  dictionary: Dictionary,
  strangers: Set<string> | null = null,
): (batch: RawBatch, out: Decoded) => RawBatch {
  const context = createDecodeContext(snapshot, dictionary, strangers);
  const unpacker = new KafkaUnpacker(snapshot, context);
  const decoders: Readonly<Record<FormatName, SegmentDecoder>> = {
    'native-json': createNativeJsonDecoder(context),
    'native-msgpack': createNativeMsgpackDecoder(context),
    'zeek-tsv': createZeekTsvDecoder(context),
    'zeek-json': createZeekJsonDecoder(context),
    'suricata-eve': createSuricataEveDecoder(context),
    'goflow2-json': createGoflow2JsonDecoder(context),
    'goflow2-protobuf': createGoflow2ProtobufDecoder(context),
    'akvorado-json': createAkvoradoJsonDecoder(context),
    syslog: createSyslogDecoder(context),
    cef: createCefDecoder(context),
    httpd: createHttpdDecoder(context),
  };
  return (packed, out) => {
    let batch = packed;
    if (packed.segments.some(({ kafka }) => kafka !== undefined)) {
      const unpacked = unpacker.unpack(packed);
      batch = unpacked.batch;
      out.read += unpacked.empty;
      out.skipped += unpacked.empty;
    }
    const { segments } = batch;
    context.begin();
    for (let i = 0; i < segments.length; i++) {
      const { fault, format, start, end, source } = segments[i];
      context.enter(segments[i]);
      if (fault === null) {
        decoders[format](batch, i, out);
        continue;
      }
      // What the source could not cut into records is one reject, with the head that was kept of it.
      out.read++;
      out.reject(fault.code, fault.detail, i, start, end - start, context.rejectTenantOf(source));
      out.rejects[out.rejects.length - 1].length = fault.length;
    }
    return batch;
  };
}
