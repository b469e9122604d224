/**
 * What the messages of one Kalshi connection mean, and which books may be believed. Pure: frames and time go in,
 * effects come out, the feed does the I/O.
 *
 * The venue's rules behind it: seq counts per sid, shared by all of its markets and by `ok`, `unsubscribed` and
 * `error`; any break makes every book of the sid suspect until that market's next snapshot; a repeated message must
 * not be applied again; a replaced sid goes on streaming and is ignored; sids and seqs start anew on a connection.
 */

import type { PlacedVerdict } from './frame-place.js'
import type { KalshiFrame } from './frames.js'
import type { SubscribedFrame } from './reply-frames.js'
import { Sequence } from './sequence.js'
import { PROOF, refused, skipped, verdictOf, type SessionEffect, type Turn } from './session-effects.js'
import { BookSubscription, type SubscriptionOptions } from './subscription.js'

type StreamFrame = Exclude<KalshiFrame, SubscribedFrame> | PlacedVerdict

export class BookSession {
  private readonly subscription: BookSubscription
  private readonly sequence = new Sequence()

  constructor(options: SubscriptionOptions) {
    this.subscription = new BookSubscription(options)
  }

  /** The subscription stands: an answered ping proves the books that are not BROKEN. */
  get isSubscribed(): boolean {
    return this.subscription.sid !== undefined || this.subscription.wanted.size === 0
  }

  /** Every wanted market has a book that follows an unbroken sequence. */
  get isComplete(): boolean {
    const { books, wanted } = this.subscription
    for (const ticker of wanted) if (!books.isFresh(ticker)) return false
    return true
  }

  /** Continuity was lost on this connection and is not mended yet. */
  get isResyncing(): boolean {
    return this.subscription.hasLost && !this.isComplete
  }

  /** The markets to follow from now on. */
  follow(tickers: Iterable<string>, nowUs: number): SessionEffect[] {
    const turn: Turn = { nowUs, effects: [] }
    this.subscription.follow(tickers, turn)
    return turn.effects
  }

  /** Asks for new snapshots of books that are believed: where they stand is told anew by them. */
  ask(tickers: readonly string[], nowUs: number): SessionEffect[] {
    const turn: Turn = { nowUs, effects: [] }
    this.subscription.ask(tickers, turn)
    return turn.effects
  }

  /** One parsed frame. No frame is without effect: what changes nothing has a verdict or a notice. */
  onFrame(frame: KalshiFrame | PlacedVerdict, nowUs: number): SessionEffect[] {
    const turn: Turn = { nowUs, effects: [] }
    if (frame.kind === 'subscribed') this.onSubscribed(frame, turn)
    else if (frame.sid !== undefined && frame.sid === this.subscription.sid) this.onOwn(frame, turn)
    else this.onForeign(frame, turn)
    return turn.effects
  }

  /** Deadlines; call several times a second. */
  onTime(nowUs: number): SessionEffect[] {
    const turn: Turn = { nowUs, effects: [] }
    this.subscription.onTime(turn)
    return turn.effects
  }

  private onSubscribed(frame: SubscribedFrame, turn: Turn): void {
    if (this.subscription.onSubscribed(frame, turn)) this.sequence.restart(frame.seq)
    else turn.effects.push(skipped('unexpected_subscribed'))
  }

  /** A message of the current subscription. */
  private onOwn(frame: StreamFrame, turn: Turn): void {
    const { subscription } = this
    const order = this.sequence.take(frame.seq)
    if (order === 'repeated') {
      turn.effects.push(skipped('repeated_seq'))
      return
    }
    if (order === 'rewound') {
      turn.effects.push(refused('seq_rewound', `seq ${frame.seq} on sid ${frame.sid}`))
      subscription.resubscribe('the sequence went back', turn)
      return
    }
    if (order !== 'none') subscription.silence.heard(turn.nowUs)
    if (order === 'in_order') turn.effects.push(PROOF)
    if (order === 'gap')
      subscription.loseContinuity(`sequence gap before ${frame.seq} on sid ${frame.sid}`, turn)
    this.onContent(frame, turn)
  }

  private onContent(frame: StreamFrame, turn: Turn): void {
    const { subscription } = this
    switch (frame.kind) {
      case 'snapshot':
        turn.effects.push(...subscription.books.snapshot(frame, turn.nowUs))
        subscription.onSnapshot(frame.ticker)
        break
      case 'delta': {
        const effect = subscription.books.delta(frame, turn.nowUs)
        turn.effects.push(effect ?? refused('negative_level', `${frame.ticker} seq ${frame.seq}`))
        if (effect === undefined) subscription.loseContinuity('a level fell below zero', turn)
        break
      }
      case 'refused':
      case 'unknown':
        // Whatever it was, it was part of what our books are built from.
        turn.effects.push(verdictOf(frame))
        subscription.loseContinuity(`unusable message on sid ${frame.sid}`, turn)
        break
      case 'unsubscribed':
        // Our own unsubscribes make us forget the sid first: this one is the venue's doing.
        subscription.onUnsubscribed(frame.id, turn)
        subscription.resubscribe('the venue ended the subscription', turn, 'dead')
        break
      case 'ok':
      case 'error':
      case 'skipped':
      case 'catalog':
        this.onForeign(frame, turn)
        break
    }
  }

  /** Replies, and messages of no subscription, of an old one, or of one that we cannot tell. */
  private onForeign(frame: StreamFrame, turn: Turn): void {
    const { subscription } = this
    switch (frame.kind) {
      case 'snapshot':
      case 'delta':
        turn.effects.push(skipped('old_sid'))
        break
      case 'ok':
        subscription.onOk(frame, turn)
        break
      case 'unsubscribed':
        subscription.onUnsubscribed(frame.id, turn)
        break
      case 'error':
        subscription.onError(frame, turn)
        break
      case 'skipped':
      case 'unknown':
        turn.effects.push(verdictOf(frame))
        break
      case 'catalog':
        turn.effects.push(skipped(frame.type))
        break
      case 'refused': {
        turn.effects.push(verdictOf(frame))
        const mayBeOurs = frame.sid === undefined && (frame.type?.startsWith('orderbook_') ?? true)
        if (mayBeOurs && subscription.sid !== undefined)
          subscription.loseContinuity('unreadable message', turn)
        break
      }
    }
  }
}
