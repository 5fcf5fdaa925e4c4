import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Isolation, MOST_REFUSED, type RefusedPiece, SinkError } from '../sink.ts';
import { bisect } from './bisect.ts';

const poison = (): SinkError => new SinkError('poison', 'VIOLATED_CONSTRAINT', 'no');

/** What a journal does. */
class Noted implements Isolation {
  readonly known: RefusedPiece[] = [];
  readonly note = async (piece: RefusedPiece): Promise<void> => void this.known.push(piece);
}

class Died extends Error {}

test('every row is stored once, but for refused ones, whatever dies in between and whatever the store says then', async () => {
  const scenario = fc.record({
    bad: fc.array(fc.boolean(), { minLength: 1, maxLength: 100 }),
    dies: fc.array(fc.nat(40), { maxLength: 3 }),
    changes: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(scenario, async ({ bad, dies, changes }) => {
      const noted = new Noted();
      const tokens = new Map<string, readonly [number, number]>();
      let accepting = false;
      for (const after of [...dies, Number.POSITIVE_INFINITY]) {
        let left = after;
        const insert = async (from: number, to: number): Promise<void> => {
          if (!accepting && bad.slice(from, to).includes(true)) throw poison();
          if (left-- <= 0) throw new Died();
          tokens.set(`${from}-${to}`, [from, to]);
          if (left === 0) throw new Died(); // stored, and not acknowledged
        };
        await bisect(bad.length, noted, insert).catch((error: unknown) => {
          if (!(error instanceof Died)) throw error;
          if (changes) accepting = true;
        });
      }
      const seen = bad.map(() => 0);
      for (const [from, to] of tokens.values()) for (let row = from; row < to; row++) seen[row]++;
      for (const { from, to } of noted.known) if (to - from === 1) seen[from]++;
      assert.ok(seen.every((times) => times === 1));
      if (!changes) for (const [from, to] of tokens.values()) assert.ok(!bad.slice(from, to).includes(true));
    }),
    { numRuns: 500 },
  );
});

test('what is no row’s fault is told at once, and so are too many refused rows', async () => {
  const full = new SinkError('retryable', 'ENOSPC', 'full');
  await assert.rejects(
    bisect(10, new Noted(), () => Promise.reject(full)),
    full,
  );
  await assert.rejects(
    bisect(MOST_REFUSED * 3, new Noted(), () => Promise.reject(poison())),
    { kind: 'fatal', code: 'store_refused' },
  );
});
