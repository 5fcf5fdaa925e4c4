// `Field|modifier|modifier`: what the modifiers of a key say, and which go together.

import type { Reporter } from '../yaml.ts';
import { TRANSFORMS, type Transform } from './transform.ts';
import type { Anchor } from './wildcard.ts';

export type Comparison = 'gt' | 'gte' | 'lt' | 'lte';
export type TimePart = 'minute' | 'hour' | 'day' | 'week' | 'month' | 'year';

export interface FieldKey {
  readonly field: string;
  readonly transforms: readonly Transform[];
  readonly anchor: Anchor;
  /** How the value is read; 'plain' when no modifier says. */
  readonly mode: 'plain' | 're' | 'cidr' | 'exists' | 'fieldref' | 'expand';
  readonly comparison: Comparison | null;
  readonly time: TimePart | null;
  readonly all: boolean;
  readonly cased: boolean;
  readonly negated: boolean;
  /** Of i, m, s, in that order. */
  readonly flags: string;
}

const ANCHORS: readonly string[] = ['contains', 'startswith', 'endswith'];
const ENCODERS: readonly string[] = ['base64', 'base64offset'];
const MODES: readonly string[] = ['re', 'cidr', 'exists', 'fieldref', 'expand'];
const COMPARISONS: readonly string[] = ['gt', 'gte', 'lt', 'lte'];
const TIMES: readonly string[] = ['minute', 'hour', 'day', 'week', 'month', 'year'];
/** Names under which rules mean the time of the event itself. */
const EVENT_TIMES: ReadonlySet<string> = new Set(
  'timestamp @timestamp _time time ts date datetime eventtime event_time event.time event.created utctime timecreated timegenerated systemtime'.split(
    ' ',
  ),
);
const FLAGS: Readonly<Record<string, string>> = {
  __proto__: null as never,
  i: 'i',
  ignorecase: 'i',
  m: 'm',
  multiline: 'm',
  s: 's',
  dotall: 's',
};

/** Reads a key of a selection. Reports and returns null when a modifier is unknown or two contradict each other. */
export function parseKey(key: string, at: number, report: Reporter): FieldKey | null {
  const [field, ...modifiers] = key.split('|');
  const transforms: Transform[] = [];
  let anchor: Anchor = 'equals';
  let mode: FieldKey['mode'] = 'plain';
  let comparison: Comparison | null = null;
  let time: TimePart | null = null;
  const switches = new Set<string>();
  const flags = new Set<string>();

  const twice = (): null => {
    report.error(at, 'sigma.modifier_combination', `The modifiers of '${key}' contradict each other.`);
    return null;
  };
  for (const [place, modifier] of modifiers.entries()) {
    if (ENCODERS.includes(modifier) && modifiers.slice(0, place).some((before) => ANCHORS.includes(before))) {
      const message = `In '${key}' wildcards would be encoded: modifiers apply from left to right, '${modifier}' comes first.`;
      report.error(at, 'sigma.modifier_order', message);
      return null;
    }
    if ((TRANSFORMS as readonly string[]).includes(modifier)) transforms.push(modifier as Transform);
    else if (ANCHORS.includes(modifier)) {
      if (anchor !== 'equals') return twice();
      anchor = modifier as Anchor;
    } else if (MODES.includes(modifier)) {
      if (mode !== 'plain') return twice();
      mode = modifier as FieldKey['mode'];
    } else if (COMPARISONS.includes(modifier)) {
      if (comparison !== null) return twice();
      comparison = modifier as Comparison;
    } else if (TIMES.includes(modifier)) {
      if (time !== null) return twice();
      time = modifier as TimePart;
    } else if (modifier === 'all' || modifier === 'cased' || modifier === 'neq') switches.add(modifier);
    else if (FLAGS[modifier] !== undefined) flags.add(FLAGS[modifier]);
    else {
      report.error(at, 'sigma.unknown_modifier', `'${modifier}' is not a modifier of Sigma (in '${key}').`);
      return null;
    }
  }

  const text = mode === 'plain' || mode === 'expand' || mode === 'fieldref' || mode === 're';
  const encoded = transforms.some((transform) => transform !== 'windash');
  const compared = comparison !== null || time !== null;
  const wrong =
    (anchor !== 'equals' && !text) ||
    (transforms.length > 0 && mode !== 'plain' && (mode !== 'expand' || encoded)) ||
    (flags.size > 0 && mode !== 're') ||
    (compared && (mode !== 'plain' || anchor !== 'equals' || transforms.length > 0)) ||
    (switches.has('cased') && (mode !== 'plain' || compared)) ||
    (field === '' && (mode === 'cidr' || mode === 'exists' || mode === 'fieldref' || mode === 'expand')) ||
    (field === '' && compared);
  if (wrong) return twice();
  if (time !== null && !EVENT_TIMES.has(field.toLowerCase())) {
    const message = `'${time}' reads the time of the event, whatever '${field}' holds.`;
    report.warning(at, 'sigma.time_field', message);
  }
  return {
    field,
    transforms,
    anchor,
    mode,
    comparison,
    time,
    all: switches.has('all'),
    cased: switches.has('cased'),
    negated: switches.has('neq'),
    flags: ['i', 'm', 's'].filter((flag) => flags.has(flag)).join(''),
  };
}
