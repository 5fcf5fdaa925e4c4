// Something that others wait for, again and again.

export class Pulse {
  private resolve: () => void = () => {};
  private promise = this.renew();

  /** Resolves with the next `fire`. */
  wait(): Promise<void> {
    return this.promise;
  }

  /** As `wait`, but fires itself when nobody does for `ms`. */
  async within(ms: number): Promise<void> {
    const next = this.promise;
    const timer = setTimeout(() => this.fire(), ms);
    await next;
    clearTimeout(timer);
  }

  fire(): void {
    const { resolve } = this;
    this.promise = this.renew();
    resolve();
  }

  private renew(): Promise<void> {
    return new Promise((resolve) => {
      this.resolve = resolve;
    });
  }
}
