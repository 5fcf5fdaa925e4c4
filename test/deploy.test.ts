// Promise: what deploy/ offers can be used as it is: its configurations load, the tools take its files, and what stands in two of
// them is the same in both.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { parse } from 'yaml';
import type { Config } from '../src/config/schema.ts';
import { PACKAGE_ROOT } from '../src/root.ts';
import { oneDocument, Scratch } from './support/cli.ts';
import { DEPLOY, documentsOf, toolOrSkip, yamlFiles } from './support/deployment.ts';
import { isBuiltIn, type Manifest, typeErrors } from './support/kubernetes.ts';
import { weir } from './support/run.ts';

const scratch = new Scratch('deploy');
after(() => scratch.remove());

const { version } = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8')) as { version: string };
const WEIR_IMAGE = `weir:${version}`;

async function assertChecked(path: string): Promise<void> {
  const { code, stdout, stderr } = await weir(['check', '--config', path, '--strict', '--json']);
  assert.equal(code, 0, stdout + stderr);
  assert.deepEqual((oneDocument(stdout) as { problems: unknown[] }).problems, []);
}

test('every YAML file parses', () => {
  const files = yamlFiles();
  assert.ok(files.length >= 10, String(files));
  for (const file of files) assert.ok(documentsOf(file).length > 0, file);
});

