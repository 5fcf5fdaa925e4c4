// Sigma's log source of an event: what it declares, and what follows from what it says of itself.

import type { LogSource } from '../../src/model/records.ts';
import { CATEGORIES, CHANNELS, DATASETS, REGISTRY_TYPES, SIGNATURES } from './log-source-table.ts';

type Fields = Readonly<Record<string, unknown>>;

const NONE: LogSource = { product: '', category: '', service: '' };

/** Parts that the event leaves open follow from the rest of it, unless that speaks of another product. */
export function logSourceOf(declared: LogSource, fields: Fields): LogSource {
  const { product, category, service } = declared;
  if (product !== '' && category !== '' && service !== '') return declared;
  const derived = deriveLogSource(fields);
  if (derived.product === '' || (product !== '' && product !== derived.product)) return declared;
  // What a cloud calls a category of its own is none of Sigma's.
  if (product === '' && service === '') return derived;
  return { product: derived.product, category: category || derived.category, service: service || derived.service };
}

/**
 * What `deriveLogSource` reads: of some paths the whole value, of the others whether it is there and what it begins with. Kept
 * beside it, since what follows from the same answers is remembered (log-source-memo.ts).
 */
export const TELLING: ReadonlyMap<string, 'all' | readonly string[]> = new Map<string, 'all' | readonly string[]>([
  ...SIGNATURES.flatMap(({ has }) => Object.keys(has)).map((path) => [path, headsOf(path)] as const),
  ...['Channel', 'EventID', 'EventType', 'event.dataset'].map((path) => [path, 'all'] as const),
]);

function headsOf(path: string): string[] {
  return SIGNATURES.flatMap(({ has }) => (Object.hasOwn(has, path) && has[path] !== '' ? [has[path]] : []));
}

/** Own keys and dotted paths only: events are hostile. */
export function deriveLogSource(fields: Fields): LogSource {
  const channel = textAt(fields, 'Channel');
  if (channel !== '') {
    const windows = windowsSource(channel, fields);
    if (windows !== null) return windows;
  }
  const dataset = textAt(fields, 'event.dataset').toLowerCase();
  if (dataset !== '') {
    if (Object.hasOwn(DATASETS, dataset)) return DATASETS[dataset];
    if (dataset.startsWith('zeek.')) return { product: 'zeek', category: '', service: dataset.slice(5) };
  }
  for (const { has, source } of SIGNATURES) {
    const fits = Object.entries(has).every(([path, head]) => {
      const value = valueAt(fields, path);
      if (head === '') return value !== undefined && value !== null;
      return typeof value === 'string' && value.slice(0, 100).toLowerCase().startsWith(head);
    });
    if (fits) return source;
  }
  return NONE;
}

function windowsSource(channel: string, fields: Fields): LogSource | null {
  const name = channel.toLowerCase();
  const eventId = textAt(fields, 'EventID');
  if (name === 'linux-sysmon/operational') {
    return { product: 'linux', category: own(CATEGORIES.sysmon, eventId), service: 'sysmon' };
  }
  const service = own(CHANNELS, name);
  if (service === '') return null;
  let category = Object.hasOwn(CATEGORIES, service) ? own(CATEGORIES[service], eventId) : '';
  if (category === 'registry_event') {
    category = own(REGISTRY_TYPES, textAt(fields, 'EventType').toLowerCase()) || category;
  }
  return { product: 'windows', category, service };
}

function own(table: Readonly<Record<string, string>>, key: string): string {
  return Object.hasOwn(table, key) ? table[key] : '';
}

/** A text or number under a key, or under a dotted path. */
export function textAt(fields: Fields, path: string): string {
  const value = valueAt(fields, path);
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function valueAt(fields: Fields, path: string): unknown {
  if (Object.hasOwn(fields, path)) return fields[path];
  const dot = path.indexOf('.');
  if (dot < 0) return undefined;
  const inner = Object.hasOwn(fields, path.slice(0, dot)) ? fields[path.slice(0, dot)] : undefined;
  return isObject(inner) ? valueAt(inner, path.slice(dot + 1)) : undefined;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
