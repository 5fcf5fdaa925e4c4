// An input that is asked for its next item before anybody waits for it.

import type { Pulse } from '../model/pulse.ts';

export class Pull<T> {
  private readonly input: AsyncGenerator<T>;
  private readonly wake: Pulse;
  private asked = false;
  private ended = false;
  private failure: { readonly error: unknown } | null = null;
  private item: { readonly value: T } | null = null;

  /** `wake` fires when an item is there, and when there will be none. */
  constructor(input: AsyncGenerator<T>, wake: Pulse) {
    this.input = input;
    this.wake = wake;
  }

  get ready(): boolean {
    return this.item !== null;
  }

  /** Sees to it that the next item comes. False when there is none any more; throws what the input threw. */
  ask(): boolean {
    if (this.failure !== null) throw this.failure.error;
    if (this.asked || this.item !== null) return true;
    if (this.ended) return false;
    this.asked = true;
    this.next();
    return true;
  }

  take(): T | null {
    const { item } = this;
    this.item = null;
    return item === null ? null : item.value;
  }

  /** Ends the input. `discard` gets the item that was not taken. */
  async end(discard: (item: T) => void): Promise<void> {
    await this.input.return(undefined);
    const left = this.take();
    if (left !== null) discard(left);
  }

  private async next(): Promise<void> {
    try {
      const { done, value } = await this.input.next();
      if (done) this.ended = true;
      else this.item = { value };
    } catch (error) {
      this.failure = { error };
    }
    this.asked = false;
    this.wake.fire();
  }
}
