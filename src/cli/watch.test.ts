// Promise: a broken change of the configuration is refused while a run goes on, and what was in force stays; one that only
// cannot be stored comes into force later.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { ControlDocuments } from '../control/index.ts';
import type { StartedRun } from '../main.ts';
import type { Log } from '../telemetry/log.ts';
import { type PreparedRun, prepareRun } from './prepare.ts';
import { watchControl } from './watch.ts';

const FILES = {
  'weir.yaml': `rules: { packs: false, directories: [rules] }
tenants_file: tenants.yaml
sources: [{ name: a, input: a.log, tenant: acme, follow: true }]
`,
  'tenants.yaml': `tenants:
  - slug: acme
    policies_files: [policies.yaml]
`,
  'policies.yaml': 'policies: [{ id: p, action: Block, conditions: [{ field: application, op: eq, value: ssh }] }]\n',
  'rules/one.yml': `title: One
id: 5b1c2b42-3a0e-4c0b-9d39-0a3f0f4f4a11
status: test
logsource: { category: firewall }
detection: { selection: { dst_port: 22 }, condition: selection }
level: low
`,
};

describe('a changed configuration', { concurrency: 1 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-watch-'));
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  const logged: { level: string; problems: string[]; message: string }[] = [];
  const inForce: ControlDocuments[] = [];
  let change = (): void => {};
  let said = (): void => {};
  let prepared: PreparedRun;
  let full = false;

  /** What the reload after a change said, and how many reloads came into force so far. */
  const reloaded = async (): Promise<{ level: string; problems: string; reloads: number }> => {
    const next = new Promise<void>((resolve) => {
      said = resolve;
    });
    change();
    await next;
    const { level, problems } = logged[logged.length - 1];
    return { level, problems: problems.join('\n'), reloads: inForce.length };
  };

  before(async () => {
    mkdirSync(join(folder, 'rules'));
    for (const [name, text] of Object.entries(FILES)) write(name, text);
    prepared = await prepareRun({ config: join(folder, 'weir.yaml') });
    const { repository } = prepared;
    const entry =
      (level: string) =>
      (fields: { problems?: string[] } | string, message = String(fields)): void => {
        logged.push({ level, problems: typeof fields === 'string' ? [] : (fields.problems ?? []), message });
        said();
      };
    const log = { info: entry('info'), warn: entry('warn'), error: entry('error') } as unknown as Log;
    const started = {
      reload: async (documents: ControlDocuments) => {
        if (full) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
        inForce.push(documents);
      },
    };
    const watched = {
      ...prepared,
      repository: {
        load: repository.load,
        watch: (onChange: () => void) => {
          change = onChange;
          return () => {};
        },
      },
    };
    watchControl(watched, started as unknown as StartedRun, log);
  });
  after(() => rmSync(folder, { recursive: true }));

  test('without an error it is put in force', async () => {
    write('policies.yaml', 'policies: []\n');
    assert.deepEqual(await reloaded(), { level: 'info', problems: '', reloads: 1 });
    assert.deepEqual(inForce[0].policies, []);
    assert.deepEqual(
      inForce[0].tenants.map(({ slug }) => slug),
      ['acme'],
    );
    write('policies.yaml', FILES['policies.yaml']);
  });

  const BROKEN: readonly [string, keyof typeof FILES, string | null, RegExp][] = [
    ['a syntax error', 'weir.yaml', 'tenants: [', /yaml\.syntax/],
    ['an unknown key', 'weir.yaml', `${FILES['weir.yaml']}tennants: []\n`, /config\.unknown_key/],
    ['a deleted configuration', 'weir.yaml', null, /config\.unreadable/],
    ['an emptied configuration', 'weir.yaml', '', /config\.emptied/],
    ['a configuration of comments only', 'weir.yaml', '# soon\n', /config\.emptied/],
    ['an emptied file of tenants', 'tenants.yaml', '', /tenants\.yaml.*config\.emptied/],
    ['a deleted file of tenants', 'tenants.yaml', null, /config\.unreadable/],
    ['an unknown key in a file of policies', 'policies.yaml', 'policy: []\n', /config\.unknown_key/],
    ['an emptied file of policies', 'policies.yaml', '', /config\.emptied/],
    [
      'conditions that cannot be understood',
      'policies.yaml',
      'policies: [{ id: p, conditions: [{ field: application, op: starts, value: x }] }]\n',
      /Policy 'p'/,
    ],
    ['a rule that cannot be read', 'rules/one.yml', 'title: [', /one\.yml/],
  ];
  for (const [what, file, text, expected] of BROKEN)
    test(`${what} is refused, and its repair is seen`, async () => {
      const before = inForce.length;
      if (text === null) rmSync(join(folder, file));
      else write(file, text);
      const refused = await reloaded();
      assert.equal(refused.level, 'error');
      assert.match(refused.problems, expected);
      assert.equal(refused.reloads, before);
      write(file, FILES[file]);
      assert.deepEqual(await reloaded(), { level: 'info', problems: '', reloads: before + 1 });
      assert.deepEqual(
        inForce[before].policies.map(({ id }) => id),
        ['p'],
      );
    });

  test('that cannot be stored yet is put in force as soon as it can, without another change', async () => {
    const before = inForce.length;
    full = true;
    assert.deepEqual(await reloaded(), { level: 'error', problems: '', reloads: before });
    const later = new Promise<void>((resolve) => {
      said = resolve;
    });
    full = false;
    const awake = setInterval(() => {}, 1000); // the retry's timer keeps no process alive
    await later;
    clearInterval(awake);
    assert.equal(logged[logged.length - 1].level, 'info');
    assert.equal(inForce.length, before + 1);
  });
});
