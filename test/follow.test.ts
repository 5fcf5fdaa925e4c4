// Promise: a run that follows its input answers questions meanwhile, stops in good order, and takes changes of policies at an
// offset that it journals.

import assert from 'node:assert/strict';
import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { JournalEntry } from '../src/delivery/journal.ts';
import { answerOf, eventually, LiveWeir, rowsOf, runJson, Scratch, valuesOf } from './support/cli.ts';
import { flow } from './support/crooked.ts';
import { weir } from './support/run.ts';

const scratch = new Scratch('follow');
after(() => scratch.remove());

test('weir query sees rows while a run is alive; SIGINT stores the rest, commits, and ends with status 0', async () => {
  const input = scratch.write('live/flows.ndjson', `${flow({})}\n`);
  const data = scratch.path('live/data');
  const args = ['--input', input, '--tenant', 'acme', '--data', data];
  await using live = new LiveWeir(['run', ...args, '--follow', '--json', '--set', 'block.seconds=1']);
  const stored = async (): Promise<unknown> => {
    const { code, stdout } = await weir(['query', 'SELECT count() AS n FROM flows', '--data', data, '--json']);
    return code === 0 ? (JSON.parse(stdout) as { n: number }[])[0].n : null;
  };
  await eventually('the first flow can be asked for', async () => (await stored()) === 1);
  appendFileSync(input, `${flow({ source_port: 1 })}\n${flow({ source_port: 2 })}\n`);
  await eventually('so can what was appended', async () => (await stored()) === 3);
  assert.equal(live.process.exitCode, null, 'the run is alive all the while');

  appendFileSync(input, `${flow({ source_port: 3 })}\n`.repeat(10));
  const { code, summary, stderr } = answerOf(await live.stop('SIGINT'));
  assert.equal(code, 0, stderr);
  assert.deepEqual(summary.rejects, {});
  assert.equal(await stored(), summary.stored.flows, 'all that was read is stored');

  const rest = await runJson(args);
  assert.equal(rest.summary.stored.flows, 13 - summary.stored.flows, 'and no more than that counts as read');
  assert.equal(await stored(), 13);
});

/** One tenant whose only policy decides all flows in the given way. */
const configuration = (input: string, follow: boolean, action: string, version: number): string => `
sources: [{ name: edge, input: ${JSON.stringify(input)}, tenant: acme, pop: fra1, follow: ${follow} }]
tenants:
  - slug: acme
    policies: [{ id: everything, action: ${action}, version: ${version}, conditions: [] }]
snapshot: { blocks: 10000, seconds: 3600 }
`;

test('a changed policy is in force from a journaled offset on, also when the run dies and all is done again', async () => {
  const input = scratch.write('control/flows.ndjson', `${flow({ source_port: 1 })}\n`.repeat(3));
  const config = scratch.write('control/weir.yaml', configuration(input, true, 'Block', 1));
  const data = scratch.path('control/data');
  const decided = `SELECT source_port, action, policy_version, toUInt32(count()) AS flows FROM flows GROUP BY ALL ORDER BY ALL`;
  const before = { source_port: 1, action: 'Block', policy_version: 1, flows: 3 };
  const since = { source_port: 2, action: 'Isolate', policy_version: 2, flows: 3 };
  {
    await using live = new LiveWeir(['run', '--config', config, '--data', data]);
    const holds = async (rows: unknown): Promise<boolean> => {
      const { code, stdout } = await weir(['query', decided, '--data', data, '--json']);
      return code === 0 && JSON.stringify(JSON.parse(stdout)) === JSON.stringify(rows);
    };
    await eventually('the first policy decides', () => holds([before]));

    writeFileSync(config, configuration(input, true, 'Shout', 2));
    await eventually('a broken change is refused, and said', () => live.stderr.includes('refused'));
    writeFileSync(config, configuration(input, true, 'Isolate', 2));
    await eventually('the change is in force, and said', () => live.stderr.includes('in force from the next batch on'));
    appendFileSync(input, `${flow({ source_port: 2 })}\n`.repeat(3));
    await eventually('the second policy decides what comes then', () => holds([before, since]));
    await live.stop('SIGKILL');
  }

  const [lane] = readdirSync(join(data, 'lanes'));
  const entries = readFileSync(join(data, 'lanes', lane, 'journal.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as JournalEntry);
  const half = readFileSync(input).length / 2;
  const from = (entry: JournalEntry): number => Math.min(...entry.parts.flatMap((p) => p.ranges.map((r) => r.from)));
  const [first] = entries;
  for (const entry of entries) assert.equal(entry.control === first.control, from(entry) < half);
  assert.ok(entries.some((entry) => entry.control !== first.control));

  rmSync(join(data, 'store'), { recursive: true }); // nothing was committed yet: everything is done again from the journal
  writeFileSync(config, configuration(input, false, 'Allow', 3));
  const again = await runJson(['--config', config, '--data', data]);
  assert.equal(again.code, 0, again.stderr);
  assert.deepEqual(await rowsOf(data, decided), [before, since]);
  appendFileSync(input, `${flow({ source_port: 3 })}\n`);
  assert.equal((await runJson(['--config', config, '--data', data])).code, 0);
  assert.deepEqual(await valuesOf(data, 'SELECT action FROM flows WHERE source_port = 3'), ['Allow']);
});
