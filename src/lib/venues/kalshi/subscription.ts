/**
 * Keeps one connection's book subscription equal to what is wanted: the commands, their answers and the deadlines.
 * What a message means for a book is the session's.
 */

import type { UpdateAction } from './commands.js'
import type { ErrorFrame, OkFrame, SubscribedFrame } from './reply-frames.js'
import { PendingCommands, type PendingCommand } from './pending-commands.js'
import { notice, reconnect, skipped, type Turn } from './session-effects.js'
import { SilenceWatch } from './silence-watch.js'
import { SubscribePlan } from './subscribe-plan.js'
import { SubscribedBooks } from './subscribed-books.js'

export interface SubscriptionOptions {
  readonly useYesPrice: boolean
  /** How long a snapshot may take after it was asked for, before the subscription is replaced. */
  readonly snapshotTimeoutMs: number
  /** How long a subscription may be silent before it is asked for a snapshot. */
  readonly quietMs: number
  /** How long the answer to that may take, before the subscription counts as dead. */
  readonly silenceAnswerMs: number
  /** How long a command may stay unanswered. */
  readonly commandTimeoutMs: number
}

/** Answers a command about a subscription that the venue does not know, or no longer. */
const UNKNOWN_SID = 7
/** Answers a command that came too soon after others. */
const COMMAND_RATE = 27
/** One loss after another asks for all snapshots so often at most. */
const RESYNC_EVERY_US = 100_000

export class BookSubscription {
  readonly books: SubscribedBooks
  readonly silence: SilenceWatch
  private readonly pending: PendingCommands
  private readonly plan = new SubscribePlan()
  private readonly snapshotTimeoutUs: number
  private readonly commandTimeoutUs: number
  private wantedTickers: ReadonlySet<string> = new Set()
  private currentSid: number | undefined
  /** When the last `subscribe` was sent, us. */
  private subscribedAtUs: number | undefined
  private isSubscribing = false
  private resyncDeadlineUs: number | undefined
  private firstSnapshotDeadlineUs: number | undefined
  /** When all snapshots were last asked for, and whether that was before the latest loss. */
  private resyncAskedUs: number | undefined
  private isResyncDue = false
  private hasLostOnce = false

  constructor(private readonly options: SubscriptionOptions) {
    this.snapshotTimeoutUs = options.snapshotTimeoutMs * 1000
    this.commandTimeoutUs = options.commandTimeoutMs * 1000
    this.books = new SubscribedBooks(options.useYesPrice, this.snapshotTimeoutUs)
    this.silence = new SilenceWatch(options.quietMs * 1000, options.silenceAnswerMs * 1000)
    this.pending = new PendingCommands(this.commandTimeoutUs)
  }

  /** The subscription that stands; undefined before it is confirmed and while it is replaced. */
  get sid(): number | undefined {
    return this.currentSid
  }

  get wanted(): ReadonlySet<string> {
    return this.wantedTickers
  }

  /** Continuity was lost at least once. */
  get hasLost(): boolean {
    return this.hasLostOnce
  }

  follow(tickers: Iterable<string>, turn: Turn): void {
    this.wantedTickers = new Set(tickers)
    if (this.currentSid !== undefined) this.reconcile(turn)
    else if (!this.isSubscribing) this.subscribe(turn)
  }

  /** False when it confirms nothing that we asked for. */
  onSubscribed(frame: SubscribedFrame, turn: Turn): boolean {
    const command = this.pending.take(frame.id)
    if (command?.action !== 'subscribe' || frame.channel !== 'orderbook_delta') return false
    this.pending.accepted(turn.nowUs)
    this.currentSid = frame.sid
    this.isSubscribing = false
    this.firstSnapshotDeadlineUs = turn.nowUs + this.commandTimeoutUs
    this.silence.heard(turn.nowUs)
    this.books.list(command.tickers)
    turn.effects.push(notice('info', `subscribed to ${command.tickers.length} Kalshi books`))
    this.reconcile(turn)
    return true
  }

  /** The books show a snapshot that has just come. */
  onSnapshot(ticker: string): void {
    if (this.books.isFresh(ticker)) this.firstSnapshotDeadlineUs = undefined
    if (this.resyncDeadlineUs !== undefined && this.books.seen.every(this.books.isFresh)) {
      this.resyncDeadlineUs = undefined
    }
  }

