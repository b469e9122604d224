/**
 * The monitoring process of the pipeline benchmark, forked by `pipeline.ts`: frames of a venue through our parser, session
 * and books to `orderbook.` and `prices.`. The other venue's books stand still, and the games are told as the orchestrator
 * tells them.
 */

import { journalRoot } from '../bus/journal/paths.js'
import type { Channel } from '../bus/channel.js'
import { sourcesOf } from '../bus/endpoints.js'
import type { PublisherEndpoint } from '../bus/endpoints.js'
import { Publisher } from '../bus/publisher.js'
import { systemClock } from '../core/clock.js'
import { gamesPayload } from '../messages/convert.js'
import type { FeedBeat } from '../messages/heartbeat.js'
import { GAMES_SOURCE, orderbookSource, pricesSource } from '../messages/sources.js'
import { formatTopic } from '../messages/topics.js'
import type { Venue } from '../model/venue.js'
import { BookAnnouncer } from '../roles/monitor.js'
import type { RoleContext } from '../roles/role.js'
import { parseFrame } from '../venues/kalshi/frames.js'
import { BookSession } from '../venues/kalshi/session.js'
import type { SessionEffect } from '../venues/kalshi/session-effects.js'
import { serveParent } from './bench-child.js'
import { connectBroker } from './brokers.js'
import type { BrokerLink } from './brokers.js'
import { Metronome } from './metronome.js'
import { publishRun } from './pacing.js'
import type { Pace, Sink } from './pacing.js'
import { costOf, createBenchContext } from './pipeline-context.js'
import { KalshiFrames } from './pipeline-frames.js'
import type { Frame } from './pipeline-frames.js'
import { BENCH_GAMES, polyBook } from './pipeline-markets.js'
import { PIPELINE_ENV } from './pipeline-messages.js'
import type { FromMonitor, Link, ToMonitor } from './pipeline-messages.js'
import { PlainPublisher } from './plain-publisher.js'

const GAMES_EVERY_MS = 5_000
const PUBLISHERS = ['kalshi', 'poly', 'orchestrator'] as const

/** What is published on, whatever it goes over. */
type Out = Pick<Channel, 'publish'>

class Monitor implements Sink {
  readonly nextSeq = 0
  /** When the frames that made an edge were due. */
  edges: number[] = []
  private frames: readonly Frame[] = []
  private next = 0
  private readonly session = new BookSession({
    useYesPrice: true,
    snapshotTimeoutMs: 2_000,
    quietMs: 5_000,
    silenceAnswerMs: 2_000,
    commandTimeoutMs: 5_000,
  })
  private readonly venue = new KalshiFrames()
  private readonly announce: Readonly<Record<Venue, BookAnnouncer>>
  private readonly bookSeqs = new Map<string, number>()

  constructor(
    context: RoleContext,
    private readonly out: (source: string) => Out,
    private readonly link: BrokerLink | undefined,
  ) {
    const announcer = (venue: Venue) =>
      new BookAnnouncer(context, out(orderbookSource(venue)), out(pricesSource(venue)), undefined)
    this.announce = { kalshi: announcer('kalshi'), poly: announcer('poly') }
    const nowUs = systemClock.monoUs()
    const subscribe = this.session.follow(this.markets.keys(), nowUs).find((effect) => effect.kind === 'send')
    if (subscribe?.kind !== 'send') throw new Error('nothing was subscribed to')
    for (const bytes of this.venue.opening(subscribe.command.id)) this.onFrame(bytes, nowUs)
  }

  /** Everything that stands still is said again, so that whoever has joined meanwhile knows it. */
  prepare({ warmUp, measured }: Pace, edgeEvery: number): void {
    this.tellGames()
    this.tellPoly()
    this.frames = this.venue.take(warmUp + measured, edgeEvery, systemClock.nowMs())
    this.next = 0
    this.edges = []
  }

  publish(dueUs: number): void {
    const frame = this.frames[this.next++]
    if (frame === undefined) throw new RangeError('there are no more frames')
    if (frame.isEdge) this.edges.push(dueUs)
    this.onFrame(frame.bytes, dueUs)
  }

  flushed(): Promise<unknown> {
    return this.link?.flushed() ?? Promise.resolve()
  }

  tellGames(): void {
    for (const game of BENCH_GAMES) {
      const state = game.stateAt(systemClock.nowMs())
      const topic = formatTopic({ family: 'games', scope: state.league, id: state.gameId })
      this.out(GAMES_SOURCE).publish(topic, gamesPayload(state))
    }
  }

