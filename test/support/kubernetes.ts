// Kubernetes' own types decide whether a manifest is one: each becomes a literal of its type, and the compiler refuses unknown
// keys, missing ones and wrong values.

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PACKAGE_ROOT } from '../../src/root.ts';

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** Where each version of Kubernetes' own API stands in the package of types. */
const MODULES: Readonly<Record<string, string>> = {
  v1: 'core/v1',
  'apps/v1': 'apps/v1',
  'batch/v1': 'batch/v1',
  'policy/v1': 'policy/v1',
  'autoscaling/v2': 'autoscaling/v2',
};

/** Of Kubernetes itself; the package does not have the types of extensions such as KEDA. */
export const isBuiltIn = ({ apiVersion }: Manifest): boolean => apiVersion in MODULES;

/** What is wrong with them, as the compiler says it; '' for nothing. */
export async function typeErrors(manifests: readonly Manifest[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-manifests-'));
  try {
    const lines = manifests.map((manifest, i) => {
      const from = JSON.stringify(join(PACKAGE_ROOT, 'node_modules', 'kubernetes-types', MODULES[manifest.apiVersion]));
      const type = `import(${from}).${manifest.kind}`;
      return `export const ${manifest.kind}${i}: ${type} = ${JSON.stringify(manifest, null, 1)};`;
    });
    const file = join(folder, 'manifests.ts');
    writeFileSync(file, `${lines.join('\n')}\n`);
    const compiler = join(PACKAGE_ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    const options = ['--noEmit', '--strict', '--module', 'preserve', '--moduleResolution', 'bundler', '--types', ''];
    return await promisify(execFile)(process.execPath, [compiler, ...options, file], { cwd: folder }).then(
      () => '',
      (error: { stdout?: string }) => error.stdout || String(error),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
