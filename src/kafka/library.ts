// kafkajs, and the two things in it that are changed. Fetched record batches stay as the broker sent them: its own decoder would
// make an object a record on the main thread, and knows neither Snappy, LZ4 nor Zstandard; workers unpack batches instead. And a
// connection on which nothing waits has no timer: kafkajs looks each millisecond, on each connection, whether something does.
// library.test.ts fails when a new version of kafkajs does not let itself be changed like this.

import { createRequire } from 'node:module';
import type * as Library from 'kafkajs';

const require = createRequire(import.meta.url);

/** The part of kafkajs' response reader that is used. */
interface Decoder {
  readInt32(): number;
  readBytes(length: number): Buffer;
  buffer: Buffer;
  offset: number;
}

/** Reads the record set of a partition: one buffer with all its record batches, or none. */
async function keepRaw(decoder: Decoder): Promise<Buffer[]> {
  const size = decoder.readInt32();
  if (size <= 0) return [];
  return [decoder.readBytes(Math.min(size, decoder.buffer.length - decoder.offset))];
}

/** The part of kafkajs' queue of a connection that is used. */
export interface RequestQueue {
  readonly pending: readonly unknown[];
  /** ms since 1970; in the past when the broker asks for no pause. */
  readonly throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  checkPendingRequests(): void;
}

const LOOK_MS = 10;

/** Whatever is put into the queue when it may not be sent comes here again, and so does every answer. */
function lookWhenSomethingWaits(this: RequestQueue): void {
  if (this.pending.length === 0 || this.throttleCheckTimeoutId !== null) return;
  const pause = this.throttledUntil - Date.now();
  this.throttleCheckTimeoutId = setTimeout(
    () => {
      this.throttleCheckTimeoutId = null;
      this.checkPendingRequests();
    },
    pause > 0 ? pause : LOOK_MS,
  );
}

function load(): { kafkajs: typeof Library; Cluster: new (options: object) => Cluster } {
  const path = require.resolve('kafkajs/src/protocol/requests/fetch/v4/decodeMessages.js');
  if (require.cache[path] !== undefined) throw new Error('kafkajs was loaded before it could be changed');
  require(path);
  const module = require.cache[path] as NodeJS.Module | undefined;
  if (module === undefined) throw new Error('kafkajs has no decodeMessages any more');
  module.exports = keepRaw;
  const queue = require('kafkajs/src/network/requestQueue/index.js') as { prototype: object };
  Object.assign(queue.prototype, { scheduleCheckPendingRequests: lookWhenSomethingWaits });
  return {
    kafkajs: require('kafkajs') as typeof Library,
    Cluster: require('kafkajs/src/cluster') as new (options: object) => Cluster,
  };
}

const loaded = load();

export const { Kafka, AssignerProtocol, logLevel: LOG_LEVEL, CompressionTypes } = loaded.kafkajs;

/** The part of kafkajs' cluster that is used: connections, metadata and the fetch request itself. */
export interface Cluster {
  /** Of a connected one: requests that the brokers understand, by number. */
  readonly brokerPool: { readonly versions: Readonly<Record<number, { readonly maxVersion: number }>> };
  findGroupCoordinator(request: { groupId: string; coordinatorType?: number }): Promise<unknown>;
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  refreshMetadata(): Promise<void>;
  refreshMetadataIfNecessary(): Promise<void>;
  findTopicPartitionMetadata(topic: string): readonly { readonly partitionId: number; readonly leader: number }[];
  findBroker(node: { nodeId: string }): Promise<Broker>;
  removeBroker(address: { host: string; port: number }): void;
  fetchTopicsOffset(
    topics: readonly {
      readonly topic: string;
      readonly partitions: readonly { readonly partition: number }[];
      readonly fromTimestamp?: number;
      readonly fromBeginning?: boolean;
    }[],
  ): Promise<
    readonly { readonly topic: string; readonly partitions: readonly { partition: number; offset: string }[] }[]
  >;
}

export interface Broker {
  fetch(request: {
    readonly isolationLevel: number;
    readonly maxWaitTime: number;
    readonly minBytes: number;
    readonly maxBytes: number;
    readonly topics: readonly {
      readonly topic: string;
      readonly partitions: readonly {
        readonly partition: number;
        readonly fetchOffset: string;
        readonly maxBytes: number;
      }[];
    }[];
  }): Promise<{
    readonly responses: readonly {
      readonly topicName: string;
      readonly partitions: readonly {
        readonly partition: number;
        readonly highWatermark: string;
        readonly lastStableOffset: string;
        readonly abortedTransactions?: readonly { readonly producerId: string; readonly firstOffset: string }[];
        readonly messages: readonly Buffer[];
      }[];
    }[];
  }>;
}

/** A cluster of its own, with connections of its own. `options` as kafkajs' client takes them, and its logger. */
export function createCluster(options: Library.KafkaConfig): Cluster {
  const { createLogger } = require('kafkajs/src/loggers/index.js') as { createLogger: (o: object) => object };
  const createSocket = require('kafkajs/src/network/socketFactory.js') as () => object;
  return new loaded.Cluster({
    connectionTimeout: 1000,
    enforceRequestTimeout: true,
    metadataMaxAge: 60_000,
    allowAutoTopicCreation: false,
    isolationLevel: 1,
    socketFactory: createSocket(),
    ...options,
    logger: createLogger({ level: options.logLevel, logCreator: options.logCreator }),
  });
}