  /** The reply to an update lists the subscription's markets as of that command: one that is not there has no stream. */
  onOk(frame: OkFrame, turn: Turn): void {
    turn.effects.push(skipped('ok'))
    const command = this.pending.take(frame.id)
    if (command !== undefined) this.pending.accepted(turn.nowUs)
    if (command === undefined || this.currentSid === undefined) return
    const isUpdate = command.action === 'add_markets' || command.action === 'delete_markets'
    if (isUpdate && frame.marketTickers !== undefined) {
      const streamed = new Set([...frame.marketTickers, ...this.pending.joining()])
      turn.effects.push(...this.books.breakOthers(streamed, turn.nowUs))
    }
    const listed = frame.marketTickers ?? command.tickers
    if (command.action === 'add_markets') this.update('get_snapshot', this.books.list(listed), turn)
    this.reconcile(turn)
  }

  onUnsubscribed(id: number | undefined, turn: Turn): void {
    turn.effects.push(skipped('unsubscribed'))
    this.pending.take(id)
  }

  onError(frame: ErrorFrame, turn: Turn): void {
    const command = this.pending.take(frame.id)
    const text = `Kalshi error ${frame.code}: ${frame.message}`
    turn.effects.push(notice(command?.action === 'unsubscribe' ? 'info' : 'error', text))
    if (frame.code === COMMAND_RATE) {
      this.onTooFast(command, turn)
    } else if (command?.action === 'subscribe') {
      this.forget()
      if (frame.mayBeOneMarket && this.plan.refused(this.wantedTickers)) this.subscribe(turn)
      else turn.effects.push(reconnect(`subscribe refused: ${text}`))
    } else if (this.currentSid !== undefined && (frame.sid === undefined || frame.sid === this.currentSid)) {
      const isDead = frame.terminal || (frame.code === UNKNOWN_SID && command?.action !== 'unsubscribe')
      if (isDead) this.resubscribe(text, turn, 'dead')
      else if (command !== undefined) this.onUpdateRefused(command, text, turn)
    }
  }

  /** Every book is suspect: BROKEN until its next snapshot, which is asked for now. */
  loseContinuity(reason: string, turn: Turn): void {
    this.hasLostOnce = true
    turn.effects.push(...this.books.breakAll(turn.nowUs))
    const { seen } = this.books
    if (seen.length === 0) return
    this.resyncDeadlineUs ??= turn.nowUs + this.snapshotTimeoutUs
    this.isResyncDue = true
    if (this.mayResync(turn.nowUs)) this.resync(reason, turn)
  }

  /** Asks for snapshots of books that are believed. */
  ask(tickers: readonly string[], turn: Turn): void {
    this.update('get_snapshot', tickers.filter(this.books.isFresh), turn)
  }

  /** Replaces the subscription; the old sid is ignored from here on. Too soon after the last time, the connection goes. */
  resubscribe(reason: string, turn: Turn, old: 'alive' | 'dead' = 'alive'): void {
    this.hasLostOnce = true
    turn.effects.push(...this.books.breakAll(turn.nowUs))
    if (this.subscribedAtUs !== undefined && turn.nowUs - this.subscribedAtUs < this.snapshotTimeoutUs / 2) {
      turn.effects.push(reconnect(reason))
      return
    }
    turn.effects.push(notice('warn', `${reason}: subscribing anew`))
    if (old === 'alive') this.unsubscribe(turn)
    this.forget()
    this.subscribe(turn)
  }

  onTime(turn: Turn): void {
    const { nowUs, effects } = turn
    effects.push(...this.pending.release(nowUs))
    if (this.isSubscribing && nowUs - (this.subscribedAtUs ?? nowUs) >= this.commandTimeoutUs) {
      effects.push(reconnect('subscribe was not answered'))
    }
    for (const { action } of this.pending.takeExpired(nowUs)) {
      if (action === 'delete_markets') this.resubscribe(`${action} was not answered`, turn)
    }
    if (this.currentSid === undefined) return
    if (this.resyncDeadlineUs !== undefined) {
      if (nowUs >= this.resyncDeadlineUs) this.resubscribe('no snapshot after a loss', turn)
      else if (this.isResyncDue && this.mayResync(nowUs)) this.resync('lost again', turn)
    } else if (this.firstSnapshotDeadlineUs !== undefined && nowUs >= this.firstSnapshotDeadlineUs) {
      this.firstSnapshotDeadlineUs = undefined
      effects.push(reconnect('no snapshot after subscribing'))
    } else {
      this.breakSilence(turn)
    }
    this.askAgain(turn)
  }

  private mayResync(nowUs: number): boolean {
    return this.resyncAskedUs === undefined || nowUs - this.resyncAskedUs >= RESYNC_EVERY_US
  }

