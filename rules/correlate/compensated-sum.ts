// A running sum that keeps the rounding error of each step apart (Neumaier), so that adding a value and taking it away
// again leaves no trace: with plain doubles 0.1 + 20 - 0.1 is below 20, and a threshold of 20 would be missed.

export class CompensatedSum {
  sum = 0;
  error = 0;

  get value(): number {
    return this.sum + this.error;
  }

  add(value: number): void {
    const { sum } = this;
    const next = sum + value;
    this.error += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    this.sum = next;
  }

  set(value: number): void {
    this.sum = value;
    this.error = 0;
  }
}
