/**
 * Is the link alive? By two clocks: whatever is heard, the answers to our own pings above all, and the venue's own
 * pings, which come every 10 s. Pure; times are our monotonic clock's, us.
 */

export interface PulseOptions {
  /** Without a pong or any message for so long, the link is dead. */
  readonly deadMs: number
  /** The same without a ping of the venue's. */
  readonly serverPingMs: number
}

/** Pings of ours that wait for a pong: ten seconds of them. */
const MAX_OPEN_PINGS = 40

export class LinkPulse {
  /** When each unanswered ping was sent; by its payload. */
  private readonly pings = new Map<string, number>()
  private pingCount = 0
  private heardUs: number
  private serverPingUs: number

  constructor(
    private readonly options: PulseOptions,
    nowUs: number,
  ) {
    this.heardUs = this.serverPingUs = nowUs
  }

  /** Both clocks begin anew. */
  restart(nowUs: number): void {
    this.heardUs = this.serverPingUs = nowUs
  }

  heard(nowUs: number): void {
    this.heardUs = nowUs
  }

  heardServerPing(nowUs: number): void {
    this.heardUs = this.serverPingUs = nowUs
  }

  /** The payload of a ping that is sent now. */
  ping(nowUs: number): string {
    const payload = String(++this.pingCount)
    this.pings.set(payload, nowUs)
    // One that is never answered proves nothing any more.
    if (this.pings.size > MAX_OPEN_PINGS) this.pings.delete(String(this.pingCount - MAX_OPEN_PINGS))
    return payload
  }

  /** When the ping of ours that this answers was sent; undefined for a pong that nobody asked for: it proves nothing. */
  answered(payload: string, nowUs: number): number | undefined {
    const sentUs = this.pings.get(payload)
    if (sentUs === undefined) return undefined
    this.pings.delete(payload)
    this.heardUs = nowUs
    return sentUs
  }

  /** Why the link is dead. `lateUs`: how much later than due it is asked, for what waits in the socket meanwhile. */
  deadBecause(nowUs: number, lateUs: number): 'does not answer' | 'sends no pings' | undefined {
    const { deadMs, serverPingMs } = this.options
    // After a stall of our own process its answers still wait in the socket: give them one more round.
    if (lateUs * 2 > deadMs * 1000) this.restart(nowUs)
    if (nowUs - this.heardUs > deadMs * 1000) return 'does not answer'
    if (nowUs - this.serverPingUs > serverPingMs * 1000) return 'sends no pings'
    return undefined
  }
}
