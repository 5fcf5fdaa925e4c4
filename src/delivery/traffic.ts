// When something last came into a process, by whatever lane: what waits apart is drained at full speed only while nothing does.

export class Traffic {
  /** ms since 1970. */
  lastMs = Date.now();

  came(): void {
    this.lastMs = Date.now();
  }
}
