// Sorting takes records out of their surroundings: each must carry what it needs of what came before it in its file.

import type { Segment } from '../model/batch.ts';
import { bufferOf } from '../model/bytes.ts';
import { MsgpackWalker } from '../model/msgpack-walk.ts';
import { ZeekHeader } from './zeek-header.ts';

/** The context at each point of a segment. */
export class ContextTracker {
  private readonly header: ZeekHeader | null;
  private readonly walker: MsgpackWalker | null;

  constructor({ format, context }: Segment) {
    this.header = format === 'zeek-tsv' ? new ZeekHeader() : null;
    this.walker = format === 'native-msgpack' ? new MsgpackWalker() : null;
    if (context === null) return;
    this.header?.observe(bufferOf(context), 0, context.length);
    this.walker?.restore(context);
  }

  context(): Uint8Array | null {
    return this.header?.context() ?? this.walker?.context() ?? null;
  }

  /** Moves over whole records. */
  observe(buffer: Buffer, start: number, end: number): void {
    this.header?.observe(buffer, start, end);
    if (this.walker === null) return;
    for (let at = start; at >= 0 && at < end; ) at = this.walker.walk(buffer, at, end);
  }
}
