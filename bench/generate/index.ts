// Seeded telemetry with ground truth. In: scenario, seed, number of records. Out: bytes, and what is in them.

import { createScenario, type ScenarioOptions } from './scenario.ts';
import { type Truth, TruthCounter } from './truth.ts';
import type { OutputFormat } from './write.ts';
import { createEventWriter } from './write.ts';

export interface GeneratedChunks {
  /** Chunks of about 1 MiB. */
  chunks(): Generator<Uint8Array>;
  /** Complete once `chunks` has been read to its end. */
  truth(): Truth;
}

const CHUNK_BYTES = 1 << 20;

export function generate(options: ScenarioOptions & { readonly format: OutputFormat }): GeneratedChunks {
  const scenario = createScenario(options);
  const writer = createEventWriter(options.format);
  const counter = new TruthCounter();
  return {
    *chunks() {
      let parts: Uint8Array[] = [writer.head];
      let size = writer.head.length;
      for (const event of scenario.events()) {
        const bytes = writer.write(event);
        if (bytes.length === 0) continue;
        counter.add(event);
        parts.push(bytes);
        size += bytes.length;
        if (size < CHUNK_BYTES) continue;
        yield Buffer.concat(parts);
        parts = [];
        size = 0;
      }
      if (size > 0) yield Buffer.concat(parts);
    },
    truth: () => counter.truth(options.name, options.seed, scenario.stories),
  };
}
