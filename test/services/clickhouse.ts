// The ClickHouse engine behind its own HTTP handler, as the Python package chdb-core carries it: the real MergeTree and
// protocol, though not the server binary (no queue of asynchronous inserts, no Keeper; `default` is an overlay database).

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from './cache.ts';
import { ServiceError } from './failure.ts';
import type { Server } from './server.ts';
import { runTool } from './tools.ts';

const VERSION = '26.9.0';

/** Of the wheels, by platform. */
const SHA256 = {
  'linux-x64': '707e2ec3fe0f7953bac97942eaeb7a1ed1d66b1e56ecef3f0aa2130f61f6e735',
  'linux-arm64': '46148d3fc1edd6d6f701922be0f18e2aa6e60349e418b430e69bbb87ab6b95a9',
  'darwin-arm64': 'bc2d2baedc038ba04be59d97d9ded4f87a3fbe05c3820f93d90e508b1e541ad0',
  'darwin-x64': '0d24d78969f7ab41d5303c148b7cf64880fa017507bbed9c9b8799b29c26723f',
};

export const clickhouse: Server = {
  name: 'clickhouse',
  ports: ['clickhouse'],
  patience: 60,
  stopSignal: 'SIGTERM', // left to its default: it ends at once, and what it has acknowledged is on disk

  install: async (cache) => {
    const platform = `${process.platform}-${process.arch}`;
    if (!Object.hasOwn(SHA256, platform))
      throw new ServiceError('services_platform_unfit', `The ClickHouse engine is not published for ${platform}.`);
    const purpose = 'Python runs the ClickHouse engine, and its pip fetches it';
    await runTool('python3', ['-m', 'pip', '--version'], { purpose, code: 'services_tool_missing' });
    const requirement = `chdb-core==${VERSION} --hash=sha256:${SHA256[platform as keyof typeof SHA256]}\n`;
    return cached(cache, 'clickhouse', requirement, async (directory) => {
      const file = join(directory, 'requirements.txt');
      await writeFile(file, requirement);
      const options = ['--no-deps', '--only-binary', ':all:', '--require-hashes', '--no-compile'];
      await runTool(
        'python3',
        ['-m', 'pip', 'install', '-q', ...options, '--target', join(directory, 'site'), '-r', file],
        {
          purpose,
        },
      );
    });
  },

  prepare: async ({ software, directory, ports }) => {
    const data = join(directory, 'data');
    await mkdir(data, { recursive: true });
    const script = join(directory, 'server.py');
    await writeFile(join(directory, 'config.xml'), configurationOf(join(directory, 'users.xml'), ports.clickhouse));
    await writeFile(join(directory, 'users.xml'), USERS);
    await writeFile(script, SCRIPT);
    return { command: 'python3', args: [script, join(software, 'site'), directory, data] };
  },

  isReady: async ({ clickhouse: port }) => {
    try {
      const answer = await fetch(`http://127.0.0.1:${port}/ping`, { signal: AbortSignal.timeout(2000) });
      return (await answer.text()).startsWith('Ok.');
    } catch {
      return false; // it does not listen yet
    }
  },
};

const configurationOf = (users: string, port: number) => `<clickhouse>
  <http_port>${port}</http_port>
  <listen_host>127.0.0.1</listen_host>
  <users_config>${users.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</users_config>
  <max_server_memory_usage>2000000000</max_server_memory_usage>
  <mark_cache_size>67108864</mark_cache_size>
  <query_log>
    <database>system</database><table>query_log</table><flush_interval_milliseconds>1000</flush_interval_milliseconds>
  </query_log>
</clickhouse>
`;

const USERS = `<clickhouse>
  <profiles><default/></profiles>
  <users>
    <default>
      <password></password><networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile><quota>default</quota><access_management>1</access_management>
    </default>
  </users>
  <quotas><default/></quotas>
</clickhouse>
`;

const SCRIPT = `import os, signal, sys, types
site, home, data = sys.argv[1:4]
os.chdir(home)  # the engine reads ./config.xml
package = types.ModuleType("chdb")  # in place of the package's own start, which wants more packages
package.__path__ = [site + "/chdb"]
sys.modules["chdb"] = package
from chdb import _chdb
_chdb.set_signal_handlers_enabled(0)
for ending in (signal.SIGTERM, signal.SIGINT):
    signal.signal(ending, signal.SIG_DFL)
result = _chdb.query(
    "SYSTEM START LISTEN HTTP;"
    " SELECT sleepEachRow(3) AS keepalive FROM system.numbers SETTINGS max_block_size = 1, max_threads = 1,"
    " function_sleep_max_microseconds_per_block = 0, max_execution_time = 0 FORMAT Null",
    "CSV", path=data)
print("ended:", result.error_message() if result.has_error() else "ok", flush=True)
`;
