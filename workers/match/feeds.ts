// What a matched rule sets in motion: its own alert, and every correlation that counts it.

import { countsNames, needsNumber } from '../../rules/correlate/kinds.ts';
import type { Correlation, Rule, RuleSet } from '../../rules/model.ts';
import { type HitsWriter, KeyWriter } from '../../src/model/hits.ts';
import { ENTITY_KEY, type KeyPart } from './keys.ts';

/** How fields are read of the records at hand. */
export interface FieldReader {
  part(field: string): KeyPart;
  /** The field's first value as a number, NaN when it is absent or none. */
  number(field: string): (row: number) => number;
}

interface Feed {
  readonly target: number;
  /** Absent parts are written as such for a rule's own entity key, and drop the hit of a correlation. */
  readonly partial: boolean;
  readonly key: readonly KeyPart[];
  readonly distinct: KeyPart | null;
  readonly value: ((row: number) => number) | null;
}

const key = new KeyWriter();
const distinct = new KeyWriter();

/**
 * Writes the hits of matched rules. An event without one of a correlation's group-by fields (or without the field that it
 * counts or sums) belongs to no group: its hit is dropped, as Sigma has it.
 */
export class Feeds {
  private readonly byRule: readonly (readonly Feed[])[];

  constructor({ rules }: RuleSet, reader: FieldReader) {
    const feeds: Feed[][] = rules.map(() => []);
    for (const rule of rules) {
      if (rule.detection !== null && rule.alerting) feeds[rule.index].push(ownFeed(rule, reader));
      const { correlation } = rule;
      if (correlation === null) continue;
      for (const base of new Set(correlation.rules)) {
        // A correlation over correlations is the correlator's business.
        if (rules[base]?.detection) feeds[base].push(correlationFeed(rule.index, correlation, base, reader));
      }
    }
    this.byRule = feeds;
  }

  /** False when a match of the rule would lead to nothing. */
  has(rule: number): boolean {
    return this.byRule[rule].length > 0;
  }

  /** Writes the hits of one matched rule; `before` is called ahead of the first (to write the event). Returns how many. */
  write(rule: number, row: number, hits: HitsWriter, before: (() => void) | null): number {
    let written = 0;
    for (const feed of this.byRule[rule]) {
      key.reset();
      if (!writeKey(feed, row)) continue;
      distinct.reset();
      if (feed.distinct !== null && !feed.distinct(row, distinct)) continue;
      const value = feed.value === null ? 0 : feed.value(row);
      if (Number.isNaN(value)) continue;
      if (written === 0) before?.();
      written++;
      hits.hit(feed.target, rule, bytesOf(key), value, feed.distinct === null ? null : bytesOf(distinct));
    }
    return written;
  }
}

function bytesOf({ out }: KeyWriter): Uint8Array {
  return out.bytes.subarray(0, out.length);
}

function writeKey(feed: Feed, row: number): boolean {
  for (const part of feed.key) {
    if (part(row, key)) continue;
    if (!feed.partial) return false;
    key.absent();
  }
  return true;
}

function ownFeed(rule: Rule, reader: FieldReader): Feed {
  return {
    target: rule.index,
    partial: true,
    key: ENTITY_KEY.map((field) => reader.part(field)),
    distinct: null,
    value: null,
  };
}

function correlationFeed(target: number, correlation: Correlation, base: number, reader: FieldReader): Feed {
  const { field, keys, rules } = correlation;
  const groupBy = keys?.[rules.indexOf(base)] ?? correlation.groupBy;
  return {
    target,
    partial: false,
    key: groupBy.map((name) => reader.part(name)),
    distinct: countsNames(correlation) ? reader.part(field) : null,
    value: needsNumber(correlation) ? reader.number(field) : null,
  };
}
