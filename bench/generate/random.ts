// Seeded randomness for generated telemetry: the same seed gives the same bytes everywhere (sfc32, public domain).

export class Random {
  private a: number;
  private b: number;
  private c: number;
  private d: number;

  constructor(seed: number, stream = '') {
    let h = 0x811c9dc5 ^ seed;
    for (let i = 0; i < stream.length; i++) h = Math.imul(h ^ stream.charCodeAt(i), 0x01000193);
    this.a = h;
    this.b = Math.imul(seed | 0, 0x9e3779b1) ^ 0x243f6a88;
    this.c = 0xb7e15162;
    this.d = 1;
    for (let i = 0; i < 20; i++) this.u32();
  }

  u32(): number {
    const t = (((this.a + this.b) | 0) + this.d) | 0;
    this.d = (this.d + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (this.c << 21) | (this.c >>> 11);
    this.c = (this.c + t) | 0;
    return t >>> 0;
  }

  /** In [0, 1). */
  unit(): number {
    return this.u32() / 4294967296;
  }

  /** Integer in [from, to). */
  int(from: number, to: number): number {
    return from + Math.floor(this.unit() * (to - from));
  }

  pick<T>(items: readonly T[]): T {
    return items[this.int(0, items.length)];
  }

  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  /** Normal deviate (Box–Muller). */
  normal(mean: number, deviation: number): number {
    const u = Math.max(this.unit(), 1e-12);
    return mean + deviation * Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * this.unit());
  }

  /** Whole number with a heavy tail, as bytes of real flows have. */
  logNormal(mu: number, sigma: number): number {
    return Math.max(1, Math.round(Math.exp(this.normal(mu, sigma))));
  }

  hex(digits: number): string {
    let text = '';
    while (text.length < digits) text += this.u32().toString(16).padStart(8, '0');
    return text.slice(0, digits);
  }

  uuid(): string {
    const h = this.hex(32);
    return `${h.slice(0, 8)}-${h.slice(8, 12)}-4${h.slice(13, 16)}-a${h.slice(17, 20)}-${h.slice(20)}`;
  }
}
