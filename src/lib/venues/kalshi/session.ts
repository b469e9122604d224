/**
 * What one Kalshi connection knows: its subscription, the sequence, and which books may be believed. Pure: frames
 * and time go in, effects come out, the feed does the I/O.
 *
 * The venue's rules behind it: seq counts per sid, shared by all of its markets and by `ok`, `unsubscribed` and
 * `error`; any break makes every book of the sid suspect until that market's next snapshot; a repeated message must
 * not be applied again; a replaced sid goes on streaming and is ignored; sids and seqs start anew on a connection.
 */

import type { UpdateAction } from './commands.js'
import type {
  ErrorFrame,
  KalshiFrame,
  OkFrame,
  PlacedVerdict,
  SnapshotFrame,
  SubscribedFrame,
} from './frames.js'
import { PendingCommands, type PendingCommand } from './pending-commands.js'
import {
  notice,
  PROOF,
  reconnect,
  refused,
  skipped,
  verdictOf,
  type SessionEffect,
} from './session-effects.js'
import { Sequence } from './sequence.js'
import { SubscribePlan } from './subscribe-plan.js'
import { SubscribedBooks } from './subscribed-books.js'

export interface SessionOptions {
  readonly useYesPrice: boolean
  /** How long a snapshot may take after it was asked for, before the subscription is replaced. */
  readonly snapshotTimeoutMs: number
  /** How long a command may stay unanswered. */
  readonly commandTimeoutMs: number
}

type StreamFrame = Exclude<KalshiFrame, SubscribedFrame> | PlacedVerdict

export class BookSession {
  private wanted: ReadonlySet<string> = new Set()
  private readonly books: SubscribedBooks
  private readonly pending: PendingCommands
  private state: 'idle' | 'subscribing' | 'subscribed' = 'idle'
  private sid: number | undefined
  private readonly sequence = new Sequence()
  private resyncDeadlineUs: number | undefined
  private firstSnapshotDeadlineUs: number | undefined
  private lastSubscribeUs: number | undefined
  private hasLost = false
  private readonly plan = new SubscribePlan()

  constructor(private readonly options: SessionOptions) {
    this.books = new SubscribedBooks(options.useYesPrice, options.snapshotTimeoutMs * 1000)
    this.pending = new PendingCommands(options.commandTimeoutMs * 1000)
  }

  /** The subscription stands: an answered ping proves the books that are not BROKEN. */
  get isSubscribed(): boolean {
    return this.state === 'subscribed' || this.wanted.size === 0
  }

  /** Every wanted market has a book that follows an unbroken sequence. */
  get isComplete(): boolean {
    for (const ticker of this.wanted) if (!this.books.isFresh(ticker)) return false
    return true
  }

  /** Continuity was lost on this connection and is not mended yet. */
  get isResyncing(): boolean {
    return this.hasLost && !this.isComplete
  }

  /** The markets to follow from now on. */
  follow(tickers: Iterable<string>, nowUs: number): SessionEffect[] {
    this.wanted = new Set(tickers)
    const effects: SessionEffect[] = []
    if (this.state === 'idle') this.subscribe(nowUs, effects)
    else if (this.state === 'subscribed') this.reconcile(nowUs, effects)
    return effects
  }

  /** One parsed frame. No frame is without effect: what changes nothing has a verdict or a notice. */
  onFrame(frame: KalshiFrame | PlacedVerdict, nowUs: number): SessionEffect[] {
    const effects: SessionEffect[] = []
    if (frame.kind === 'subscribed') this.onSubscribed(frame, nowUs, effects)
    else if (this.state === 'subscribed' && frame.sid === this.sid) this.onOwn(frame, nowUs, effects)
    else this.onForeign(frame, nowUs, effects)
    return effects
  }

  /** Deadlines; call several times a second. */
  onTime(nowUs: number): SessionEffect[] {
    const effects: SessionEffect[] = []
    for (const { action } of this.pending.takeExpired(nowUs)) {
      if (action === 'subscribe') effects.push(reconnect('subscribe was not answered'))
      if (action === 'delete_markets') this.resubscribe(`${action} was not answered`, nowUs, effects)
    }
    if (this.state !== 'subscribed') return effects
    if (this.resyncDeadlineUs !== undefined && nowUs >= this.resyncDeadlineUs) {
      this.resubscribe('no snapshot after a loss', nowUs, effects)
    } else if (this.firstSnapshotDeadlineUs !== undefined && nowUs >= this.firstSnapshotDeadlineUs) {
      this.firstSnapshotDeadlineUs = undefined
      effects.push(reconnect('no snapshot after subscribing'))
    } else {
      this.askAgain(nowUs, effects)
    }
    return effects
  }