  private resync(reason: string, turn: Turn): void {
    const { seen } = this.books
    turn.effects.push(notice('warn', `${reason}: asking for ${seen.length} snapshots`))
    this.isResyncDue = false
    this.resyncAskedUs = turn.nowUs
    this.update('get_snapshot', seen, turn)
  }

  /** The command goes again later, so what waits for its answer waits longer. */
  private onTooFast(command: PendingCommand | undefined, turn: Turn): void {
    const sentAtUs = this.pending.again(command, turn.nowUs)
    if (command?.action === 'subscribe') this.subscribedAtUs = sentAtUs
    if (command?.action !== 'get_snapshot') return
    this.silence.heard(sentAtUs)
    if (this.resyncDeadlineUs !== undefined) this.resyncDeadlineUs = sentAtUs + this.snapshotTimeoutUs
  }

  private onUpdateRefused(command: PendingCommand, text: string, turn: Turn): void {
    // Refused additions leave the followed markets alone. A deletion or a resync that failed leaves none to trust.
    if (command.action === 'add_markets') {
      this.books.postpone(command.tickers, turn.nowUs)
    } else if (command.action === 'delete_markets') {
      this.resubscribe(text, turn)
    } else if (this.resyncDeadlineUs === undefined) {
      // One market's refusal of a snapshot is a sign of life as well.
      this.silence.heard(turn.nowUs)
    } else if (command.tickers.some((ticker) => this.books.seen.includes(ticker))) {
      this.resubscribe(text, turn)
    }
  }

  /**
   * Brings the subscription's markets to the wanted ones. A market whose deletion is not acknowledged is not added
   * again before it is: a snapshot sent before the deletion would be taken for the new one.
   */
  private reconcile(turn: Turn): void {
    if (this.wantedTickers.size === 0) {
      this.unsubscribe(turn)
      this.forget()
      return
    }
    const leaving = this.pending.leaving()
    const added = [...this.wantedTickers].filter((ticker) => !this.books.has(ticker) && !leaving.has(ticker))
    const deleted = this.books.tickers.filter((ticker) => !this.wantedTickers.has(ticker))
    for (const ticker of added) this.books.join(ticker, turn.nowUs)
    for (const ticker of deleted) turn.effects.push(...this.books.leave(ticker))
    for (const list of this.plan.additions(added)) this.update('add_markets', list, turn)
    this.update('delete_markets', deleted, turn)
  }

  private subscribe(turn: Turn): void {
    if (this.wantedTickers.size === 0) return
    const tickers = this.plan.first(this.wantedTickers)
    for (const ticker of tickers) this.books.join(ticker, turn.nowUs)
    this.isSubscribing = true
    this.subscribedAtUs = this.pending.sendsAtUs(turn.nowUs)
    turn.effects.push(...this.pending.subscribe(tickers, this.options.useYesPrice, turn.nowUs))
  }

  private update(action: UpdateAction, tickers: readonly string[], turn: Turn): void {
    if (this.currentSid === undefined || tickers.length === 0) return
    if (action === 'get_snapshot') this.books.asked(tickers, turn.nowUs)
    turn.effects.push(...this.pending.update(this.currentSid, action, tickers, turn.nowUs))
  }

  private unsubscribe(turn: Turn): void {
    if (this.currentSid !== undefined)
      turn.effects.push(...this.pending.unsubscribe(this.currentSid, turn.nowUs))
  }

  private forget(): void {
    this.currentSid = undefined
    this.isSubscribing = false
    this.isResyncDue = false
    this.resyncDeadlineUs = undefined
    this.firstSnapshotDeadlineUs = undefined
    this.books.clear()
    this.pending.forgetSubscription()
  }

  private breakSilence(turn: Turn): void {
    const { seen } = this.books
    if (seen.length === 0) return
    const state = this.silence.check(turn.nowUs)
    if (state === 'ask') this.update('get_snapshot', seen.slice(0, 1), turn)
    if (state === 'dead') this.resubscribe('a silent subscription gives no snapshot', turn)
  }

  private askAgain(turn: Turn): void {
    const { unseen, crossed } = this.books.due(turn.nowUs)
    if (crossed.length > 0) {
      turn.effects.push(notice('warn', `${crossed.length} Kalshi books stay crossed: asking for snapshots`))
      this.update('get_snapshot', crossed, turn)
    }
    if (unseen.length === 0) return
    turn.effects.push(notice('warn', `no snapshot yet of ${unseen.length} Kalshi books: asking again`))
    for (const ticker of unseen) {
      // One by one: a market that the venue refuses must not take others with it.
      this.books.asked([ticker], turn.nowUs)
      this.update('add_markets', [ticker], turn)
    }
  }
}
