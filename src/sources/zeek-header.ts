// The `#` lines in force at a point of a Zeek TSV file: what a decoder needs to read on from there.

import { utf8 } from '../model/bytes.ts';

const HASH = 0x23;
const NEWLINE = 10;
/** Any other `#` line is a comment and says nothing about the records behind it. */
const DIRECTIVES = new Set([
  'separator',
  'set_separator',
  'empty_field',
  'unset_field',
  'path',
  'open',
  'fields',
  'types',
  'close',
]);

export class ZeekHeader {
  /** Directive → its last line, in the order of the last lines: reading them gives the state that the whole file gave. */
  private readonly lines = new Map<string, string>();
  private cached: Uint8Array | null = null;

  context(): Uint8Array | null {
    if (this.lines.size === 0) return null;
    this.cached ??= utf8([...this.lines.values()].join(''));
    return this.cached;
  }

  /** Takes the header lines among the whole lines buffer[at, to). Searches for '#', which records rarely hold. */
  observe(buffer: Buffer, at: number, to: number): void {
    const lines = buffer.subarray(at, to);
    let hash = lines.indexOf(HASH);
    while (hash >= 0) {
      let from = hash + 1;
      if (hash === 0 || lines[hash - 1] === NEWLINE) {
        const newline = lines.indexOf(NEWLINE, hash);
        from = newline < 0 ? lines.length : newline + 1;
        this.take(lines.toString('utf8', hash, from));
      }
      hash = lines.indexOf(HASH, from);
    }
  }

  private take(line: string): void {
    const name = /^#([a-z_]+)/.exec(line)?.[1] ?? '';
    if (!DIRECTIVES.has(name)) return;
    const whole = line.endsWith('\n') ? line : `${line}\n`;
    this.lines.delete(name);
    this.lines.set(name, whole);
    this.cached = null;
  }
}
