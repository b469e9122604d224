/**
 * The `market_lifecycle_v2` subscription of one connection: changes of the catalog, in order. Pure. Whatever may have
 * been missed (before it stood, a gap, an unreadable message) is told as one change, `missed`: the catalog asks again.
 * Without it the catalog is only asked, so nothing here ends a connection.
 */

import { subscribeCatalog } from './commands.js'
import type { PlacedVerdict } from './frame-place.js'
import type { KalshiFrame } from './frames.js'
import { Sequence } from './sequence.js'
import { notice, skipped, verdictOf, type SessionEffect } from './session-effects.js'

/** Ids of our commands, beyond those of the books on the same connection. */
const FIRST_ID = 1_000_000_000
const ANSWER_US = 5_000_000
/** After a refusal, or the venue's own end of it. */
const RETRY_US = 10_000_000

const MISSED: SessionEffect = { kind: 'catalog', change: { kind: 'missed' } }

export class CatalogSession {
  private readonly sequence = new Sequence()
  private sid: number | undefined
  private commandId = FIRST_ID
  /** When to subscribe again, us; undefined while a subscription stands. */
  private dueUs: number | undefined

  /** The connection is open. */
  open(nowUs: number): SessionEffect[] {
    this.sid = undefined
    this.dueUs = nowUs + ANSWER_US
    return [{ kind: 'send', command: subscribeCatalog(++this.commandId) }]
  }

  /** Undefined for what is not this subscription's. */
  onFrame(frame: KalshiFrame | PlacedVerdict, nowUs: number): SessionEffect[] | undefined {
    if (frame.kind === 'subscribed') {
      if (frame.id !== this.commandId) return undefined
      this.sid = frame.sid
      this.dueUs = undefined
      this.sequence.restart(frame.seq)
      return [MISSED]
    }
    if (frame.kind === 'error' && frame.id === this.commandId) return this.lose(nowUs, frame.message)
    return this.sid !== undefined && frame.sid === this.sid ? this.onOwn(frame, nowUs) : undefined
  }

  onTime(nowUs: number): SessionEffect[] {
    return this.dueUs !== undefined && nowUs >= this.dueUs ? this.open(nowUs) : []
  }

  private onOwn(
    frame: Exclude<KalshiFrame, { readonly kind: 'subscribed' }> | PlacedVerdict,
    nowUs: number,
  ): SessionEffect[] {
    const order = this.sequence.take(frame.seq)
    if (order === 'repeated') return [skipped('repeated_seq')]
    const missed = order === 'gap' || order === 'rewound' ? [MISSED] : []
    switch (frame.kind) {
      case 'catalog':
        return [...missed, { kind: 'catalog', change: frame.change }]
      case 'unsubscribed':
        return this.lose(nowUs, 'the venue ended it')
      case 'error':
        return frame.terminal ? this.lose(nowUs, frame.message) : missed
      case 'refused':
      case 'unknown':
        return [verdictOf(frame), MISSED]
      case 'skipped':
        return [verdictOf(frame), ...missed]
      default:
        return missed
    }
  }

  private lose(nowUs: number, why: string): SessionEffect[] {
    this.sid = undefined
    this.dueUs = nowUs + RETRY_US
    return [notice('warn', `Kalshi tells no changes of its catalog: ${why}`)]
  }
}
