// Medians and quantiles.

export interface Quantiles {
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly max_ms: number;
  /** Of those that never came. */
  readonly lost: number;
}

/** The smallest value that `share` of all are not above; NaN of nothing. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Infinity stands for what never came: it counts as the slowest. */
export function quantiles(latenciesMs: readonly number[]): Quantiles {
  return {
    p50_ms: quantile(latenciesMs, 0.5),
    p99_ms: quantile(latenciesMs, 0.99),
    max_ms: quantile(latenciesMs, 1),
    lost: latenciesMs.filter((ms) => ms === Number.POSITIVE_INFINITY).length,
  };
}
