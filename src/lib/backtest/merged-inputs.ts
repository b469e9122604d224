/**
 * Decides on what was recorded where no shard wrote down in which order it took it in: merged by time, with a clock
 * that says what the messages say. Within a millisecond those of one host come in the order of its monotonic clock.
 *
 * Heartbeats are in no recording, so they are made up: every 200 ms, for `ASSUMED_ALIVE_MS` behind each message of a
 * monitor. Its feed was last proved by its last message: what else proved it live is not known. What is recorded as
 * missing, and a new epoch, break a channel as they do live.
 */

import { isUnguarded } from '../history/past.js'
import type { PastItem } from '../history/past.js'
import { decode } from '../messages/codec.js'
import type { Message, Refusal } from '../messages/codec.js'
import type { Header } from '../messages/payloads.js'
import { orderbookSource, pricesSource } from '../messages/sources.js'
import type { StrategySignal } from '../model/signal.js'
import { VENUES } from '../model/venue.js'
import type { Env, Venue } from '../model/venue.js'
import { ShardDecider } from '../roles/shard-decider.js'
import type { LateDecision, ShardInputs } from '../roles/shard-decider.js'
import type { RerunWatch } from '../roles/shard-rerun.js'
import type { ShardHead } from '../roles/shard-turn.js'

/** A monitor that is silent for longer counts as gone until it speaks again. */
export const ASSUMED_ALIVE_MS = 5_000
const BEAT_MS = 200
/** No host's: stamps of the recording are of other clocks. */
const HOST = 'backtest'

export interface MergedOptions {
  readonly env: Env
  readonly strategy: ShardHead['strategy']
  /** The games of this shard alone; all games when not said. */
  readonly shard?: number | undefined
  readonly watch: RerunWatch
  readonly onDecided: (signal: StrategySignal) => void
  /** A recorded signal. */
  readonly onPublished: (message: Extract<Message, { family: 'signals' }>) => void
  /** What cannot be taken for a message: left out. */
  readonly onRefused: (refusal: Refusal) => void
}

type GamesMessage = Extract<Message, { family: 'games' }>
/** What decisions are made of. */
type BookMessage = Extract<Message, { family: 'prices' | 'orderbook' | 'games' }>

interface Monitor {
  readonly venue: Venue
  readonly epochs: Map<string, number>
  isAlive: boolean
  lastMs: number
  nextBeatMs: number
}

export class MergedInputs {
  private readonly shard: ShardInputs
  private readonly monitors: readonly Monitor[] = VENUES.map((venue) => ({
    venue,
    epochs: new Map(),
    isAlive: false,
    lastMs: -Infinity,
    nextBeatMs: Infinity,
  }))
  private nowMs = 0
  /** Of one millisecond, not decided on yet. */
  private moment: BookMessage[] = []
  private momentMs = 0

  constructor(private readonly options: MergedOptions) {
    const { strategy, shard, watch } = options
    const decider = new ShardDecider({
      // Games that move do so when it is said: nobody journals the heartbeats that a hand-over goes by.
      ...{ index: shard ?? 0, shards: 1, host: HOST, strategy, watch },
      clock: { nowMs: () => this.nowMs, monoUs: () => this.nowUs },
      onNoSignal: () => undefined,
      onWorthless: () => undefined,
      onRefused: (reason) => {
        // Of a fleet one shard is played, and the others' games are heard too.
        if (reason !== 'other_shard')
          options.onRefused({ reason, detail: 'a message that is not to be believed' })
      },
    })
    this.shard = watch.around(decider, strategy)
  }

  /** Takes what comes next by time; it is decided on when a later one comes, or the end. */
  take(item: PastItem): void {
    if (item.kind === 'gap') {
      this.end()
      return this.shard.gap(item.gap.source)
    }
    if (isUnguarded(item)) return
    const decoded = decode(item.topic, item.data, this.options.env)
    if (decoded.kind === 'refused') return this.options.onRefused(decoded.refusal)
    if (decoded.kind !== 'message') return
    const { message } = decoded
    if (message.family === 'signals') return this.options.onPublished(message)
    if (message.family === 'orders' || message.family === 'trades') return
    if (item.timestampMs > this.momentMs) this.end()
    this.momentMs = Math.max(this.momentMs, item.timestampMs)
    this.moment.push(message)
  }

