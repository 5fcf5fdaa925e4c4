// What stands in for an event where time decided: a silence has a group and a moment, and no event of its own.

import { ENTITY_TEXTS, type EntityText, type HitEvent, type KeyValue } from '../../src/model/hits.ts';
import { entityOf, entityText, valueText } from './entities.ts';

/** Names what the group's key names. Its id is the moment, so that a repeated run writes the same alert. */
export function silentEvent(groupBy: readonly string[], values: readonly KeyValue[], timeMs: number): HitEvent {
  const id = new Uint32Array(4);
  new DataView(id.buffer).setFloat64(0, timeMs, true);
  const event: HitEvent = {
    timeMs,
    clockMs: timeMs,
    startMs: timeMs,
    tenant: 0,
    clock: 0,
    skewed: false,
    id,
    source: new Uint32Array(4),
    destination: new Uint32Array(4),
    sourcePort: 0,
    destinationPort: 0,
    protocol: 0,
    file: '',
    position: 0,
    texts: Object.fromEntries(ENTITY_TEXTS.map((name) => [name, ''])) as Record<EntityText, string>,
    raw: new Uint8Array(0),
  };
  groupBy.forEach((name, i) => {
    const field = entityOf(name);
    const value = values[i] ?? null;
    if (field === null || value === null) return;
    if (field === 'source_ip' || field === 'destination_ip') {
      if (value instanceof Uint32Array) event[field === 'source_ip' ? 'source' : 'destination'] = value;
    } else if (field === 'source_port') event.sourcePort = Number(value) || 0;
    else if (field === 'destination_port') event.destinationPort = Number(value) || 0;
    else if (field === 'protocol') event.protocol = Number(value) || 0;
    else event.texts[entityText(field)] = valueText(value);
  });
  return event;
}
