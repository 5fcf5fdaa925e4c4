// A few lines of protobuf, written from its specification: what the decoder reads must be what these write.
export const varint = (value: bigint): number[] => {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
};
export const field = (number: number, value: bigint | readonly number[]): number[] =>
  typeof value === 'bigint'
    ? [...varint(BigInt(number * 8)), ...varint(value)]
    : [...varint(BigInt(number * 8 + 2)), ...varint(BigInt(value.length)), ...value];
export const frame = (message: readonly number[]): number[] => [...varint(BigInt(message.length)), ...message];
