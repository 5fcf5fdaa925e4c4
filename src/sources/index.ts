// Sources: files, globs and standard input in; raw batches in shared slabs out (decompressed, cut at record ends).

export { createSource } from './create.ts';
export * from './source.ts';
