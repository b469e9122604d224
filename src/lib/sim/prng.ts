/** Seeded randomness for scenarios: the same seed and label always give the same stream. */

import { createHash } from 'node:crypto'

export class Prng {
  private state: number

  /** @param label names the stream, so that one part drawing more does not shift another. */
  constructor(
    private readonly seed: number,
    private readonly label: string,
  ) {
    this.state = createHash('sha256').update(`${seed}:${label}`).digest().readUInt32LE(0)
  }

  /** An independent stream under this one. */
  fork(label: string): Prng {
    return new Prng(this.seed, `${this.label}/${label}`)
  }

  /** Uniform in [0, 1) (mulberry32). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }

  /** Uniform in [low, high). */
  range(low: number, high: number): number {
    return low + this.next() * (high - low)
  }

  /** Uniform integer in [low, high]. */
  int(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1))
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  /** Roughly normal, mean 0, deviation 1 (sum of uniforms): no tail beyond 3.5. */
  noise(): number {
    let sum = 0
    for (let i = 0; i < 4; i += 1) sum += this.next()
    return (sum - 2) * Math.sqrt(3)
  }

  shuffle<T>(items: readonly T[]): T[] {
    const copy = items.slice()
    for (let i = copy.length - 1; i > 0; i -= 1) {
      const j = this.int(0, i)
      const a = copy[i] as T
      copy[i] = copy[j] as T
      copy[j] = a
    }
    return copy
  }
}
