// Concurrency that keeps order: work is started as early as the depth allows, results come out as the input came in.

/** Starts `start` for up to `depth` items at once and yields item and result in input order. */
export async function* inOrder<T, R>(
  input: AsyncIterable<T>,
  start: (item: T) => Promise<R>,
  depth: number,
): AsyncGenerator<{ item: T; result: R }> {
  const iterator = input[Symbol.asyncIterator]();
  const running: { item: T; result: Promise<R> }[] = [];
  let pulled: Promise<IteratorResult<T>> | null = null;
  let ended = false;
  try {
    while (!ended || running.length > 0) {
      if (!ended && pulled === null && running.length < depth) pulled = iterator.next();
      if (pulled !== null) {
        const head = running[0];
        const ready = head
          ? await Promise.race([pulled.then(() => 'input' as const), head.result.then(() => 'result' as const)])
          : 'input';
        if (ready === 'input') {
          const next = await pulled;
          pulled = null;
          if (next.done) ended = true;
          else {
            const result = start(next.value);
            result.catch(() => {}); // reported where it is awaited, in order
            running.push({ item: next.value, result });
          }
          continue;
        }
      }
      const head = running.shift();
      if (head) yield { item: head.item, result: await head.result };
    }
  } finally {
    await Promise.allSettled(running.map((r) => r.result));
    if (!ended) await iterator.return?.();
  }
}

/** Items of several inputs as they come; ends when all have ended. `discard` gets what was taken from them and not handed on. */
export async function* merged<T>(
  inputs: readonly AsyncIterable<T>[],
  discard: (item: T) => void = () => {},
): AsyncGenerator<T> {
  const iterators = inputs.map((input) => input[Symbol.asyncIterator]());
  const next = new Map(iterators.map((iterator, i) => [i, iterator.next().then((result) => ({ i, result }))]));
  try {
    while (next.size > 0) {
      const { i, result } = await Promise.race(next.values());
      if (result.done) {
        next.delete(i);
        continue;
      }
      next.set(
        i,
        iterators[i].next().then((following) => ({ i, result: following })),
      );
      yield result.value;
    }
  } finally {
    await Promise.all(iterators.map((iterator) => iterator.return?.()));
    for (const left of await Promise.allSettled(next.values()))
      if (left.status === 'fulfilled' && !left.value.result.done) discard(left.value.result.value);
  }
}
