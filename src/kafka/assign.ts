// Which member of the group has which lanes: partition n of all topics together, and a lane stays where it is if it can.

export interface Member {
  readonly id: string;
  /** Lanes that it says it has, and as of which generation of the group. */
  readonly owned: readonly number[];
  readonly generation: number;
}

/** Lanes by member: every lane once, numbers that differ by one at most, and as few moves as that allows. */
export function assignLanes(members: readonly Member[], lanes: number): Map<string, number[]> {
  // Of two that claim a lane, the later generation is right; ids decide the rest, so that every leader decides alike.
  const sorted = [...members].sort(
    (a, b) => generationOf(b) - generationOf(a) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0),
  );
  const kept = new Map<string, number[]>(sorted.map(({ id }) => [id, []]));
  const taken = new Set<number>();
  for (const { id, owned } of sorted) {
    for (const lane of [...owned].sort((a, b) => a - b)) {
      if (!Number.isInteger(lane) || lane < 0 || lane >= lanes || taken.has(lane)) continue;
      taken.add(lane);
      kept.get(id)?.push(lane);
    }
  }
  // Whoever has most keeps the larger share: that moves least.
  const order = [...kept].sort((a, b) => b[1].length - a[1].length || (a[0] < b[0] ? -1 : 1));
  const least = Math.floor(lanes / Math.max(1, order.length));
  let larger = lanes - least * order.length;
  const free = Array.from({ length: lanes }, (_, lane) => lane).filter((lane) => !taken.has(lane));
  const wants: { own: number[]; share: number }[] = order.map(([, own]) => {
    const share = larger > 0 ? least + 1 : least;
    larger--;
    if (own.length > share) free.push(...own.splice(share));
    return { own, share };
  });
  free.sort((a, b) => a - b);
  for (const { own, share } of wants) {
    while (own.length < share) own.push(free.shift()!);
    own.sort((a, b) => a - b);
  }
  return kept;
}

/** What members say of themselves may be anything. */
function generationOf({ generation }: Member): number {
  return Number.isSafeInteger(generation) ? generation : 0;
}
