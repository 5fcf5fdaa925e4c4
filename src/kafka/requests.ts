// Packed messages as the producer takes them, a request at a time.

import { bufferOf } from '../model/bytes.ts';
import { messagesOf } from '../model/messages.ts';

/** Bytes sent in one request; brokers take record batches of 1 MiB by default. */
const REQUEST_BYTES = 512 * 1024;

export interface Sent {
  readonly key: Buffer | null;
  readonly value: Buffer;
  readonly headers: Record<string, string>;
}

export function* requestsOf(chunks: readonly Uint8Array[], mostBytes = REQUEST_BYTES): Generator<Sent[]> {
  let request: Sent[] = [];
  let bytes = 0;
  for (const chunk of chunks) {
    for (const { key, headers, value } of messagesOf(chunk)) {
      if (bytes + value.length > mostBytes && request.length > 0) {
        yield request;
        request = [];
        bytes = 0;
      }
      bytes += value.length + 300;
      request.push({
        key: key.length > 0 ? bufferOf(key) : null,
        value: bufferOf(value),
        headers: Object.fromEntries(headers),
      });
    }
  }
  if (request.length > 0) yield request;
}
