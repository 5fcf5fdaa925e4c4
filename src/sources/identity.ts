// Which file is which, whatever it is called: by the source's name and a hash of its first decompressed bytes.

import { utf8 } from '../model/bytes.ts';
import { hashHex } from '../model/hash.ts';
import type { FileProgress } from './source.ts';

export const FINGERPRINT_BYTES = 4096;

export class FileRegistry {
  private readonly source: string;
  private readonly known = new Map<string, FileProgress>();
  /** `length:fingerprint` → identities, oldest generation first. */
  private readonly byFingerprint = new Map<string, string[]>();
  /** Fingerprint length → how many different fingerprints of it there are. */
  private readonly lengths = new Map<number, number>();
  /** Identities that this run has met. */
  private readonly met = new Set<string>();

  constructor(source: string) {
    this.source = source;
  }

  load(progress: ReadonlyMap<string, FileProgress>): void {
    for (const file of progress.values()) {
      if (!this.met.has(file.file)) this.put(file);
    }
  }

  files(): ReadonlyMap<string, FileProgress> {
    return this.known;
  }

  get(file: string): FileProgress | undefined {
    return this.known.get(file);
  }

  wasMet(file: string): boolean {
    return this.met.has(file);
  }

  /** The likeliest of the files that begin like this. */
  find(head: Uint8Array, path: string): FileProgress | null {
    return this.alike(head, path)[0] ?? null;
  }

  /** Files that begin like this: one at this path first, then the longest fingerprint, then the latest generation. */
  alike(head: Uint8Array, path: string): readonly FileProgress[] {
    const fitting = [...this.lengths.keys()]
      .filter((length) => length > 0 && length <= head.length)
      .sort((a, b) => b - a);
    const found: FileProgress[] = [];
    for (const length of fitting) {
      const files = this.byFingerprint.get(`${length}:${hashHex(head.subarray(0, length))}`) ?? [];
      for (const file of files.toReversed()) found.push(this.known.get(file)!);
    }
    const wide = new Map<number, string>();
    const fits = found.filter((file) => beginsWidelyAs(file, head, wide));
    return [...fits.filter((file) => file.path === path), ...fits.filter((file) => file.path !== path)];
  }

  /** A new file, or one begun anew: a generation later than all that begin alike. */
  create(head: Uint8Array, path: string, referenceMs: number): FileProgress {
    const length = Math.min(head.length, FINGERPRINT_BYTES);
    const fingerprint = hashHex(head.subarray(0, length));
    const alike = this.byFingerprint.get(`${length}:${fingerprint}`) ?? [];
    const generation = alike.reduce((last, file) => Math.max(last, this.known.get(file)!.generation + 1), 0);
    const name = utf8(`${this.source}\0${generation}\0`);
    const file = hashHex(Buffer.concat([name, head.subarray(0, length)]));
    const made = {
      file,
      path,
      fingerprint,
      fingerprintLength: length,
      generation,
      position: 0,
      done: false,
      inputBytes: 0,
      referenceMs,
      ...wideOf(head),
    };
    this.put(made);
    this.met.add(file);
    return made;
  }

  /** Meets a known file: its name may be new, and more of its beginning may be there to tell it by. */
  meet(file: FileProgress, head: Uint8Array, path: string, referenceMs: number): FileProgress {
    const length = Math.min(head.length, FINGERPRINT_BYTES);
    const longer = length > file.fingerprintLength;
    const met = {
      ...file,
      path,
      referenceMs,
      ...(head.length > (file.wideLength ?? 0) ? wideOf(head) : {}),
      ...(longer ? { fingerprint: hashHex(head.subarray(0, length)), fingerprintLength: length } : {}),
    };
    this.put(met);
    this.met.add(file.file);
    return met;
  }

  update(file: string, change: Partial<FileProgress>): void {
    const known = this.known.get(file);
    if (known !== undefined) this.put({ ...known, ...change });
  }

  private put(file: FileProgress): void {
    const old = this.known.get(file.file);
    this.known.set(file.file, file);
    const key = keyOf(file);
    if (old !== undefined && keyOf(old) === key) return;
    if (old !== undefined) this.drop(old);
    const alike = this.byFingerprint.get(key) ?? [];
    if (alike.length === 0)
      this.lengths.set(file.fingerprintLength, (this.lengths.get(file.fingerprintLength) ?? 0) + 1);
    alike.push(file.file);
    alike.sort((a, b) => this.known.get(a)!.generation - this.known.get(b)!.generation);
    this.byFingerprint.set(key, alike);
  }

  private drop(file: FileProgress): void {
    const rest = (this.byFingerprint.get(keyOf(file)) ?? []).filter((other) => other !== file.file);
    if (rest.length > 0) {
      this.byFingerprint.set(keyOf(file), rest);
      return;
    }
    this.byFingerprint.delete(keyOf(file));
    const left = (this.lengths.get(file.fingerprintLength) ?? 1) - 1;
    if (left > 0) this.lengths.set(file.fingerprintLength, left);
    else this.lengths.delete(file.fingerprintLength);
  }
}

/** Whether `head` begins as the file did. */
export function beginsAs(file: FileProgress, head: Uint8Array): boolean {
  const length = file.fingerprintLength;
  const begins = head.length >= length && hashHex(head.subarray(0, length)) === file.fingerprint;
  return begins && beginsWidelyAs(file, head, new Map());
}

function wideOf(head: Uint8Array): Pick<FileProgress, 'wide' | 'wideLength'> {
  if (head.length <= FINGERPRINT_BYTES) return {};
  return { wide: hashHex(head), wideLength: head.length };
}

/** Whether what is there of `head` beyond the fingerprint says nothing against the file. `hashes` by length, of `head`. */
function beginsWidelyAs(
  { wide, wideLength = 0 }: FileProgress,
  head: Uint8Array,
  hashes: Map<number, string>,
): boolean {
  if (wide === undefined || head.length < wideLength) return true;
  const hash = hashes.get(wideLength) ?? hashHex(head.subarray(0, wideLength));
  hashes.set(wideLength, hash);
  return hash === wide;
}

const keyOf = (file: FileProgress): string => `${file.fingerprintLength}:${file.fingerprint}`;
