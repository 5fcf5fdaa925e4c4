// Sums by five integers (tenant, PoP, minute, application, category), in typed arrays with open addressing.
// 64-bit sums are kept as two halves whose words are added apart: exact, and wrapping at 2^64 as ClickHouse's own sum does.

const CARRY_AT = 2 ** 52;
const TWO_32 = 4294967296;

export class Sums {
  length = 0;
  tenant: Uint32Array = new Uint32Array(1024);
  pop: Uint32Array = new Uint32Array(1024);
  minute: Uint32Array = new Uint32Array(1024);
  application: Uint32Array = new Uint32Array(1024);
  category: Uint32Array = new Uint32Array(1024);
  requests: Float64Array = new Float64Array(1024);
  blocked: Float64Array = new Float64Array(1024);
  private low: Float64Array = new Float64Array(1024);
  private high: Float64Array = new Float64Array(1024);
  private hashes: Uint32Array = new Uint32Array(1024);
  /** Slot → 1 + entry. */
  private table: Uint32Array = new Uint32Array(4096);

  reset(): void {
    if (this.length > 0) this.table.fill(0);
    this.length = 0;
  }

  /** The entry of a key; a new one has zero sums. */
  entry(tenant: number, pop: number, minute: number, application: number, category: number): number {
    let h = Math.imul(tenant ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(minute, 0xc2b2ae35);
    h = Math.imul(h ^ (h >>> 15) ^ application, 0x27d4eb2f);
    h = Math.imul(h ^ (h >>> 13) ^ (pop << 8) ^ (category << 20) ^ category, 0x165667b1);
    h = (h ^ (h >>> 16)) >>> 0;
    const mask = this.table.length - 1;
    let slot = h & mask;
    for (;;) {
      const found = this.table[slot];
      if (found === 0) break;
      const i = found - 1;
      if (
        this.minute[i] === minute &&
        this.application[i] === application &&
        this.tenant[i] === tenant &&
        this.pop[i] === pop &&
        this.category[i] === category
      )
        return i;
      slot = (slot + 1) & mask;
    }
    return this.insert(slot, h, tenant, pop, minute, application, category);
  }

  addBytes(i: number, low: number, high: number): void {
    const sum = this.low[i] + low;
    if (sum >= CARRY_AT) {
      this.high[i] += Math.floor(sum / TWO_32);
      this.low[i] = sum % TWO_32;
    } else this.low[i] = sum;
    this.high[i] = (this.high[i] + high) % CARRY_AT;
  }

  /** Low and high word of the byte sum. */
  lowWord(i: number): number {
    return this.low[i] % TWO_32;
  }

  highWord(i: number): number {
    return (this.high[i] + Math.floor(this.low[i] / TWO_32)) % TWO_32;
  }

  private insert(
    slot: number,
    hash: number,
    tenant: number,
    pop: number,
    minute: number,
    application: number,
    category: number,
  ): number {
    const i = this.length++;
    if (i === this.minute.length) this.grow();
    this.tenant[i] = tenant;
    this.pop[i] = pop;
    this.minute[i] = minute;
    this.application[i] = application;
    this.category[i] = category;
    this.requests[i] = this.blocked[i] = this.low[i] = this.high[i] = 0;
    this.hashes[i] = hash;
    if (this.length * 2 > this.table.length) this.rehash();
    else this.table[slot] = i + 1;
    return i;
  }

  private grow(): void {
    const size = this.minute.length * 2;
    const words = (old: Uint32Array): Uint32Array => {
      const bigger = new Uint32Array(size);
      bigger.set(old);
      return bigger;
    };
    const sums = (old: Float64Array): Float64Array => {
      const bigger = new Float64Array(size);
      bigger.set(old);
      return bigger;
    };
    this.tenant = words(this.tenant);
    this.pop = words(this.pop);
    this.minute = words(this.minute);
    this.application = words(this.application);
    this.category = words(this.category);
    this.hashes = words(this.hashes);
    this.requests = sums(this.requests);
    this.blocked = sums(this.blocked);
    this.low = sums(this.low);
    this.high = sums(this.high);
  }

  private rehash(): void {
    const table = new Uint32Array(this.table.length * 2);
    const mask = table.length - 1;
    for (let i = 0; i < this.length; i++) {
      let slot = this.hashes[i] & mask;
      while (table[slot] !== 0) slot = (slot + 1) & mask;
      table[slot] = i + 1;
    }
    this.table = table;
  }
}
