// Control snapshots and lists, shared by all instances: whoever takes a lane over must find what its journal refers to. A compacted
// topic of one partition; the key is a name with the content's hash in it, so what is there never changes.

import type { Producer } from 'kafkajs';
import type { KafkaReader } from './reader.ts';
import { recordsOf } from './records.ts';

const PIECE_BYTES = 512 * 1024;

export class KafkaBlobs {
  private readonly producer: Producer;
  private readonly reader: KafkaReader;
  private readonly topic: string;
  private readonly known = new Set<string>();

  /** `reader` must know the topic. */
  constructor(producer: Producer, reader: KafkaReader, topic: string) {
    this.producer = producer;
    this.reader = reader;
    this.topic = topic;
  }

  /** Writes it unless it is there. */
  async put(name: string, bytes: Uint8Array): Promise<void> {
    if (this.known.has(name) || (await this.get(name)) !== null) return;
    const pieces = Math.max(1, Math.ceil(bytes.length / PIECE_BYTES));
    for (let i = 0; i < pieces; i++) {
      await this.producer.send({
        topic: this.topic,
        acks: -1,
        messages: [
          {
            key: `${name}#${i}`,
            value: Buffer.from(bytes.subarray(i * PIECE_BYTES, (i + 1) * PIECE_BYTES)),
            headers: { pieces: String(pieces) },
            partition: 0,
          },
        ],
      });
    }
    this.known.add(name);
  }

  /** Null when it is not there, or not all of it. */
  async get(name: string): Promise<Buffer | null> {
    const { first, end } = await this.reader.offsets(this.topic, 0);
    const found = new Map<number, Buffer>();
    let pieces = 0;
    for await (const batch of this.reader.range(this.topic, 0, first, end)) {
      for (const { key, value, headers } of recordsOf(batch)) {
        const at = key.lastIndexOf('#');
        if (key.slice(0, at) !== name || value === null) continue;
        found.set(Number(key.slice(at + 1)), Buffer.from(value));
        pieces = Number(headers.pieces);
      }
    }
    if (pieces === 0 || found.size < pieces) return null;
    this.known.add(name);
    return Buffer.concat(Array.from({ length: pieces }, (_, i) => found.get(i) ?? Buffer.alloc(0)));
  }
}