  private onSubscribed(frame: SubscribedFrame, nowUs: number, effects: SessionEffect[]): void {
    const command = this.pending.take(frame.id)
    if (command?.action !== 'subscribe' || frame.channel !== 'orderbook_delta') {
      effects.push(skipped('unexpected_subscribed'))
      return
    }
    this.state = 'subscribed'
    this.sid = frame.sid
    this.sequence.restart(frame.seq)
    this.firstSnapshotDeadlineUs = nowUs + this.options.commandTimeoutMs * 1000
    effects.push(notice('info', `subscribed to ${command.tickers.length} Kalshi books`))
    this.reconcile(nowUs, effects)
  }

  /** A message of the current subscription. */
  private onOwn(frame: StreamFrame, nowUs: number, effects: SessionEffect[]): void {
    const order = this.sequence.take(frame.seq)
    if (order === 'repeated') {
      effects.push(skipped('repeated_seq'))
      return
    }
    if (order === 'rewound') {
      effects.push(refused('seq_rewound', `seq ${frame.seq} on sid ${frame.sid}`))
      this.resubscribe('the sequence went back', nowUs, effects)
      return
    }
    if (order === 'in_order') effects.push(PROOF)
    if (order === 'gap')
      this.loseContinuity(`sequence gap before ${frame.seq} on sid ${frame.sid}`, nowUs, effects)
    switch (frame.kind) {
      case 'snapshot':
        this.onSnapshot(frame, nowUs, effects)
        break
      case 'delta': {
        const effect = this.books.delta(frame, nowUs)
        effects.push(effect ?? refused('negative_level', `${frame.ticker} seq ${frame.seq}`))
        if (effect === undefined) this.loseContinuity('a level fell below zero', nowUs, effects)
        break
      }
      case 'refused':
      case 'unknown':
        // Whatever it was, it was part of what our books are built from.
        effects.push(verdictOf(frame))
        this.loseContinuity(`unusable message on sid ${frame.sid}`, nowUs, effects)
        break
      case 'unsubscribed':
        // Our own unsubscribes make us forget the sid first: this one is the venue's doing.
        effects.push(skipped('unsubscribed'))
        this.resubscribe('the venue ended the subscription', nowUs, effects, 'dead')
        break
      case 'ok':
        this.onOwnOk(frame, nowUs, effects)
        break
      case 'error':
      case 'skipped':
        this.onForeign(frame, nowUs, effects)
        break
    }
  }

  /** Replies, and messages of no subscription, of an old one, or of one that we cannot tell. */
  private onForeign(frame: StreamFrame, nowUs: number, effects: SessionEffect[]): void {
    switch (frame.kind) {
      case 'snapshot':
      case 'delta':
        effects.push(skipped('old_sid'))
        break
      case 'ok':
      case 'unsubscribed': {
        effects.push(skipped(frame.kind))
        const command = this.pending.take(frame.id)
        if (command !== undefined && this.state === 'subscribed') this.reconcile(nowUs, effects)
        break
      }
      case 'error':
        this.onError(frame, nowUs, effects)
        break
      case 'skipped':
      case 'unknown':
        effects.push(verdictOf(frame))
        break
      case 'refused': {
        effects.push(verdictOf(frame))
        const mayBeOurs = frame.sid === undefined && (frame.type?.startsWith('orderbook_') ?? true)
        if (mayBeOurs && this.state === 'subscribed')
          this.loseContinuity('unreadable message', nowUs, effects)
        break
      }
    }
  }

  /** The reply to an update lists the subscription's markets as of that command: one that is not there has no stream. */
  private onOwnOk(frame: OkFrame, nowUs: number, effects: SessionEffect[]): void {
    effects.push(skipped('ok'))
    const command = this.pending.take(frame.id)
    if (command === undefined) return
    if (frame.marketTickers !== undefined && command.action !== 'get_snapshot') {
      const streamed = new Set([...frame.marketTickers, ...this.pending.joining()])
      effects.push(...this.books.breakOthers(streamed, nowUs))
    }
    this.reconcile(nowUs, effects)
  }

  private onSnapshot(frame: SnapshotFrame, nowUs: number, effects: SessionEffect[]): void {
    effects.push(this.books.snapshot(frame, nowUs))
    if (this.books.isFresh(frame.ticker)) this.firstSnapshotDeadlineUs = undefined
    if (this.resyncDeadlineUs !== undefined && this.books.seen.every(this.books.isFresh)) {
      this.resyncDeadlineUs = undefined
    }
  }

  private onError(frame: ErrorFrame, nowUs: number, effects: SessionEffect[]): void {
    const command = this.pending.take(frame.id)
    const text = `Kalshi error ${frame.code}: ${frame.message}`
    effects.push(notice(command?.action === 'unsubscribe' ? 'info' : 'error', text))
    if (command?.action === 'subscribe') {
      this.forget()
      if (frame.mayBeOneMarket && this.plan.refused(this.wanted)) this.subscribe(nowUs, effects)
      else effects.push(reconnect(`subscribe refused: ${text}`))
    } else if (this.state === 'subscribed' && (frame.sid === undefined || frame.sid === this.sid)) {
      if (frame.terminal) this.resubscribe(text, nowUs, effects, 'dead')
      else if (command !== undefined) this.onCommandRefused(command, text, nowUs, effects)
    }
  }

