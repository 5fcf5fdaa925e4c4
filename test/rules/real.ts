// Records that nobody made for a rule: Zeek's logs of a competition and plain log lines, where the data is there.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Rule, RuleLogSource } from '../../rules/model.ts';
import { interpret } from '../../rules/plan/interpret.test-support.ts';
import { DATA } from './corpus.ts';
import type { Disagreement } from './examine.ts';
import type { ShownEvent } from './oracle.ts';
import { EVENT_MS, eventSource, Production } from './production.ts';
import { forInterpreter, RecordSubject } from './record.ts';
import { synthesise } from './synthesise.ts';

/** Of each stream; they are much alike. */
const MOST = 2000;

/** The logs for which the corpus has rules. */
const ZEEK = ['dns', 'x509', 'rdp', 'kerberos'];

/** Files of lines, and the log sources whose events such lines are. */
const LINES: readonly (readonly [string, Partial<RuleLogSource>])[] = [
  ['OpenSSH_2k.log', { product: 'linux', service: 'sshd' }],
  ['Linux_2k.log', { product: 'linux', service: 'auth' }],
  ['Linux_2k.log', { product: 'linux', service: 'syslog' }],
  ['Apache_2k.log', { category: 'webserver', service: 'apache' }],
  ['Apache_2k.log', { category: 'webserver', service: 'nginx' }],
];

export interface Real {
  readonly events: readonly ShownEvent[];
  readonly pairs: number;
  readonly hits: number;
  readonly disagreements: readonly Disagreement[];
}

interface Stream {
  readonly source: RuleLogSource;
  readonly records: readonly Record<string, unknown>[];
}

const NOTHING: RuleLogSource = { product: '', category: '', service: '' };

function streams(): Stream[] {
  const zeek = ZEEK.flatMap((service): Stream[] => {
    const path = join(DATA, 'zeek', 'wrccdc-2018', `${service}.json.gz`);
    if (!existsSync(path)) return [];
    const lines = gunzipSync(readFileSync(path))
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== '');
    // Naming the product lets the native decoder take what it would else leave to Zeek's own.
    const records = lines.slice(0, MOST).map((line) => ({ ...(JSON.parse(line) as object), product: 'zeek' }));
    return [{ source: eventSource({ product: 'zeek', category: service === 'dns' ? 'dns' : '', service }), records }];
  });
  const lines = LINES.flatMap(([file, source]): Stream[] => {
    const path = join(DATA, 'logs', file);
    if (!existsSync(path)) return [];
    const records = readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .slice(0, MOST);
    return [
      {
        source: eventSource({ ...NOTHING, ...source }),
        records: records.map((message) => ({ timestamp: EVENT_MS, message })),
      },
    ];
  });
  return [...zeek, ...lines];
}

/** Real records of which some fields are what a rule looks for: hits among everything else that such records hold. */
function grafted(records: readonly Record<string, unknown>[], plan: readonly Rule[]): Record<string, unknown>[] {
  const made = plan.flatMap((rule) => synthesise(rule, { valuesPerLeaf: 2, plain: true, seed: 3 }).events);
  return made.map(({ record }, i) => ({ ...records[(i * 7) % records.length], ...record }));
}

export function examineReal(rules: readonly Rule[]): Real {
  const given = streams();
  const production = new Production(
    rules,
    given.map(({ source }) => source),
  );
  const events: ShownEvent[] = [];
  const disagreements: Disagreement[] = [];
  let pairs = 0;
  let hits = 0;
  for (const [place, { source, records: untouched }] of given.entries()) {
    const records = [...untouched, ...grafted(untouched, production.planOf(place, rules))];
    const lines = records.map((record) => JSON.stringify(record));
    const shown = production.show(place, lines);
    const plan = production
      .planOf(place, rules)
      .map((rule) => ({ rule, plain: forInterpreter(rule.detection ?? { kind: 'constant', value: false }) }));
    for (const [i, record] of records.entries()) {
      const hit = new Set(shown[i].hits);
      const subject = new RecordSubject(record, source, EVENT_MS);
      events.push({ record, source, hits: shown[i].hits });
      hits += hit.size;
      for (const { rule, plain } of plan) {
        pairs++;
        const expected = interpret(plain, subject);
        if (expected === hit.has(rule.index)) continue;
        disagreements.push({
          kind: 'another rule differs',
          rule,
          leaf: '',
          expected,
          line: lines[i],
          detail: `a real event ${shown[i].refused}`,
        });
      }
    }
  }
  return { events, pairs, hits, disagreements };
}
