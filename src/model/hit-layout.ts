// What a packed event holds, shared by the writer and the reader of hits.

/** Entity texts of an event, in this order. */
export const ENTITY_TEXTS = [
  'pop',
  'user',
  'device',
  'site',
  'host',
  'application',
  'direction',
  'sourceCountry',
  'destinationCountry',
  'threat',
  'policyId',
  'action',
  'tunnel',
  'message',
] as const;
export type EntityText = (typeof ENTITY_TEXTS)[number];

export interface HitEvent {
  /** Event time (end), and the event clock of its tenant and dataset over the earlier events of this batch (-Infinity at first). */
  timeMs: number;
  clockMs: number;
  /** Producer's timestamp (start) for display. */
  startMs: number;
  tenant: number;
  /** Index into the clocks of the batch. */
  clock: number;
  /** True when the event must not advance time and is left out of windows (clock skew). */
  skewed: boolean;
  id: Uint32Array;
  source: Uint32Array;
  destination: Uint32Array;
  sourcePort: number;
  destinationPort: number;
  protocol: number;
  file: string;
  position: number;
  texts: Record<EntityText, string>;
  raw: Uint8Array;
}

export interface Clock {
  readonly tenant: number;
  /** 'flow', or 'product/category/service' of a log source. */
  readonly dataset: string;
}

export interface Hit {
  target: number;
  base: number;
  event: number;
  value: number;
  key: Uint8Array;
  distinct: Uint8Array | null;
}

/** Fixed part of a packed event: four f64, four u32, three times four words, ports, then lengths. */
export const EVENT_BYTES = 8 * 4 + 4 * 4 + 48 + 4 + 16;
