// weir rules: the detection engineer's tools, a file each.

import { benchRules } from './rules-bench.ts';
import { coverRules } from './rules-coverage.ts';
import { explainVerb } from './rules-explain.ts';
import { INPUT_OPTIONS } from './rules-input.ts';
import { lintVerb } from './rules-lint.ts';
import { listRules } from './rules-list.ts';
import { RULES_OPTIONS } from './rules-load.ts';
import { matchRules } from './rules-match.ts';
import { testRules } from './rules-test.ts';
import { CONFIG_OPTION, type Io, UsageError, type Values, type Verb } from './verb.ts';

type Action = (values: Values, io: Io, positionals: readonly string[]) => Promise<number>;

/** How many arguments an action takes after its name, and the options that only some have. */
const ACTIONS: Readonly<
  Record<string, { readonly run: Action; readonly takes: number; readonly own: readonly string[] }>
> = {
  list: { run: listRules, takes: 0, own: ['pipeline'] },
  match: { run: matchRules, takes: 0, own: ['pipeline', 'input', 'format', 'logsource', 'tenant', 'strict'] },
  lint: { run: lintVerb, takes: 0, own: ['pipeline', 'strict'] },
  explain: { run: explainVerb, takes: 2, own: ['pipeline', 'format', 'logsource', 'tenant'] },
  coverage: { run: coverRules, takes: 0, own: ['pipeline', 'layer'] },
  test: { run: testRules, takes: 0, own: ['junit'] },
  bench: { run: benchRules, takes: 0, own: ['pipeline', 'input', 'format', 'logsource', 'tenant', 'rounds'] },
};
/** The cases inside rule files speak of the rules as written: `test` takes no pipeline. */
const COMMON = ['config', 'json', ...Object.keys(RULES_OPTIONS).filter((key) => key !== 'pipeline')];

export const rules: Verb = {
  name: 'rules',
  usage: `${Object.keys(ACTIONS).join('|')} [--rules DIR] [--config weir.yaml] [--json]`,
  summary: 'Lists, checks and tests detection rules, runs them over records, and says why one matches or not.',
  options: {
    config: CONFIG_OPTION,
    ...RULES_OPTIONS,
    ...INPUT_OPTIONS,
    strict: {
      type: 'boolean',
      help: 'exit 1 for warnings too (lint), or where a rule or record could not be read (match)',
    },
    rounds: { type: 'string', argument: 'N', help: 'of bench (default 7); medians are shown' },
    json: { type: 'boolean', help: 'JSON on standard output' },
  },
  examples: [
    'weir rules list',
    'weir rules list --rules ./my-rules --json',
    'weir rules match --rules ./my-rules --input events.ndjson --json',
    'zcat auth.log.gz | weir rules match --rules ./my-rules --input - --logsource linux//sshd',
    'weir rules match --rules ./my-rules --pipeline fields.yml --input events.ndjson',
    'weir rules lint --rules ./my-rules --strict',
    'weir rules explain RULE \'{"source_ip": "10.0.0.1", …}\'',
    'weir rules explain RULE events.ndjson:17',
    'weir rules coverage --layer coverage.json',
    'weir rules test --rules ./my-rules --junit results.xml',
    'weir rules bench --rules ./my-rules --input events.ndjson',
  ],
  async run(values, [name = '', ...rest], io) {
    const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
    if (action === undefined || rest.length !== action.takes)
      throw new UsageError(`say 'weir rules ${Object.keys(ACTIONS).join("', 'weir rules ")}'`);
    const foreign = Object.keys(values).find((key) => !COMMON.includes(key) && !action.own.includes(key));
    if (foreign !== undefined) throw new UsageError(`'weir rules ${name}' has no --${foreign}`);
    return action.run(values, io, rest);
  },
};
