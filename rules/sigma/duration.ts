// Time spans as rules write them: 30s, 15m, 1h, 7d, and (an extension) 500ms.

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const LONGEST_MS = 400 * 86_400_000;

/** Milliseconds, or null when it is no span, zero, or longer than 400 days. */
export function parseDuration(text: string): number | null {
  const match = /^(\d{1,12})(ms|s|m|h|d)$/.exec(text.trim());
  if (match === null) return null;
  const ms = Number(match[1]) * UNITS[match[2]];
  return ms > 0 && ms <= LONGEST_MS ? ms : null;
}
