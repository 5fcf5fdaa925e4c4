// weir policy test: which policy decides a flow, and why the others do not.

import { readFile } from 'node:fs/promises';
import type { PolicyExplanation } from '../../workers/policy/index.ts';
import { wrongText } from '../config/scalar.ts';
import type { ControlSnapshot } from '../model/control.ts';
import { snapshotOfOne } from './one-source.ts';
import { type RefusedRecord, recordLines, type TestedFlow, testPolicies } from './policy-test.ts';
import { loadForVerb } from './prepare.ts';
import { printable } from './table.ts';
import { CONFIG_OPTION, type Io, UsageError, type Values, type Verb } from './verb.ts';

export const policy: Verb = {
  name: 'policy',
  usage: 'test --flow FILE [--config weir.yaml] [--tenant SLUG] [--pop NAME] [--json]',
  summary: 'Shows which policy decides a flow, and why: decoded, enriched and decided as in a run.',
  options: {
    flow: {
      type: 'string',
      argument: 'FILE',
      help: 'native flow records: a JSON object, an array, or one a line; - for standard input',
    },
    config: CONFIG_OPTION,
    tenant: {
      type: 'string',
      argument: 'SLUG',
      help: 'tenant of records that name none (default: the only one there is)',
    },
    pop: { type: 'string', argument: 'NAME', help: 'PoP of records that name none (default test)' },
    json: { type: 'boolean', help: 'one JSON document on standard output' },
  },
  examples: ['weir policy test --flow flow.json --tenant acme', 'weir policy test --flow - --json < flows.ndjson'],
  async run(values, [action, ...rest], io) {
    if (action !== 'test' || rest.length > 0) throw new UsageError("say 'weir policy test --flow FILE'");
    const wrongPop = wrongText('pop', String(values.pop ?? ''));
    if (wrongPop !== '') throw new UsageError(`--pop: ${wrongPop}`);
    if (typeof values.flow !== 'string') throw new UsageError('policy test needs --flow FILE');
    const text = await readInput(values.flow, io);
    const results = testPolicies(await snapshotFor(values), recordLines(text), Date.now());
    if (results.length === 0) throw new UsageError(`there is no record in '${values.flow}'`);
    if (values.json) io.stdout.write(`${JSON.stringify({ records: results })}\n`);
    else for (const result of results) io.stdout.write(result.kind === 'flow' ? flowText(result) : refusedText(result));
    return results.some(({ kind }) => kind === 'refused') ? 1 : 0;
  },
};

async function readInput(path: string, io: Io): Promise<string> {
  if (path === '-') {
    const chunks: Buffer[] = [];
    for await (const chunk of io.stdin) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks).toString('utf8');
  }
  return readFile(path, 'utf8').catch((error: Error) => {
    throw new UsageError(`--flow: ${error.message}`);
  });
}

async function snapshotFor({ config, tenant, pop }: Values): Promise<ControlSnapshot> {
  return snapshotOfOne(await loadForVerb({ config }), {
    source: { name: 'policy-test', input: '-', format: 'native-json', pop: typeof pop === 'string' ? pop : 'test' },
    tenant: typeof tenant === 'string' ? tenant : undefined,
    nobody: '',
    rules: [],
  });
}

function refusedText({ record, code, detail }: RefusedRecord): string {
  return `record ${record}: refused: ${printable(detail)} [${code}]\n`;
}

function flowText({ record, tenant, flow, policy, action, policies }: TestedFlow): string {
  const ends = `${flow.source_ip}:${flow.source_port} → ${flow.destination_ip}:${flow.destination_port}`;
  const about = ['direction', 'application', 'category', 'host', 'user_id', 'device_id', 'site_id', 'threat']
    .filter((key) => flow[key] !== '')
    .map((key) => `${key}=${flow[key]}`);
  const decision = policy
    ? `${action}, by policy '${policy.name}' (${policy.id}, version ${policy.version})`
    : policies.length === 0
      ? 'the tenant has no enabled policy'
      : `no policy matches${action === '' ? '' : `; the producer's action '${action}' stays`}`;
  return printableLines([
    `record ${record}: ${tenant}: protocol ${flow.protocol}, ${ends}, ${about.join(' ')}`,
    `  ${decision}`,
    ...policies.flatMap(policyLines),
  ]);
}

function policyLines({ name, id, priority, action, matched, decides, leaves }: PolicyExplanation): string[] {
  const verdict = decides ? 'decides' : matched ? 'would match, but comes later' : 'does not match';
  return [
    `  ${priority} ${name}${name === id ? '' : ` (${id})`}: ${verdict}: ${action}`,
    ...leaves.map(({ held, field, op, value, actual }) => {
      const is = actual.length === 0 ? 'absent' : actual.join(', ');
      return `      ${held ? 'yes' : 'no '} ${field} ${op}${value === undefined ? '' : ` ${JSON.stringify(value)}`}: is ${is}`;
    }),
  ];
}

/** Records may hold escape sequences: nothing of them may command the terminal. */
function printableLines(lines: readonly string[]): string {
  return lines.map((line) => `${printable(line)}\n`).join('');
}
