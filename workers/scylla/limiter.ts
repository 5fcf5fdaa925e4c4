// How many batch statements may be under way at once: additive increase while answers come as quickly as they can, a step back when
// they slow down, half when the server says that it is too much. So a slow node is not buried under what waits for it.

/** Answers this many times slower than the quickest mean a queue at the server. */
const SLOW = 4;
/** Differences below this are noise, ms. */
const SLACK_MS = 5;
const LEAST = 4;

export class Limiter {
  private readonly most: number;
  private allowed: number;
  private running = 0;
  private quickest = Infinity;
  private usual = 0;
  /** First come, first served: those before `served` have gone on. (Shifting a long array moves all of it, each time.) */
  private waiting: (() => void)[] = [];
  private served = 0;

  constructor(most: number) {
    this.most = most;
    this.allowed = Math.min(most, 16);
  }

  get limit(): number {
    return Math.floor(this.allowed);
  }

  /** Runs when there is room; `overloaded` tells whether its failure means that the server has too much to do. */
  async run<T>(work: () => Promise<T>, overloaded: (error: unknown) => boolean): Promise<T> {
    while (this.running >= this.limit) await new Promise<void>((resolve) => this.waiting.push(resolve));
    this.running++;
    const started = performance.now();
    try {
      const result = await work();
      this.observe(performance.now() - started);
      return result;
    } catch (error) {
      if (overloaded(error)) this.allowed = Math.max(LEAST, this.allowed / 2);
      throw error;
    } finally {
      this.running--;
      this.wake();
      if (this.running < this.limit) this.wake();
    }
  }

  private wake(): void {
    if (this.served === this.waiting.length) return;
    this.waiting[this.served++]();
    if (this.served < this.waiting.length) return;
    this.waiting = [];
    this.served = 0;
  }

  private observe(ms: number): void {
    this.quickest = Math.min(this.quickest * 1.001, ms); // forgets slowly: what was quick once may never come again
    this.usual = this.usual === 0 ? ms : this.usual * 0.9 + ms * 0.1;
    if (this.usual > this.quickest * SLOW + SLACK_MS) this.allowed = Math.max(LEAST, this.allowed * 0.98);
    else this.allowed = Math.min(this.most, this.allowed + 1 / this.allowed);
  }
}
