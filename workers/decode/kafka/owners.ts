// Whose a Kafka record is, by the rule of its source: the record itself says so, its key, or a header of it. Decoders hold
// what the record names itself against this.

import type { FormatName } from '../../../src/model/batch.ts';
import { bufferOf, utf8 } from '../../../src/model/bytes.ts';
import type { ControlSnapshot, KafkaRule } from '../../../src/model/control.ts';
import type { RecordWalker } from '../../../src/model/kafka/record-batch.ts';
import { type DecodeContext, TENANT_MISSING, TENANT_UNKNOWN } from '../context.ts';

interface Rule {
  readonly from: KafkaRule['tenantFrom'];
  readonly tenantHeader: Uint8Array;
  /** Null: PoPs come from the record or the source. */
  readonly popHeader: Uint8Array | null;
}

/** Longest name that is looked at: a UUID, a slug or a PoP. */
const MOST_NAME = 512;

export class Owners {
  /** Of the record that `changes` looked at last. */
  tenant = TENANT_MISSING;
  private pop = '';
  private readonly context: DecodeContext;
  private readonly rules: readonly (Rule | null)[];
  private rule: Rule | null = null;
  /** Decoders of native records check every record; the others are given one owner a segment. */
  private mixed = false;
  private last = '';
  private lastTenant = TENANT_MISSING;
  /** Owner of the records in the open segment. */
  private runTenant = TENANT_MISSING;
  private runPop = '';
  private first = true;

  constructor(snapshot: ControlSnapshot, context: DecodeContext) {
    this.context = context;
    this.rules = snapshot.sources.map(({ kafka }) => (kafka === undefined ? null : ruleOf(kafka)));
  }

  /** Begins a record batch; null when its source has no rule to apply. */
  open(source: number, format: FormatName): Rule | null {
    this.rule = this.rules[source] ?? null;
    this.tenant = TENANT_MISSING;
    this.pop = '';
    this.first = true;
    this.mixed = format === 'native-json' || format === 'native-msgpack';
    return this.rule;
  }

  /** Looks at a record; true when it cannot be in one segment with the ones before it. */
  changes(bytes: Uint8Array, walker: RecordWalker): boolean {
    const { rule } = this;
    if (rule === null) return false;
    this.tenant = TENANT_MISSING;
    if (rule.from === 'key' && walker.keyLength > 0)
      this.tenant = this.named(bytes.subarray(walker.keyStart, walker.keyStart + walker.keyLength));
    else if (rule.from === 'header') {
      const name = walker.header(rule.tenantHeader);
      if (name !== null && name.length > 0) this.tenant = this.named(name);
    }
    if (rule.popHeader !== null) {
      const pop = walker.header(rule.popHeader);
      this.pop = pop === null ? '' : bufferOf(pop.subarray(0, MOST_NAME)).toString('utf8');
    }
    if (this.first) this.adopt();
    this.first = false;
    return this.pop !== this.runPop || (!this.mixed && this.tenant !== this.runTenant);
  }

  private adopt(): void {
    this.runTenant = this.tenant;
    this.runPop = this.pop;
  }

  /** What the segment that is being closed says of all its records; the record looked at last begins the next one. */
  ofRun(): { tenant?: number; pop?: string } {
    const own = {
      ...(this.mixed || this.rule === null || this.runTenant === TENANT_MISSING ? {} : { tenant: this.runTenant }),
      ...(this.runPop === '' ? {} : { pop: this.runPop }),
    };
    this.adopt();
    return own;
  }

  private named(name: Uint8Array): number {
    if (name.length > MOST_NAME) return TENANT_UNKNOWN;
    const text = bufferOf(name).toString('latin1');
    if (text !== this.last) {
      this.last = text;
      this.lastTenant = this.context.tenantNamed(bufferOf(name).toString('utf8'));
    }
    return this.lastTenant;
  }
}

function ruleOf({ tenantFrom, tenantHeader, popHeader }: KafkaRule): Rule | null {
  if (tenantFrom !== 'key' && tenantFrom !== 'header' && popHeader === '') return null;
  return {
    from: tenantFrom,
    tenantHeader: utf8(tenantHeader),
    popHeader: popHeader === '' ? null : utf8(popHeader),
  };
}
