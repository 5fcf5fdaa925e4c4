// The cache of downloads: directories that are filled once and never changed.

import { createHash } from 'node:crypto';
import { access, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withLock } from './lock.ts';
import { runTool } from './tools.ts';

/**
 * A directory of the cache, filled once: `fill` works in a directory beside it, which takes the name when it is complete,
 * so an interrupted download leaves nothing that looks whole. `contents` names all that decides what is in it.
 */
export async function cached(
  cache: string,
  name: string,
  contents: string,
  fill: (directory: string) => Promise<void>,
): Promise<string> {
  const hash = createHash('sha256').update(contents).digest('hex').slice(0, 12);
  const directory = join(cache, `${name}-${hash}`);
  if (await exists(directory)) return directory;
  await mkdir(cache, { recursive: true });
  await withLock(`${directory}.lock`, async () => {
    if (await exists(directory)) return;
    const partial = `${directory}.partial`;
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial);
    await fill(partial);
    await rename(partial, directory);
  });
  return directory;
}

/** The run-time dependencies of a project file, as one directory of jars. */
export function cachedJars(cache: string, name: string, artifacts: readonly string[]): Promise<string> {
  const dependencies = artifacts.map((artifact) => {
    const [group, id, version] = artifact.split(':');
    return `<dependency><groupId>${group}</groupId><artifactId>${id}</artifactId><version>${version}</version></dependency>`;
  });
  const project = `<project><modelVersion>4.0.0</modelVersion><groupId>weir</groupId><artifactId>${name}</artifactId>
<version>1</version><packaging>pom</packaging><dependencies>${dependencies.join('\n')}</dependencies></project>\n`;
  return cached(cache, name, project, async (directory) => {
    const file = join(directory, 'pom.xml');
    await writeFile(file, project);
    const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';
    const options = ['-DincludeScope=runtime', `-DoutputDirectory=${join(directory, 'lib')}`];
    // One Maven at a time: its local repository has no lock. It checks what it fetches against the published sums (-C).
    await withLock(join(cache, 'maven.lock'), () =>
      runTool('mvn', ['-B', '-q', '-ntp', '-C', '-f', file, goal, ...options], { purpose: `Maven fetches ${name}` }),
    );
  });
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