describe('compose', () => {
  interface Service {
    readonly image: string;
    readonly ports?: readonly string[];
    readonly volumes?: readonly string[];
    readonly restart?: string;
    readonly healthcheck?: unknown;
  }
  const compose = 'compose/docker-compose.yml';
  const [{ services, volumes }] = documentsOf<{
    services: Record<string, Service>;
    volumes: Record<string, null>;
  }>(compose);
  const example = readFileSync(join(DEPLOY, 'compose', '.env.example'), 'utf8');
  const variables = Object.fromEntries([...example.matchAll(/^(\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]));

  test('weir.yaml is without a flaw', () => assertChecked(join(DEPLOY, 'compose', 'weir.yaml')));

  test('images are pinned, ports are this machine’s only, what runs for good says how it is', () => {
    for (const [name, { image, ports = [], restart, healthcheck, volumes: mounts = [] }] of Object.entries(services)) {
      assert.match(image, /:\d+(\.\d+)+$/, name);
      for (const port of ports) assert.match(port, /^127\.0\.0\.1:/, name);
      assert.ok(restart === 'no' || (restart === 'unless-stopped' && healthcheck), name);
      for (const mount of mounts) {
        const [source] = mount.split(':');
        assert.ok(source.startsWith('./') || source in volumes, `${name}: ${mount}`);
      }
    }
    assert.equal(services['weir-1'].image, WEIR_IMAGE);
  });

  test('.env.example has every variable, and the file no password', () => {
    const text = readFileSync(join(DEPLOY, compose), 'utf8');
    const used = new Set([...text.matchAll(/(?<!\$)\$\{(\w+)/g)].map(([, name]) => name));
    assert.deepEqual(
      [...used].filter((name) => !(name in variables)),
      [],
    );
    for (const [, value] of text.matchAll(/PASSWORD: (.+)$/gm)) assert.match(value, /^\$\{WEIR_\w+:\?/);
  });

  test('docker-compose takes it', async (t) => {
    const output = await toolOrSkip(t, [['docker', 'compose'], ['docker-compose']], {
      probe: ['version'],
      args: ['-f', join(DEPLOY, compose), 'config'],
      env: variables,
    });
    if (output === null) return;
    const resolved = parse(output) as { services: Record<string, unknown> };
    assert.deepEqual(Object.keys(resolved.services).sort(), Object.keys(services).sort());
  });
});

describe('Kubernetes', () => {
  const files = yamlFiles('kubernetes').filter((file) => !file.endsWith('kustomization.yaml'));
  const manifests = files.flatMap((file) => documentsOf<Manifest>(file));
  const byKind = (kind: string): unknown[] => manifests.filter((manifest) => manifest.kind === kind);
  const [{ data }] = byKind('ConfigMap') as { data: Record<string, string> }[];
  const config = parse(data['weir.yaml']) as Config;
  const [deployment] = byKind('Deployment') as { spec: { template: { spec: PodSpec } } }[];
  const [job] = byKind('Job') as { spec: { template: { spec: PodSpec } } }[];

  interface PodSpec {
    readonly securityContext: { readonly runAsNonRoot: boolean };
    readonly containers: readonly {
      readonly image: string;
      readonly ports: readonly { readonly containerPort: number }[];
      readonly securityContext: { readonly readOnlyRootFilesystem: boolean };
    }[];
  }

  test('the configuration in the ConfigMap is without a flaw', () =>
    assertChecked(scratch.write('weir.yaml', data['weir.yaml'])));

  test('manifests are what Kubernetes’ types say', async () => {
    assert.equal(await typeErrors(manifests.filter(isBuiltIn)), '');
    const others = manifests.filter((manifest) => !isBuiltIn(manifest)).map(({ apiVersion }) => apiVersion);
    assert.deepEqual([...new Set(others)], ['keda.sh/v1alpha1']);
  });

  test('the check of types sees a key that does not exist', async () => {
    const wrong = { ...manifests.find(({ kind }) => kind === 'Service')!, specification: {} };
    assert.match(await typeErrors([wrong]), /specification.* does not exist in type 'Service'/);
  });

  test('pods are unprivileged and of this version', () => {
    const [{ images }] = documentsOf<{ images: { newTag: string }[] }>('kubernetes/base/kustomization.yaml');
    assert.equal(images[0].newTag, version);
    assert.equal(job.spec.template.spec.containers[0].image, WEIR_IMAGE);
    for (const { spec } of [deployment.spec.template, job.spec.template]) {
      assert.equal(spec.securityContext.runAsNonRoot, true);
      assert.equal(spec.containers[0].securityContext.readOnlyRootFilesystem, true);
    }
  });

  test('probes ask where Weir listens', () => {
    assert.equal(config.http.host, '0.0.0.0');
    assert.equal(deployment.spec.template.spec.containers[0].ports[0].containerPort, config.http.port);
  });

  test('both autoscalers have the same bounds; lag is that of the group in every topic', () => {
    interface Scaled {
      readonly spec: {
        readonly minReplicaCount: number;
        readonly maxReplicaCount: number;
        readonly triggers: readonly { readonly metadata: { readonly consumerGroup: string; readonly topic: string } }[];
      };
    }
    const [{ spec }] = byKind('ScaledObject') as Scaled[];
    const [cpu] = byKind('HorizontalPodAutoscaler') as { spec: { minReplicas: number; maxReplicas: number } }[];
    assert.deepEqual([spec.minReplicaCount, spec.maxReplicaCount], [cpu.spec.minReplicas, cpu.spec.maxReplicas]);
    assert.deepEqual(
      spec.triggers.map(({ metadata }) => metadata.topic),
      config.sources.map(({ topic }) => topic),
    );
    for (const { metadata } of spec.triggers) assert.equal(metadata.consumerGroup, config.kafka.group);
  });

  test('kustomize builds both, with one autoscaler each', async (t) => {
    for (const [folder, scaler] of [
      ['base', 'HorizontalPodAutoscaler'],
      ['keda', 'ScaledObject'],
    ]) {
      const output = await toolOrSkip(
        t,
        [
          ['kubectl', 'kustomize'],
          ['kustomize', 'build'],
        ],
        {
          probe: ['--help'],
          args: [join(DEPLOY, 'kubernetes', folder)],
        },
      );
      if (output === null) return;
      assert.match(output, new RegExp(`image: ${WEIR_IMAGE}`));
      const kinds = [...output.matchAll(/^kind: (\w+)$/gm)].map(([, kind]) => kind);
      assert.deepEqual(
        kinds.filter((kind) => ['HorizontalPodAutoscaler', 'ScaledObject'].includes(kind)),
        [scaler],
      );
    }
  });
});
