// Promise: dashboard and alert rules can be read by what they are for, and ask for nothing that Weir does not have; every metric has
// its place in the dashboard. That the files are up to date is held by the test of the generated pages.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { PACKAGE_ROOT } from '../root.ts';
import { METRICS, type MetricName, type MetricSpec } from './metrics.ts';
import { PANELS } from './panels.ts';

const FOLDER = join(PACKAGE_ROOT, 'deploy', 'observability');

interface GrafanaPanel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly refId: string }[];
}

/** Every word of an expression outside quotes that could be a metric; none may be undeclared. */
function metricsIn(expression: string): MetricName[] {
  const bare = expression.replaceAll(/"[^"]*"/g, '""');
  assert.equal(bare.match(/[([{]/g)?.length, bare.match(/[)\]}]/g)?.length, `brackets of ${expression}`);
  const grouped = [...bare.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, labels]) => labels.split(', '));
  const words = bare.replaceAll(/\bby \([^)]*\)/g, '').match(/[a-z_][a-z0-9_]*(?=\s*[{[)>=]|$| )/gi) ?? [];
  const names = words.filter((word) => word.startsWith('weir_')).map((word) => word.replace(/_bucket$/, ''));
  assert.ok(names.length > 0, expression);
  for (const name of names) assert.ok(Object.hasOwn(METRICS, name), `${name} in ${expression}`);
  const known = new Set([
    'instance',
    'le',
    ...names.flatMap((name) => METRICS[name as MetricName].labels as readonly string[]),
  ]);
  const matched = [...bare.matchAll(/[{,]\s*([a-z_]+)\s*[=!]/g)].map(([, label]) => label);
  for (const label of [...grouped, ...matched]) assert.ok(known.has(label), `label ${label} in ${expression}`);
  const functions = [...bare.replaceAll(/\bby \([^)]*\)/g, '').matchAll(/\b([a-z_]+)\s*\(/g)].map(([, name]) => name);
  for (const name of functions) assert.ok(FUNCTIONS.has(name), `function ${name} in ${expression}`);
  return names as MetricName[];
}

const FUNCTIONS = new Set(
  'sum max rate increase changes deriv time histogram_quantile min_over_time and or unless'.split(' '),
);

test('the dashboard: every metric in its panel, no panel over another', () => {
  const { panels } = JSON.parse(readFileSync(join(FOLDER, 'grafana', 'weir.json'), 'utf8')) as {
    panels: GrafanaPanel[];
  };
  const shown = new Map<string, string>();
  const taken = new Set<string>();
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  for (const { type, title, gridPos, targets = [] } of panels) {
    for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
      const place = `${gridPos.x} ${y}`;
      assert.ok(!taken.has(place), `${title} lies over another panel`);
      taken.add(place);
    }
    assert.equal(targets.length === 0, type === 'row', title);
    assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length);
    for (const { expr } of targets) for (const name of metricsIn(expr)) shown.set(name, title);
  }
  for (const [name, { panel }] of Object.entries(METRICS) as [string, MetricSpec][])
    assert.equal(shown.get(name), PANELS[panel].title, name);
});

test('the alert rules: named once, with a severity, and each says what to do', () => {
  const { groups } = parse(readFileSync(join(FOLDER, 'prometheus', 'alerts.yml'), 'utf8')) as {
    groups: {
      name: string;
      rules: {
        alert: string;
        expr: string;
        for?: string;
        labels: { severity: string };
        annotations: { summary: string; description: string };
      }[];
    }[];
  };
  const rules = groups.flatMap((group) => group.rules);
  assert.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length);
  for (const { alert, expr, for: held = '0m', labels, annotations } of rules) {
    metricsIn(expr);
    assert.match(alert, /^Weir[A-Z]\w+$/);
    assert.match(held, /^\d+m$/);
    assert.match(labels.severity, /^(critical|warning)$/);
    assert.ok(annotations.description.length > 60 && annotations.summary.endsWith('.'), alert);
    const used = [...annotations.summary.matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label);
    const grouped = / by \(([^)]*)\)/.exec(expr)?.[1].split(', ') ?? ['instance'];
    for (const label of used) assert.ok(grouped.includes(label), `${alert}: ${label}`);
  }
});
