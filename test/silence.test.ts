// Promise: an alert whose events stop coming gets its last revision all the same, when its window has passed in silence.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { eventually, LiveWeir, Scratch, valuesOf } from './support/cli.ts';
import { flow } from './support/crooked.ts';
import { weir } from './support/run.ts';

const scratch = new Scratch('silence');
after(() => scratch.remove());

const RULE = `title: Any flow
id: 6d7f2a4e-94a2-4c3c-9f0e-2d5b1c7a8eb0
status: test
logsource: { category: network, service: connection }
detection:
  any: { destination_ip: 192.0.2.9 }
  condition: any
level: low
`;

test('silence ends a suppression window', async () => {
  scratch.write('rules/any.yml', RULE);
  const input = scratch.write('flows.ndjson', `${[1, 2, 3].map((i) => flow({ source_port: i })).join('\n')}\n`);
  const configured = (follow: boolean): string =>
    scratch.write(
      'weir.yaml',
      JSON.stringify({
        tenants: [{ slug: 'acme' }],
        sources: [{ name: 'flows', input, tenant: 'acme', follow, lateness: '1s' }],
        rules: { packs: false, directories: [scratch.path('rules')] },
        correlate: { suppression: '2s' },
        data: scratch.path('data'),
      }),
    );
  const data = scratch.path('data');
  await using live = new LiveWeir(['run', '--config', configured(true)]);
  const revisions = (): Promise<unknown[]> => valuesOf(data, 'SELECT revision FROM alerts ORDER BY revision');
  const become = async (count: number): Promise<boolean> => (await revisions().catch(() => [])).length === count;
  await eventually('the first revision', () => become(1));
  await eventually('the last one, with all events', () => become(2));
  assert.deepEqual(await revisions(), [1, 3]);
  await live.stop('SIGKILL');
  const { code, stderr } = await weir(['run', '--config', configured(false)]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(await revisions(), [1, 3], 'recovery ticks as the journal has it');
});
