// The stages that any record goes through before rules see it, compiled once for a control snapshot.

import type { RawBatch } from '../src/model/batch.ts';
import type { ControlSnapshot } from '../src/model/control.ts';
import { Decoded } from '../src/model/decoded.ts';
import { Dictionary } from '../src/model/dictionary.ts';
import { createDecoder } from './decode/index.ts';
import { createEnricher } from './enrich/index.ts';
import { createDecider } from './policy/index.ts';

export interface Stages {
  readonly dictionary: Dictionary;
  readonly decoded: Decoded;
  readonly decode: ReturnType<typeof createDecoder>;
  readonly enrich: ReturnType<typeof createEnricher>;
  readonly decide: ReturnType<typeof createDecider>;
}

/** `strangers`: for tools that store nothing; see `createDecoder`. */
export function createStages(snapshot: ControlSnapshot, strangers: Set<string> | null = null): Stages {
  const dictionary = new Dictionary();
  return {
    dictionary,
    decoded: new Decoded(dictionary),
    decode: createDecoder(snapshot, dictionary, strangers),
    enrich: createEnricher(snapshot, dictionary),
    decide: createDecider(snapshot, dictionary),
  };
}

/** Begins a batch: `decoded` holds nothing but it afterwards. Returns the batch that it refers to. */
export function decodeAnew({ dictionary, decoded, decode }: Stages, packed: RawBatch): RawBatch {
  dictionary.trim();
  decoded.reset();
  return decode(packed, decoded);
}

/** Completes what was decoded: sites, applications and the like, then policies. */
export function enrichAndDecide({ decoded, enrich, decide }: Stages): void {
  enrich.flows(decoded.flows);
  enrich.logs(decoded.logs);
  decide(decoded.flows); // stamps action, policy id and version
}
