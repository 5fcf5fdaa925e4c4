// Hits: what `match` tells `correlate`. Self-contained bytes: nothing in them refers to the batch or a dictionary.
//
// An *event* is a record with at least one hit. A *hit* says that an event advances a rule. Every event carries the
// clock before it (highest event time of its tenant and dataset earlier in the batch), so that a decision never
// depends on where a batch ended. All times are ms since 1970; event time is the end of a flow.

export { type KeyValue, KeyWriter, readKey } from './group-key.ts';
export { type Clock, ENTITY_TEXTS, type EntityText, type Hit, type HitEvent } from './hit-layout.ts';
export { HitsReader } from './hit-reader.ts';
export { HitsWriter } from './hit-writer.ts';
