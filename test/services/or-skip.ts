// The one place that lets a test skip for want of servers: loudly, and never where they are required.

import { type TestContext, test } from 'node:test';
import { isLacking } from './failure.ts';

/** What `work` gives, or `null` with the test skipped, because a tool that fetches or runs a server is not installed. */
export async function orSkip<T>(t: TestContext, work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (!isLacking(error) || process.env.WEIR_SERVICES_REQUIRED) throw error;
    const reason = `${error.message} [${error.code}]`;
    process.stderr.write(`\nNOT TESTED AGAINST REAL SERVERS: ${reason}\n\n`);
    t.skip(reason);
    return null;
  }
}

/**
 * `test` for a suite whose `before` opens what its tests share, through `orSkip`: without it each of them is skipped. Where servers
 * are required, `before` has failed instead.
 */
export function testWith<T>(
  shared: () => T | null,
  what: string,
): (name: string, body: (shared: T, t: TestContext) => Promise<void>) => void {
  return (name, body) => {
    test(name, async (t) => {
      const opened = shared();
      if (opened === null) return t.skip(`no ${what}`);
      await body(opened, t);
    });
  };
}
