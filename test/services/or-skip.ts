// The one place that lets a test skip for want of servers: loudly, and never where they are required.

import type { TestContext } from 'node:test';
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
