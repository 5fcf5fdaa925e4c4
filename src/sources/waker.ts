// Waits for files to change: a timer that file system events cut short. Events are a courtesy; the timer is the promise.

import { type FSWatcher, watch } from 'node:fs';

/** More folders than this are left to the timer: watches are a limited resource of the machine. */
const MAX_WATCHED = 64;

export class Waker {
  private readonly watchers = new Map<string, FSWatcher>();
  private wake: () => void = () => {};
  private rung = false;

  /** Listens for changes in these folders from now on. */
  watch(folders: Iterable<string>): void {
    for (const folder of folders) {
      if (this.watchers.has(folder) || this.watchers.size >= MAX_WATCHED) continue;
      try {
        const watcher = watch(folder, { persistent: false }, () => this.ring());
        watcher.on('error', () => watcher.close());
        this.watchers.set(folder, watcher);
      } catch {
        // no watch there (limits, network file systems): the timer finds the change
      }
    }
  }

  ring(): void {
    this.rung = true;
    this.wake();
  }

  /** Until something changed, `ms` have passed or `signal` aborts. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.rung && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', done);
          resolve();
        };
        const timer = setTimeout(done, ms);
        this.wake = done;
        signal.addEventListener('abort', done, { once: true });
      });
    }
    this.wake = () => {};
    this.rung = false;
  }

  close(): void {
    for (const watcher of this.watchers.values()) watcher.close();
    this.watchers.clear();
  }
}
