// npm run services -- start|stop|status|kill9|wipe [kafka] [cassandra] [clickhouse] [postgres] [--json]

import { parseArgs } from 'node:util';
import { failureOf } from '../../src/cli/failure.ts';
import { UsageError } from '../../src/cli/verb.ts';
import { SERVERS } from './index.ts';
import { kill9, type Server, type Status, start, status, stop, wipe } from './server.ts';
import { SERVICE_NAMES, type ServiceName, type Settings, settingsOf } from './settings.ts';

const USAGE = `usage: npm run services -- VERB [kafka] [cassandra] [clickhouse] [postgres] [--json]

Real servers for tests on loopback, without containers; all four unless named.

  start   fetch what the cache lacks, start what is down, wait until it is ready
  stop    end them; their data stay
  status  what is up; exit status 1 unless all are
  kill9   SIGKILL, to see what survives it; wants names
  wipe    stop, and delete data and logs; the cache stays

Where: WEIR_SERVICES_HOME (data, logs), WEIR_SERVICES_CACHE (downloads), KAFKA_PORT, KAFKA_CTRL_PORT, CQL_PORT,
CASS_STORAGE_PORT, CH_PORT, PG_PORT, JAVA_HOME.
`;

interface Done {
  /** In words, after the name. */
  readonly said: string;
  readonly took: number;
}

type Action = (server: Server, settings: Settings) => Promise<string>;

const ACTIONS: Readonly<Record<string, Action>> = {
  start: async (server, settings) => ((await start(server, settings)).already ? 'was up already' : 'is up'),
  stop: async (server, { home }) => ((await stop(server, home)) ? 'stopped' : 'was not running'),
  status: async () => 'asked',
  kill9: async (server, { home }) => {
    await kill9(server.name, home);
    return 'killed';
  },
  wipe: async (server, { home }) => {
    await wipe(server, home);
    return 'wiped';
  },
};

async function main(argv: string[]): Promise<number> {
  const json = argv.includes('--json');
  try {
    const { verb, names, help } = parse(argv);
    if (help) {
      process.stdout.write(USAGE);
      return 0;
    }
    const settings = settingsOf(process.env);
    const outcomes = await Promise.allSettled(names.map((name) => timed(ACTIONS[verb], SERVERS[name], settings)));
    const states = names.map((name) => status(SERVERS[name], settings.home));
    const failures = outcomes.map((outcome) => (outcome.status === 'rejected' ? failureOf(outcome.reason) : undefined));
    if (json) {
      const services = states.map((state, at) => ({
        ...state,
        ...(failures[at] ? { error: { code: failures[at].code, message: failures[at].message } } : {}),
      }));
      process.stdout.write(`${JSON.stringify({ services })}\n`);
    }
    states.forEach((state, at) => {
      const outcome = outcomes[at];
      if (outcome.status === 'rejected') complain(`${state.name}: ${failures[at]!.message}`, failures[at]!.code);
      else if (!json) process.stdout.write(`${line(state, verb === 'status' ? undefined : outcome.value)}\n`);
    });
    const wrong = failures.some(Boolean) || (verb === 'status' && states.some((state) => !state.up));
    return wrong ? 1 : 0;
  } catch (error) {
    const { code, message, status: exit, stack } = failureOf(error);
    if (json) process.stdout.write(`${JSON.stringify({ error: { code, message } })}\n`);
    complain(stack === '' ? message : stack, code);
    return exit;
  }
}

function parse(argv: string[]): { verb: string; names: readonly ServiceName[]; help: boolean } {
  let positionals: string[];
  let help: boolean | undefined;
  try {
    const options = { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const;
    const parsed = parseArgs({ args: argv, allowPositionals: true, options });
    positionals = parsed.positionals;
    help = parsed.values.help;
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n${USAGE}`);
  }
  const [verb = '', ...given] = positionals;
  if (help) return { verb, names: [], help: true };
  if (!Object.hasOwn(ACTIONS, verb)) throw new UsageError(`There is no verb '${verb}'.\n${USAGE}`);
  const isName = (name: string): name is ServiceName => Object.hasOwn(SERVERS, name);
  const unknown = given.filter((name) => !isName(name));
  if (unknown.length > 0) throw new UsageError(`There is no service '${unknown[0]}'.\n${USAGE}`);
  if (verb === 'kill9' && given.length === 0) throw new UsageError('kill9 wants the names of those to be killed.');
  return { verb, names: given.length > 0 ? [...new Set(given.filter(isName))] : SERVICE_NAMES, help: false };
}

async function timed(action: Action, server: Server, settings: Settings): Promise<Done> {
  const began = Date.now();
  const said = await action(server, settings);
  return { said, took: Date.now() - began };
}

function line({ name, up, pid, port, memoryBytes = 0, directory }: Status, done?: Done): string {
  const what = done ? `${done.said} (${(done.took / 1000).toFixed(1)} s)` : up ? 'up' : 'down';
  const where = up ? `127.0.0.1:${port}, process ${pid}, ${Math.round(memoryBytes / 2 ** 20)} MB, ${directory}` : '';
  return `${name.padEnd(10)}  ${what}${where && `: ${where}`}`;
}

function complain(message: string, code: string): void {
  process.stderr.write(`services: ${message.trimEnd()} [${code}]\n`);
}

process.exitCode = await main(process.argv.slice(2));