  private onCommandRefused(
    command: PendingCommand,
    text: string,
    nowUs: number,
    effects: SessionEffect[],
  ): void {
    // Refused additions leave the followed markets alone. A deletion or a resync that failed leaves none to trust.
    if (command.action === 'add_markets') this.books.postpone(command.tickers, nowUs)
    else if (command.action === 'delete_markets') this.resubscribe(text, nowUs, effects)
    else if (command.action === 'get_snapshot' && this.resyncDeadlineUs !== undefined) {
      const { seen } = this.books
      if (command.tickers.some((ticker) => seen.includes(ticker))) this.resubscribe(text, nowUs, effects)
    }
  }

  private loseContinuity(reason: string, nowUs: number, effects: SessionEffect[]): void {
    this.hasLost = true
    effects.push(...this.books.breakAll(nowUs))
    const { seen } = this.books
    if (seen.length === 0) return
    effects.push(notice('warn', `${reason}: asking for ${seen.length} snapshots`))
    this.resyncDeadlineUs ??= nowUs + this.options.snapshotTimeoutMs * 1000
    this.update('get_snapshot', seen, nowUs, effects)
  }

  /** Replaces the subscription; the old sid is ignored from here on. Too soon after the last time, the connection goes. */
  private resubscribe(
    reason: string,
    nowUs: number,
    effects: SessionEffect[],
    old: 'alive' | 'dead' = 'alive',
  ): void {
    this.hasLost = true
    effects.push(...this.books.breakAll(nowUs))
    const paceUs = (this.options.snapshotTimeoutMs * 1000) / 2
    if (this.lastSubscribeUs !== undefined && nowUs - this.lastSubscribeUs < paceUs) {
      effects.push(reconnect(reason))
      return
    }
    effects.push(notice('warn', `${reason}: subscribing anew`))
    if (old === 'alive') this.unsubscribe(nowUs, effects)
    this.forget()
    this.subscribe(nowUs, effects)
  }

  private subscribe(nowUs: number, effects: SessionEffect[]): void {
    if (this.wanted.size === 0) return
    const tickers = this.plan.first(this.wanted)
    for (const ticker of tickers) this.books.join(ticker, nowUs)
    this.state = 'subscribing'
    this.lastSubscribeUs = nowUs
    effects.push({ kind: 'send', command: this.pending.subscribe(tickers, this.options.useYesPrice, nowUs) })
  }

  private unsubscribe(nowUs: number, effects: SessionEffect[]): void {
    if (this.sid === undefined) return
    effects.push({ kind: 'send', command: this.pending.unsubscribe(this.sid, nowUs) })
  }

  private forget(): void {
    this.state = 'idle'
    this.sid = undefined
    this.sequence.restart()
    this.resyncDeadlineUs = undefined
    this.firstSnapshotDeadlineUs = undefined
    this.books.clear()
    this.pending.forgetSubscription()
  }

  /**
   * Brings the subscription's markets to the wanted ones. A market whose deletion is not acknowledged is not added
   * again before it is: a snapshot sent before the deletion would be taken for the new one.
   */
  private reconcile(nowUs: number, effects: SessionEffect[]): void {
    if (this.sid === undefined) return
    if (this.wanted.size === 0) {
      this.unsubscribe(nowUs, effects)
      this.forget()
      return
    }
    const leaving = this.pending.leaving()
    const added = [...this.wanted].filter((ticker) => !this.books.has(ticker) && !leaving.has(ticker))
    const deleted = this.books.tickers.filter((ticker) => !this.wanted.has(ticker))
    for (const ticker of added) this.books.join(ticker, nowUs)
    for (const ticker of deleted) this.books.leave(ticker)
    for (const list of this.plan.additions(added)) this.update('add_markets', list, nowUs, effects)
    this.update('delete_markets', deleted, nowUs, effects)
  }

  private update(
    action: UpdateAction,
    tickers: readonly string[],
    nowUs: number,
    effects: SessionEffect[],
  ): void {
    if (this.sid === undefined || tickers.length === 0) return
    effects.push({ kind: 'send', command: this.pending.update(this.sid, action, tickers, nowUs) })
  }

  private askAgain(nowUs: number, effects: SessionEffect[]): void {
    const { unseen, crossed } = this.books.due(nowUs)
    if (crossed.length > 0) {
      effects.push(notice('warn', `${crossed.length} Kalshi books stay crossed: asking for snapshots`))
      this.update('get_snapshot', crossed, nowUs, effects)
    }
    if (unseen.length === 0) return
    effects.push(notice('warn', `no snapshot yet of ${unseen.length} Kalshi books: asking again`))
    for (const ticker of unseen) {
      // One by one: a market that the venue refuses must not take others with it.
      this.update('add_markets', [ticker], nowUs, effects)
      this.update('get_snapshot', [ticker], nowUs, effects)
    }
  }
}
