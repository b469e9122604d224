/** The way of messages between two processes: late, lost, doubled, out of order, or cut. */

import type { Prng } from '../../src/lib/sim/prng.js'
import type { EventLoop } from './event-loop.js'

export interface NetworkFaults {
  readonly drop: number
  readonly duplicate: number
  readonly reorder: number
  readonly maxLatencyMs: number
}

export const CALM: NetworkFaults = { drop: 0, duplicate: 0, reorder: 0, maxLatencyMs: 2 }

/** One direction of one connection. */
export class Link {
  faults: NetworkFaults = CALM
  /** `drop`: what is sent is lost. `hold`: it arrives when the cut is over. */
  private cut: 'drop' | 'hold' | undefined
  private held: (() => void)[] = []
  private connection = 0
  private lastArrivalMs = 0

  constructor(
    private readonly loop: EventLoop,
    private readonly prng: Prng,
  ) {}

  send(deliver: () => void): void {
    const { prng, faults } = this
    if (this.cut === 'drop' || (faults.drop > 0 && prng.chance(faults.drop))) return
    if (this.cut === 'hold') {
      this.held.push(deliver)
      return
    }
    this.carry(deliver)
    if (faults.duplicate > 0 && prng.chance(faults.duplicate)) this.carry(deliver)
  }

  /** What is on its way is lost: the process behind it died, or the connection broke. */
  disconnect(): void {
    this.connection++
    this.held = []
    this.lastArrivalMs = 0
  }

  sever(how: 'drop' | 'hold'): void {
    this.cut = how
  }

  mend(): void {
    this.cut = undefined
    const { held } = this
    this.held = []
    for (const deliver of held) this.carry(deliver)
  }

  private carry(deliver: () => void): void {
    const { loop, prng, faults, connection } = this
    const latencyMs = faults.maxLatencyMs * prng.next()
    let arrivalMs = loop.nowMs + latencyMs
    const overtakes = faults.reorder > 0 && prng.chance(faults.reorder)
    if (overtakes) arrivalMs += prng.range(0, 10 * faults.maxLatencyMs)
    else this.lastArrivalMs = arrivalMs = Math.max(arrivalMs, this.lastArrivalMs)
    loop.after(arrivalMs - loop.nowMs, () => {
      if (this.connection === connection) deliver()
    })
  }
}
