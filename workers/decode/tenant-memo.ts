// Tenants by the bytes of their UUID's text: a direct-mapped cache, since a record in two names another than the one before.

import type { DecodeContext } from './context.ts';

const SLOTS = 256;
const WORDS = 9;

export class TenantMemo {
  private readonly context: DecodeContext;
  private source = -1;
  private readonly text = new Int32Array(SLOTS * WORDS);
  /** 1 + tenant index; 0 is empty. */
  private readonly tenants = new Int32Array(SLOTS);

  constructor(context: DecodeContext) {
    this.context = context;
  }

  /** What a name resolves to depends on the source. */
  open(source: number): void {
    if (this.source === source) return;
    this.source = source;
    this.tenants.fill(0);
  }

  /** Tenant of the 36 bytes at `at` (all inside `view`); negative when they name none that the source may have. */
  uuid(bytes: Uint8Array, view: DataView, at: number): number {
    const { text, tenants } = this;
    const a = view.getInt32(at, true);
    const b = view.getInt32(at + 4, true);
    const slot = (Math.imul(a ^ (b << 3), 0x9e3779b1) >>> 24) & (SLOTS - 1);
    const base = slot * WORDS;
    if (
      text[base] === a &&
      text[base + 1] === b &&
      text[base + 2] === view.getInt32(at + 8, true) &&
      text[base + 3] === view.getInt32(at + 12, true) &&
      text[base + 4] === view.getInt32(at + 16, true) &&
      text[base + 5] === view.getInt32(at + 20, true) &&
      text[base + 6] === view.getInt32(at + 24, true) &&
      text[base + 7] === view.getInt32(at + 28, true) &&
      text[base + 8] === view.getInt32(at + 32, true) &&
      tenants[slot] > 0
    ) {
      return this.context.agreed(tenants[slot] - 1);
    }
    const tenant = this.name(bytes, at, at + 36);
    if (tenant >= 0) {
      for (let w = 0; w < WORDS; w++) text[base + w] = view.getInt32(at + w * 4, true);
      tenants[slot] = tenant + 1;
    }
    return tenant;
  }

  /** Tenant of any name. */
  name(bytes: Uint8Array, start: number, end: number): number {
    return this.context.resolveTenantBytes(this.source, bytes, start, end);
  }
}
