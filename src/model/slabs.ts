// Reusable shared memory for raw records: read once into a slab, seen by the workers without a copy.
// The pool is the back-pressure of the whole pipeline (guarantee 4): when every slab is out, sources wait.

export interface Slab {
  readonly bytes: Uint8Array;
  /** The same memory with Buffer's fast searches. */
  readonly buffer: Buffer;
  /** One more holder: several batches may be cut from one slab. */
  retain(): void;
  /** One holder less; the slab is free when the last one lets go. */
  release(): void;
}

class PooledSlab implements Slab {
  readonly bytes: Uint8Array;
  readonly buffer: Buffer;
  holders = 0;
  private readonly free: (slab: PooledSlab) => void;

  constructor(size: number, free: (slab: PooledSlab) => void) {
    const memory = new SharedArrayBuffer(size);
    this.bytes = new Uint8Array(memory);
    this.buffer = Buffer.from(memory);
    this.free = free;
  }

  retain(): void {
    this.holders++;
  }

  release(): void {
    if (this.holders <= 0) throw new Error('slab released more often than retained');
    this.holders--;
    if (this.holders === 0) this.free(this);
  }
}

export class SlabPool {
  /** Bytes of one slab. */
  readonly size: number;
  /** How many slabs the budget allows; they are made when first needed. */
  readonly count: number;
  private made = 0;
  private readonly idle: PooledSlab[] = [];
  private readonly waiting: ((slab: PooledSlab) => void)[] = [];

  /** `budgetBytes` is rounded down to whole slabs, but never below two: one being read, one being worked on. */
  constructor(size: number, budgetBytes: number) {
    this.size = size;
    this.count = Math.max(2, Math.floor(budgetBytes / size));
  }

  /** Slabs that someone holds. */
  get used(): number {
    return this.made - this.idle.length;
  }

  /** Sources that wait for a slab. */
  get waiters(): number {
    return this.waiting.length;
  }

  /** A slab with one holder: the caller. Waits, first come first served, while none is free. */
  acquire(): Promise<Slab> {
    const slab = this.idle.pop() ?? this.make();
    if (slab === null) return new Promise((resolve) => this.waiting.push(resolve));
    slab.holders = 1;
    return Promise.resolve(slab);
  }

  private make(): PooledSlab | null {
    if (this.made === this.count) return null;
    this.made++;
    return new PooledSlab(this.size, (slab) => this.give(slab));
  }

  private give(slab: PooledSlab): void {
    const next = this.waiting.shift();
    if (next === undefined) {
      this.idle.push(slab);
      return;
    }
    slab.holders = 1;
    next(slab);
  }
}
