// Compressed bytes that cannot be read, or must not be: input is hostile.

export class CodecError extends Error {
  override readonly name = 'CodecError';

  static tooLarge(limit: number): CodecError {
    return new CodecError(`it would become more than ${limit} bytes`);
  }
}
