// Uniqueness of names in a configuration.

/** Calls `again` for each entry whose key an earlier entry has; '' (missing, and told elsewhere) is no key. */
export function unique<T>(
  entries: readonly T[],
  keyOf: (entry: T) => string,
  again: (entry: T, key: string) => void,
): void {
  const seen = new Set<string>();
  for (const entry of entries) {
    const key = keyOf(entry);
    if (key !== '' && seen.has(key)) again(entry, key);
    seen.add(key);
  }
}
