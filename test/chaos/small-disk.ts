// A file system of its own that can be filled up: in memory, where mounting is permitted.

import { execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const SIZE = '192m';
const PIECES = [1 << 20, 4096, 1];

export class SmallDisk {
  /** Null where mounting is not permitted: nothing can be filled up then. */
  private readonly folder: string | null;

  /** `folder` must be there, and empty. */
  constructor(folder: string) {
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE}`, 'tmpfs', folder], { stdio: 'ignore' });
      this.folder = folder;
      process.once('exit', () => this.remove());
    } catch {
      this.folder = null;
      process.stderr.write('SKIPPED: no file system can be mounted here, so no disk is ever full in these schedules\n');
    }
  }

  /** Not a byte more fits in. */
  fill(): void {
    if (this.folder === null) return;
    const file = openSync(this.ballast, 'a');
    for (const size of PIECES) {
      const piece = Buffer.alloc(size);
      try {
        while (writeSync(file, piece) === size);
      } catch {} // it is full for this size
    }
    closeSync(file);
  }

  free(): void {
    if (this.folder !== null) rmSync(this.ballast, { force: true });
  }

  remove(): void {
    if (this.folder === null) return;
    try {
      execFileSync('umount', ['-l', this.folder], { stdio: 'ignore' });
    } catch {} // it was removed before
  }

  private get ballast(): string {
    return join(this.folder ?? '', 'ballast');
  }
}
