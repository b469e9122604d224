/** What the simulator counted by itself: the summary compares it with what exec says it did. */

export interface SimStats {
  /** Order requests that passed authentication and validation: a FAK or IOC with no match is an order too. */
  readonly orders: number
  /** Orders that took a size above zero, once per order; what filled an order that rested is not counted. */
  readonly fills: number
  readonly filledSizeE6: number
  /** What takers paid in total, without fees: buys positive, sells negative. */
  readonly cashMicros: number
  readonly feesMicros: number
  /** Market data frames sent. */
  readonly frames: number
  /** Requests and commands refused, by `<venue>:<reason>`. */
  readonly refused: Readonly<Record<string, number>>
  /** Wall clock of the scenario's last step, Unix ms. */
  readonly lastSignOfLifeMs: number
}

export class StatsCounter {
  private orders = 0
  private fills = 0
  private filledSizeE6 = 0
  private cashMicros = 0
  private feesMicros = 0
  private frames = 0
  private readonly refused = new Map<string, number>()
  private lastSignOfLifeMs = 0

  countOrder(): void {
    this.orders += 1
  }

  /** One order that filled, with its totals. */
  countFill(filledSizeE6: number, cashMicros: number, feesMicros: number): void {
    this.fills += 1
    this.filledSizeE6 += filledSizeE6
    this.cashMicros += cashMicros
    this.feesMicros += feesMicros
  }

  countFrame(): void {
    this.frames += 1
  }

  refuse(venue: string, reason: string): void {
    const key = `${venue}:${reason}`
    this.refused.set(key, (this.refused.get(key) ?? 0) + 1)
  }

  alive(wallMs: number): void {
    this.lastSignOfLifeMs = wallMs
  }

  read(): SimStats {
    return {
      orders: this.orders,
      fills: this.fills,
      filledSizeE6: this.filledSizeE6,
      cashMicros: this.cashMicros,
      feesMicros: this.feesMicros,
      frames: this.frames,
      refused: Object.fromEntries(this.refused),
      lastSignOfLifeMs: this.lastSignOfLifeMs,
    }
  }
}
