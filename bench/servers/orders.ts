// What the load is told, and what it tells.

export interface LoadOrders {
  readonly config: string;
  readonly topic: string;
  /** Records, all different. */
  readonly pool: number;
  /** Stretches one after the other. */
  readonly stretches: readonly Stretch[];
  /** Whose records are sent in place of the pool's own tenants, by weight; empty for the pool's. */
  readonly tenants: readonly string[];
}

export interface Stretch {
  readonly records: number;
  /** Records a second; 0 for as fast as it goes. */
  readonly rate: number;
  readonly probesPerSecond: number;
  /** Besides: records a second of this tenant. */
  readonly extra?: { readonly tenant: string; readonly rate: number };
}

export type LoadNews =
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'sent';
      readonly records: number;
      readonly probes: readonly (readonly [id: number, sentMs: number])[];
    }
  | { readonly kind: 'stretch' }
  | { readonly kind: 'done' };

/** Application of probes; the bench's rule looks for it. */
export const PROBE = 'weir-probe';