  private tellPoly(): void {
    const recvUs = systemClock.monoUs()
    for (const { poly: market } of BENCH_GAMES) {
      const bookSeq = this.nextBookSeq(market.marketId)
      this.announce.poly.publish({ market, book: polyBook(), state: 'LIVE', bookSeq, recvUs })
    }
  }

  private onFrame(bytes: Buffer, recvUs: number): void {
    for (const effect of this.session.onFrame(parseFrame(bytes), recvUs)) this.perform(effect, recvUs)
  }

  private perform(effect: SessionEffect, recvUs: number): void {
    if (effect.kind === 'proof' || effect.kind === 'notice') return
    const market = effect.kind === 'book' ? this.markets.get(effect.ticker) : undefined
    if (effect.kind !== 'book' || market === undefined)
      throw new Error(`unexpected: ${JSON.stringify(effect)}`)
    const { book, state, venueMs } = effect
    const bookSeq = this.nextBookSeq(market.marketId)
    const venueTime = venueMs === undefined ? {} : { venueMs }
    this.announce.kalshi.publish({ market, book, state, bookSeq, recvUs, ...venueTime })
  }

  private nextBookSeq(marketId: string): number {
    const bookSeq = (this.bookSeqs.get(marketId) ?? 0) + 1
    this.bookSeqs.set(marketId, bookSeq)
    return bookSeq
  }

  private readonly markets = new Map(BENCH_GAMES.map(({ kalshi }) => [kalshi.marketId, kalshi]))
}

/** The feed of the other venue is proved all the time. */
const feedsOf = (publisher: string): readonly FeedBeat[] =>
  publisher === 'orchestrator'
    ? []
    : [{ name: publisher, state: 'LIVE', proved_ago_us: 0, markets: BENCH_GAMES.length, reconnects: 0 }]

const metronome = new Metronome()
let context: RoleContext | undefined
let monitor: Monitor | undefined
let pace: Pace | undefined

async function open(link: Link, dir: string): Promise<readonly PublisherEndpoint[]> {
  context = createBenchContext('monitor', dir)
  if (link.transport === 'redis') {
    const broker = await connectBroker({ ...link, natsPort: 0 })
    const publishers = new Map(
      PUBLISHERS.flatMap((name) => {
        const sources = sourcesOf(name)
        const feeds = () => feedsOf(name)
        const publisher = new PlainPublisher({ name, env: PIPELINE_ENV, sources, link: broker, feeds })
        return sources.map((source) => [source, publisher.channel(source)] as const)
      }),
    )
    monitor = new Monitor(context, (source) => channelIn(publishers, source), broker)
    return []
  }
  const root = journalRoot(context.settings)
  const { retain: retainBytes } = { retain: context.settings['journal.retain'] }
  const bound = await Promise.all(
    PUBLISHERS.map((name) =>
      Publisher.bind({
        name,
        url: 'tcp://127.0.0.1:*',
        recoveryUrl: 'tcp://127.0.0.1:*',
        env: PIPELINE_ENV,
        clock: systemClock,
        sources: sourcesOf(name),
        journal: { root, retainBytes },
        details: () => ({ feeds: feedsOf(name) }),
      }),
    ),
  )
  const channels = new Map(
    bound.flatMap((publisher, index) =>
      sourcesOf(PUBLISHERS[index] ?? '').map((source) => [source, publisher.channel(source)] as const),
    ),
  )
  monitor = new Monitor(context, (source) => channelIn(channels, source), undefined)
  return bound.map(({ url, recoveryUrl = '' }, index) => {
    const publisher = PUBLISHERS[index] ?? ''
    return { publisher, url, recoveryUrl, sources: sourcesOf(publisher) }
  })
}

function channelIn<T extends Out>(channels: ReadonlyMap<string, T>, source: string): T {
  const channel = channels.get(source)
  if (channel === undefined) throw new RangeError(`no channel '${source}'`)
  return channel
}

serveParent<ToMonitor, FromMonitor>(async (message) => {
  switch (message.type) {
    case 'open': {
      const endpoints = await open(message.link, message.dir)
      setInterval(() => monitor?.tellGames(), GAMES_EVERY_MS)
      return { type: 'opened', endpoints }
    }
    case 'prepare': {
      pace = message.pace
      monitor?.prepare(message.pace, message.signalEvery)
      return { type: 'prepared' }
    }
    case 'go': {
      if (monitor === undefined || pace === undefined) throw new Error('nothing is prepared')
      const result = await publishRun(monitor, pace, metronome)
      return { type: 'done', result, edges: monitor.edges }
    }
    case 'cost':
      return costOf(context)
  }
})
