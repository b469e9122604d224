/** Time as an argument: rules take a `Clock`, so tests never sleep and simulations run at any speed. */

export interface Clock {
  /** Wall clock, Unix milliseconds. May jump. */
  nowMs(): number
  /** The host's monotonic clock (CLOCK_MONOTONIC), microseconds: comparable between processes of one host. */
  monoUs(): number
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monoUs: () => Number(process.hrtime.bigint() / 1000n),
}

/** A clock that moves only when told to. */
export class ManualClock implements Clock {
  constructor(
    private wallMs = 1_769_500_000_000,
    private monotonicUs = 1_000_000,
  ) {}

  nowMs(): number {
    return this.wallMs
  }

  monoUs(): number {
    return this.monotonicUs
  }

  /** Moves both clocks forward. */
  advanceMs(ms: number): void {
    this.wallMs += ms
    this.monotonicUs += ms * 1000
  }

  /** Sets the wall clock alone, as NTP or an operator would. */
  jumpTo(wallMs: number): void {
    this.wallMs = wallMs
  }
}
