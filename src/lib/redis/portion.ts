/**
 * How much to ask Redis for, or to write, in one call: a quarter after each that took too long, a little more after each
 * that did not. Pure.
 */
export class Portion {
  private current: number

  /** A call of `most` holds up nobody where Redis is near. */
  constructor(private readonly most: number) {
    this.current = most
  }

  /** At least 1. */
  get size(): number {
    return this.current
  }

  tookTooLong(): void {
    this.current = Math.ceil(this.current / 4)
  }

  cameInTime(): void {
    this.current = Math.min(this.most, this.current + Math.ceil(this.most / 50))
  }
}
