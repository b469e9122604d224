/** What the simulated Polymarket permits right now, whom it serves, and what its clock shows. */

import type { Clock } from '../../core/clock.js'
import { polyError, type PolyRefusal } from './errors.js'

/** `restart`: nothing about orders is answered; `disabled`: neither orders nor cancels are taken. */
export type Mode = 'restart' | 'disabled' | 'cancel_only' | 'post_only'

const restarting = polyError(425, 'restart', 'the matching engine is restarting')
const disabled = polyError(503, 'disabled', 'Trading is currently disabled. Check polymarket.com for updates')
const cancelOnly = polyError(
  503,
  'cancel_only',
  'Trading is currently cancel-only. New orders are not accepted, but cancels are allowed.',
)
const restricted = polyError(
  403,
  'geoblock',
  'Trading restricted in your region, please refer to available regions - https://docs.polymarket.com/developers/CLOB/geoblock',
)

export class VenueState {
  private readonly modes = new Set<{ readonly mode: Mode; readonly endsMs: number | undefined }>()
  private blocks = 0
  private offMs = 0

  constructor(private readonly clock: Clock) {}

  /** Unix ms by the venue's clock. */
  nowMs(): number {
    return this.clock.nowMs() + this.offMs
  }

  /** How far the venue's clock is off, ms; 0 when it is right. */
  get skewMs(): number {
    return this.offMs
  }

  /** Returns what ends it. */
  skew(byMs: number): () => void {
    this.offMs += byMs
    return () => (this.offMs -= byMs)
  }

  /** Returns what ends it. */
  enter(mode: Mode, forMs: number | undefined): () => void {
    const entered = { mode, endsMs: forMs === undefined ? undefined : this.clock.nowMs() + forMs }
    this.modes.add(entered)
    return () => this.modes.delete(entered)
  }

  /** No orders from where we are. Returns what ends it. */
  block(): () => void {
    this.blocks += 1
    return () => (this.blocks -= 1)
  }

  /** Comes before anybody is asked who he is. */
  refuseRegion(): PolyRefusal | undefined {
    return this.blocks > 0 ? restricted : undefined
  }

  refuseOrder(postOnly: boolean): PolyRefusal | undefined {
    const closed = this.refuseCancel()
    if (closed !== undefined) return closed
    if (this.isIn('cancel_only')) return cancelOnly
    return !postOnly && this.isIn('post_only') ? this.postOnlyMode() : undefined
  }

  /** Nothing trades, and no book moves. */
  get isHalted(): boolean {
    return this.isIn('restart') || this.isIn('disabled')
  }

  /** Of orders, that is: trades and books are read all the same. */
  refuseRead(): PolyRefusal | undefined {
    return this.isIn('restart') ? restarting : undefined
  }

  refuseCancel(): PolyRefusal | undefined {
    if (this.isIn('restart')) return restarting
    return this.isIn('disabled') ? disabled : undefined
  }

  /** `GET /api/geoblock`. */
  geoblock(): unknown {
    const blocked = this.blocks > 0
    return { blocked, ip: '127.0.0.1', country: blocked ? 'US' : 'IE', region: blocked ? 'NY' : 'L' }
  }

  private isIn(mode: Mode): boolean {
    return [...this.modes].some((each) => each.mode === mode)
  }

  private postOnlyMode(): PolyRefusal {
    const ends = [...this.modes].flatMap(({ mode, endsMs }) =>
      mode === 'post_only' && endsMs ? [endsMs] : [],
    )
    const leftMs = Math.max(0, ...ends) - this.clock.nowMs()
    return {
      status: 503,
      reason: 'post_only_mode',
      body: {
        error: 'post-only mode: only post-only orders and cancels are allowed',
        code: 'post_only_mode',
        retry_after_seconds: Math.max(1, Math.ceil(leftMs / 1000)),
      },
    }
  }
}
