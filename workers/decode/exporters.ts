// Whose a record is by the address of the exporter that sent it: NetFlow and sFlow name neither tenant nor PoP.

import type { KafkaRule } from '../../src/model/control.ts';
import { type Prefix, parsePrefix } from '../../src/model/ip.ts';
import { type PrefixTable, PrefixTableBuilder } from '../enrich/lpm.ts';

export interface ExporterOwner {
  /** Tenant index, or a negative result of the tenant resolution. */
  readonly tenant: number;
  /** '' leaves it to the source. */
  readonly pop: string;
}

export class Exporters {
  private readonly table: PrefixTable;
  private readonly owners: readonly ExporterOwner[];

  constructor(exporters: KafkaRule['exporters'], tenantNamed: (name: string) => number) {
    const builder = new PrefixTableBuilder();
    this.owners = exporters.map(({ prefix, tenant, pop }, i) => {
      const { words, bits } = parsePrefix(prefix) as Prefix; // the configuration was checked
      builder.add(words, bits, i + 1);
      return { tenant: tenantNamed(tenant), pop };
    });
    this.table = builder.build();
  }

  /** Owner by the longest prefix that holds the address in the four words at `at`; null for none. */
  ownerOf(words: Uint32Array, at: number): ExporterOwner | null {
    return this.owners[this.table.lookup(words, at) - 1] ?? null;
  }
}
