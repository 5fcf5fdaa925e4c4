// Where pySigma's SQLite backend is known to say something else than the specification: each limit with what decides it.
// A difference that no limit covers is a finding.

import type { Rule } from '../../../rules/model.ts';
import type { FieldTest, Predicate } from '../../../rules/predicate.ts';
import type { Difference } from '../oracle.ts';
import { valuesAt } from '../record.ts';

export interface Limit {
  readonly name: string;
  /** Who departs from the specification; 'open' where it leaves the choice. */
  readonly whose: 'pySigma' | 'open';
  readonly reason: string;
  /** Whether the limit may be why this rule and this event are judged differently. */
  covers(difference: Difference): boolean;
}

export const LIMITS: readonly Limit[] = [
  {
    name: 'cidr as text',
    whose: 'pySigma',
    reason:
      'The backend writes a network as LIKE patterns over the text. Appendix modifiers, IP modifiers: the value is handled as ' +
      'a CIDR, in IPv4 and IPv6 notation; so another spelling of an address is in the network and 127.0.0.1q is not.',
    covers: ({ rule, event }) =>
      testsOf(rule).some(
        (test) =>
          test.test === 'cidr' &&
          textsAt(event.record, test.field).some((text) => !/^(\d{1,3}\.){3}\d{1,3}$/.test(text) || text.includes(':')),
      ),
  },
  {
    name: 'names of columns',
    whose: 'pySigma',
    reason:
      'Names of columns fold in SQLite: of Resultdescription and ResultDescription there is only one. Rules, field usage: ' +
      'names are taken as they appear in the log source, which may tell them apart.',
    covers: ({ rule, event }) => {
      const keys = Object.keys(event.record);
      return testsOf(rule).some(({ field }) => differsInCase(field, keys) || COLLIDING.has(field.toLowerCase()));
    },
  },
  {
    name: 'ASCII folding',
    whose: 'pySigma',
    reason:
      'LIKE and NOCASE fold A to Z only. Rules, detection, general: all values are treated as case-insensitive strings, ' +
      'which is not said of some letters only.',
    covers: ({ rule, event }) =>
      testsOf(rule).some((test) => textsAt(event.record, test.field).some((text) => /(?![a-zA-Z])\p{L}/u.test(text))),
  },
  {
    name: 'order of texts and numbers',
    whose: 'pySigma',
    reason:
      'In SQLite every text is greater than every number. Appendix modifiers, numeric modifiers: they apply to numeric values ' +
      'only, so a text that spells no number is neither greater nor less.',
    covers: ({ rule, event }) =>
      testsOf(rule).some(
        (test) =>
          test.test === 'number' &&
          valuesAt(event.record, test.field).some((value) => typeof value === 'string' || typeof value === 'boolean'),
      ),
  },
  {
    name: 'types of columns',
    whose: 'pySigma',
    reason:
      "A number never equals a text in a column that keeps types: 1 is not '1'. Rules, detection, general: all values are " +
      'treated as strings.',
    covers: ({ rule, event }) =>
      testsOf(rule).some((test) => {
        const values = valuesAt(event.record, test.field);
        if (test.test === 'numbers') return values.some((value) => typeof value === 'string');
        return test.test === 'equals' && values.some((value) => typeof value === 'number');
      }),
  },
  {
    name: 'booleans as numbers',
    whose: 'open',
    reason:
      'The backend takes 1 for true and 0 for false, as a table may hold them; Weir takes true, its name and T, as logs of ' +
      'text write it. The specification says nothing of booleans.',
    covers: ({ rule, event }) =>
      testsOf(rule).some(
        (test) =>
          test.test === 'boolean' &&
          valuesAt(event.record, test.field).some((value) => /^[01tf]$/i.test(String(value))),
      ),
  },
  {
    name: 'null is present',
    whose: 'open',
    reason:
      'To Weir a field whose value is null is there; to SQLite it is absent. Appendix modifiers, exists: only the presence is ' +
      "verified, not the value, be it empty or null. For 'field: *' and an empty 'contains', which Weir reads as the same, rules, " +
      'special field values, leave the application of null to the target system.',
    covers: ({ rule, event }) =>
      testsOf(rule).some((test) => test.test === 'exists' && valuesAt(event.record, test.field).flat(8).includes(null)),
  },
];

/** Fields that rules of one log source spell in two ways, in lower case. */
const COLLIDING = new Set<string>();

export function tellApart(rules: readonly Rule[]): void {
  const spellings = new Map<string, string>();
  for (const rule of rules) {
    for (const { field } of testsOf(rule)) {
      const known = spellings.get(field.toLowerCase());
      if (known !== undefined && known !== field) COLLIDING.add(field.toLowerCase());
      spellings.set(field.toLowerCase(), field);
    }
  }
}

export function limitOf(difference: Difference): Limit | null {
  return LIMITS.find((limit) => limit.covers(difference)) ?? null;
}

function differsInCase(field: string, keys: readonly string[]): boolean {
  return keys.some((key) => key !== field && key.toLowerCase() === field.toLowerCase());
}

function textsAt(record: Readonly<Record<string, unknown>>, field: string): string[] {
  if (field === '') return Object.values(record).map(String);
  return valuesAt(record, field).flat(8).map(String);
}

function testsOf({ detection }: Rule): FieldTest[] {
  return detection === null ? [] : leavesOf(detection);
}

function leavesOf(predicate: Predicate): FieldTest[] {
  if (predicate.kind === 'and' || predicate.kind === 'or') return predicate.of.flatMap(leavesOf);
  if (predicate.kind === 'not') return leavesOf(predicate.of);
  return predicate.kind === 'field' ? [predicate] : [];
}
