/** Everything that exec hears but signals: details of markets, and what is wrong with messages. */

import type { Gap } from '../bus/gap.js'
import type { ChannelState } from '../bus/recovering-subscriber.js'
import type { Problem, Received } from '../bus/subscriber.js'
import type { Heartbeat } from '../messages/heartbeat.js'
import type { Execution } from '../execution/execution.js'
import type { ExecMarkets } from './exec-markets.js'
import { countProblem } from './count-problem.js'
import type { RoleContext } from './role.js'

/** The same complaint is logged at most so often. */
const COMPLAIN_EVERY_MS = 60_000

export class ExecBus {
  private readonly complainedMs = new Map<string, number>()

  constructor(
    private readonly context: RoleContext,
    private readonly markets: ExecMarkets,
    private readonly execution: Execution,
  ) {}

  onDetails({ message }: Received): void {
    const { topic } = message
    if (message.family === 'games') {
      const { payload } = message
      if (!('markets' in payload)) return
      const refused = payload.game_id === topic.id ? this.markets.applyGame(payload) : 'topic_payload_differ'
      this.count(refused)
      if (refused === undefined) this.markets.releaseFinal(payload, this.execution)
      this.context.counters.set('markets', this.markets.count)
      this.context.counters.set('markets_without_shard', this.markets.shardlessCount)
    } else if (message.family === 'orderbook') {
      const { payload } = message
      const fits = payload.venue === topic.scope && payload.market_id === topic.id
      const { epoch } = message.header
      this.count(fits ? this.markets.applyBook(payload, epoch) : 'topic_payload_differ')
      this.context.counters.set('books', this.markets.bookCount)
    }
  }

  /** Says which books may still be believed. */
  onHeartbeat({ publisher, channels, closing }: Heartbeat, recvUs: number): void {
    const books = channels.find(({ source }) => source === `${publisher}.orderbook`)
    if (books === undefined) return
    this.markets.beat(publisher, { epoch: books.epoch, recvUs, closing })
    this.context.counters.set('books', this.markets.bookCount)
  }

  onState(source: string, state: ChannelState): void {
    const publisher = publisherOf(source)
    if (source === `${publisher}.orderbook`) this.markets.setHole(publisher, state !== 'LIVE')
  }

  onGap(gap: Gap): void {
    this.context.counters.add('gaps')
    const publisher = publisherOf(gap.source)
    if (gap.source === `${publisher}.orderbook`) this.markets.dropBooks(publisher)
    this.complain(`gap on ${gap.source}: ${gap.from} to ${gap.to ?? '?'} (${gap.reason})`, gap.source)
  }

  onProblem(problem: Problem): void {
    countProblem(this.context.counters, problem)
    const { reason, detail } = problem
    this.complain(`refused (${reason}): ${detail}`, reason)
  }

  private count(reason: string | undefined): void {
    if (reason === undefined) return
    this.context.counters.add('parse_errors', reason)
    this.complain(`refused a message: ${reason}`, reason)
  }

  private complain(text: string, key: string): void {
    const nowMs = this.context.clock.nowMs()
    const lastMs = this.complainedMs.get(key)
    if (lastMs !== undefined && nowMs - lastMs < COMPLAIN_EVERY_MS) return
    if (this.complainedMs.size > 200) this.complainedMs.clear()
    this.complainedMs.set(key, nowMs)
    this.context.log.warn(text)
  }
}

const publisherOf = (source: string): string => source.slice(0, source.lastIndexOf('.'))
