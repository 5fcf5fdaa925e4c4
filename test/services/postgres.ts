// PostgreSQL, a throw-away cluster: the machine's own package, or Debian's, unpacked and not installed.

import { chmod, chown, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { cached, exists } from './cache.ts';
import { ServiceError } from './failure.ts';
import { identify } from './process.ts';
import type { Server } from './server.ts';
import { runTool } from './tools.ts';

interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

export const postgres: Server = {
  name: 'postgres',
  ports: ['postgres'],
  patience: 60,
  stopSignal: 'SIGINT', // ends sessions; SIGTERM would wait for them

  install: async (cache) => (await installed()) ?? debian(cache),

  prepare: async ({ software, directory, ports }) => {
    const data = join(directory, 'data');
    await mkdir(data, { recursive: true, mode: 0o700 });
    const user = await ordinaryUser();
    if (user) {
      await chmod(directory, 0o711);
      await chown(data, user.uid, user.gid);
      await requirePassable(directory, user.name);
    }
    await clearAfterKill(join(data, 'postmaster.pid'));
    const { bin, env } = await programs(software, directory);
    const launch = { cwd: data, env: { ...env, LC_ALL: 'C.UTF-8' }, user: user && { uid: user.uid, gid: user.gid } };
    if (!(await exists(join(data, 'PG_VERSION')))) {
      const purpose = 'It makes the database cluster';
      const options = ['-U', 'postgres', '-A', 'trust', '--no-sync', '-E', 'UTF8', '--locale=C.UTF-8'];
      await runTool(join(bin, 'initdb'), ['-D', data, ...options], { ...launch, purpose, code: 'services_ended' });
    }
    const settings = {
      listen_addresses: '127.0.0.1',
      port: ports.postgres,
      unix_socket_directories: '', // the path of a socket may be too long
      shared_buffers: '64MB',
      fsync: 'off', // a killed process loses nothing by it, only a killed machine would
      jit: 'off',
    };
    const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    return { ...launch, command: join(bin, 'postgres'), args: ['-D', data, ...options] };
  },

  isReady: async (_ports, log) => log().includes('database system is ready to accept connections'),
};

/** Where psql and the others are, for tests that have no client of their own. */
export async function programsOf(
  cache: string,
  directory: string,
): Promise<{ bin: string; env: Record<string, string> }> {
  return programs(await postgres.install(cache), directory);
}

/** The directory of the machine's newest PostgreSQL. */
async function installed(): Promise<string | undefined> {
  const root = '/usr/lib/postgresql';
  const versions = (await readdir(root).catch(() => [])).filter((name) => /^\d+$/.test(name));
  const byVersion = versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(root, version, 'bin'));
  for (const bin of [...byVersion, ...(process.env.PATH ?? '').split(delimiter)])
    if (bin && (await exists(join(bin, 'initdb'))) && (await exists(join(bin, 'postgres')))) return bin;
  return undefined;
}

/** Debian's packages in lists and archives of our own: needs neither root nor a place in the system. */
async function debian(cache: string): Promise<string> {
  const purpose = 'It fetches PostgreSQL, which is not installed here';
  await runTool('dpkg-deb', ['--version'], { purpose });
  return cached(cache, 'postgres', 'postgresql of Debian', async (directory) => {
    for (const folder of ['lists/partial', 'archives/partial'])
      await mkdir(join(directory, folder), { recursive: true });
    const options = [
      `Dir::State::Lists=${join(directory, 'lists')}`,
      `Dir::Cache=${directory}`,
      `Dir::Cache::Archives=${join(directory, 'archives')}`,
      'Debug::NoLocking=1',
      'APT::Sandbox::User=root', // its own user could not write here
    ].flatMap((option) => ['-o', option]);
    const fetched = ['install', '-q', '-y', '--download-only', '--no-install-recommends', 'postgresql'];
    await runTool('apt-get', [...options, '-q', 'update'], { purpose });
    await runTool('apt-get', [...options, ...fetched], { purpose });
  });
}

/** The cache may lie where the ordinary user cannot go, so packages are unpacked into the server's own directory. */
async function programs(software: string, directory: string): Promise<{ bin: string; env: Record<string, string> }> {
  const archives = join(software, 'archives');
  if (!(await exists(archives))) return { bin: software, env: {} };
  const root = join(directory, 'software');
  const packages = (await readdir(archives)).filter((name) => name.endsWith('.deb') && !name.startsWith('libllvm'));
  if (!(await exists(root))) {
    const partial = `${root}.partial`;
    for (const name of packages)
      await runTool('dpkg-deb', ['-x', join(archives, name), partial], { purpose: 'It unpacks PostgreSQL' });
    await rename(partial, root);
  }
  const [version] = await readdir(join(root, 'usr/lib/postgresql'));
  const libraries = [join(root, 'usr/lib'), join(root, 'lib')];
  for (const library of [...libraries])
    for (const name of await readdir(library).catch(() => []))
      if (/-linux-/.test(name)) libraries.push(join(library, name));
  return { bin: join(root, 'usr/lib/postgresql', version, 'bin'), env: { LD_LIBRARY_PATH: libraries.join(':') } };
}

/** PostgreSQL refuses to run as root: then it runs as its package's user, or as nobody. */
async function ordinaryUser(): Promise<User | undefined> {
  if (userInfo().uid !== 0) return undefined;
  const known = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const found = ['postgres', 'nobody'].map((name) => known.find((fields) => fields[0] === name)).find(Boolean);
  if (!found)
    throw new ServiceError('services_platform_unfit', 'PostgreSQL does not run as root, and there is no user nobody.');
  return { name: found[0], uid: Number(found[2]), gid: Number(found[3]) };
}

/** A killed server whose parent has not yet heard of it still counts as running for PostgreSQL, which then refuses. */
async function clearAfterKill(file: string): Promise<void> {
  const [pid] = (await readFile(file, 'utf8').catch(() => '')).split('\n');
  if (pid && !identify(Number(pid))) await rm(file, { force: true });
}

async function requirePassable(directory: string, user: string): Promise<void> {
  for (let at = directory; ; at = dirname(at)) {
    if (((await stat(at)).mode & 0o001) === 0)
      throw new ServiceError(
        'services_home_unfit',
        `PostgreSQL does not run as root, and ${user} may not pass through ${at}: set WEIR_SERVICES_HOME to another place.`,
      );
    if (at === dirname(at)) return;
  }
}
