// Which partition a key belongs to, as producers decide it: Java and kafkajs by murmur2, librdkafka by CRC-32, Sarama by FNV-1a.

export const PARTITIONERS = ['murmur2', 'crc32', 'fnv1a'] as const;
export type Partitioner = (typeof PARTITIONERS)[number];

/** Partition, from 0, of `partitions`. */
export function partitionOf(partitioner: Partitioner, key: Uint8Array, partitions: number): number {
  if (partitioner === 'murmur2') return (murmur2(key) & 0x7fffffff) % partitions;
  if (partitioner === 'crc32') return crc32(key) % partitions;
  return Math.abs((fnv1a(key) | 0) % partitions);
}

const SEED = 0x9747b28c;
const M = 0x5bd1e995;
const R = 24;

/** As org.apache.kafka.common.utils.Utils.murmur2. */
function murmur2(key: Uint8Array): number {
  let h = SEED ^ key.length;
  const whole = key.length & ~3;
  for (let i = 0; i < whole; i += 4) {
    let k = key[i] | (key[i + 1] << 8) | (key[i + 2] << 16) | (key[i + 3] << 24);
    k = Math.imul(k, M);
    k ^= k >>> R;
    k = Math.imul(k, M);
    h = Math.imul(h, M) ^ k;
  }
  const rest = key.length - whole;
  if (rest >= 3) h ^= key[whole + 2] << 16;
  if (rest >= 2) h ^= key[whole + 1] << 8;
  if (rest >= 1) {
    h ^= key[whole];
    h = Math.imul(h, M);
  }
  h ^= h >>> 13;
  h = Math.imul(h, M);
  return h ^ (h >>> 15);
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** As zlib's crc32, which Node has only since 20.15 and 22.2. */
function crc32(key: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of key) crc = CRC_TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

function fnv1a(key: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of key) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash;
}