  /** Nothing more comes of this millisecond. */
  end(): void {
    const { moment } = this
    if (moment.length === 0) return
    this.moment = []
    this.pass(this.momentMs)
    for (const message of inOrder(moment)) {
      if (message.family !== 'games') this.hear(message)
      this.tell(this.shard.message(this.here(message), this.nowUs))
    }
  }

  private get nowUs(): number {
    return this.nowMs * 1000
  }

  /** Time goes on, and whoever is alive beats meanwhile. */
  private pass(timestampMs: number): void {
    const untilMs = Math.max(this.nowMs, timestampMs)
    for (;;) {
      const next = this.monitors.reduce((first, each) => (each.nextBeatMs < first.nextBeatMs ? each : first))
      if (next.nextBeatMs > untilMs) break
      this.nowMs = next.nextBeatMs
      if (this.nowMs - next.lastMs <= ASSUMED_ALIVE_MS) this.beat(next)
      else this.setAlive(next, false)
    }
    this.nowMs = untilMs
  }

  /** Its monitor lives. */
  private hear({ header, payload: { venue } }: Extract<Message, { family: 'prices' | 'orderbook' }>): void {
    const monitor = this.monitors.find((each) => each.venue === venue)
    if (monitor === undefined) return
    monitor.epochs.set(header.source, header.epoch)
    monitor.lastMs = this.nowMs
    if (!monitor.isAlive) this.setAlive(monitor, true)
  }

  private setAlive(monitor: Monitor, isAlive: boolean): void {
    monitor.isAlive = isAlive
    monitor.nextBeatMs = Infinity
    for (const source of [pricesSource(monitor.venue), orderbookSource(monitor.venue)]) {
      this.tellLate(this.shard.state(source, isAlive))
    }
    if (isAlive) this.beat(monitor)
  }

  private beat(monitor: Monitor): void {
    monitor.nextBeatMs = this.nowMs + BEAT_MS
    const channels = [...monitor.epochs].map(([source, epoch]) => ({ source, epoch }))
    const beat = {
      ...{ publisher: monitor.venue, host: HOST, timestamp_ms: this.nowMs, mono_us: this.nowUs },
      ...{ closing: false, channels },
      feeds: [{ proved_ago_us: (this.nowMs - monitor.lastMs) * 1000 }],
    }
    this.tellLate(this.shard.heartbeat(beat, this.nowUs) ?? [])
  }

  /** The message as if it came this moment from this host, with the time that it took from the venue. */
  private here(message: Message): Message {
    const { recv, pub, venue_ms: venueMs } = message.header.stamps
    const tookUs = recv === undefined || pub === undefined ? 0 : Math.max(0, pub - recv)
    const header: Header = {
      ...message.header,
      host: HOST,
      stamps: {
        ...(venueMs === undefined ? {} : { venue_ms: venueMs }),
        ...{ recv: this.nowUs - tookUs, pub: this.nowUs },
      },
    }
    if (message.family !== 'games') return { ...message, header }
    return { ...message, header, payload: asOnlyShard(message.payload, this.options.shard) }
  }

  private tell(signals: readonly StrategySignal[] = []): void {
    for (const signal of signals) this.options.onDecided(signal)
  }

  private tellLate(decisions: readonly LateDecision[]): void {
    for (const { signals } of decisions) this.tell(signals)
  }
}

/** A game as if whoever it is given to has had it from its beginning on; one shard has all where none is named. */
function asOnlyShard(payload: GamesMessage['payload'], named: number | undefined): GamesMessage['payload'] {
  if (!('markets' in payload)) return payload
  const { shard_before: _before, shard_from_ms: _from, ...game } = payload
  return named === undefined ? { ...game, shard: 0 } : game
}

/** By the monotonic clock of their host; as they come where there are several hosts, or none is known. */
function inOrder(messages: BookMessage[]): readonly BookMessage[] {
  const [first] = messages
  const isOneClock = messages.every(
    ({ header: { host, stamps } }) => host === first?.header.host && stamps.pub !== undefined,
  )
  if (!isOneClock) return messages
  const pubOf = ({ header }: BookMessage): number => header.stamps.pub ?? 0
  return messages.sort((a, b) => pubOf(a) - pubOf(b))
}
