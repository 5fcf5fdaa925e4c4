// The paths that a decoder of JSON reads.

/** The paths that a decoder reads; `slot(path)` is the index of a path in `JsonTape.slots`. */
export class PathPlan {
  readonly paths: readonly string[];
  private readonly slots: ReadonlyMap<string, number>;

  constructor(paths: readonly string[]) {
    this.paths = paths;
    this.slots = new Map(paths.map((path, slot) => [path, slot]));
  }

  slot(path: string): number {
    const slot = this.slots.get(path);
    if (slot === undefined) throw new Error(`path ${path} is not planned`);
    return slot;
  }

  /** Slot of a path that a record has, or -1. */
  find(path: string): number {
    return this.slots.get(path) ?? -1;
  }
}
