// Native records as newline-delimited JSON.

import type { DecodeContext, SegmentDecoder } from './context.ts';
import { readLines } from './lines.ts';
import { acceptRecord } from './native-general.ts';
import { JsonRecord } from './native-json-record.ts';

/** The general path alone: every record through the tape and the field rules. The fast decoder is compared to it. */
export function createGeneralJsonDecoder(context: DecodeContext): SegmentDecoder {
  const record = new JsonRecord(context);
  return (batch, segmentIndex, out) => {
    record.batch = batch;
    record.out = out;
    record.segmentIndex = segmentIndex;
    readLines(context, batch, segmentIndex, out, (start, end) => {
      if (record.read(start, end)) acceptRecord(record);
    });
  };
}

export const createNativeJsonDecoder = createGeneralJsonDecoder;
