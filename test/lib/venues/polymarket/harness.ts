/** A mapper driven without sockets: frames as text in, the last published state of each market out. */

import type { CatalogMarket } from '../../../../src/lib/model/game.js'
import type { QuoteState } from '../../../../src/lib/model/quote.js'
import { TIMINGS } from '../../../../src/lib/venues/polymarket/connection.js'
import { isVerdict, parseBookBody, parseFrames } from '../../../../src/lib/venues/polymarket/frames.js'
import type {
  CatalogChange,
  MapperEffect,
  MapperOptions,
} from '../../../../src/lib/venues/polymarket/mapper-effects.js'
import { PolymarketMapper } from '../../../../src/lib/venues/polymarket/mapper.js'
import type { FrameVerdict } from '../../../../src/lib/venues/ports.js'
import { MARKET, NO, YES } from './reference-venue.js'

export function catalogMarket(overrides: Partial<CatalogMarket> = {}): CatalogMarket {
  return {
    venue: 'poly',
    marketId: MARKET,
    league: 'nba',
    kind: 'moneyline',
    eventId: 'nba-hou-uta-2025-12-01',
    easternDate: '2025-12-01',
    teams: ['HOU', 'UTA'],
    selection: 'HOU',
    title: 'Rockets vs. Jazz',
    tickE4: 100,
    sizeStepE2: 1,
    minSizeE2: 500,
    fees: { ratePpm: 50_000, roundUpToMicros: 10 },
    takerDelayMs: 1000,
    tokenIds: [YES, NO],
    negRisk: false,
    ...overrides,
  }
}

export class Harness {
  readonly mapper: PolymarketMapper
  nowUs = 1_000_000
  state: QuoteState | undefined
  levels: { bids: [number, number][]; asks: [number, number][] } = { bids: [], asks: [] }
  venueMs: number | undefined
  private readonly newest = new Map<string, { state: QuoteState; levels: Harness['levels'] }>()
  readonly states: QuoteState[] = []
  readonly verdicts: FrameVerdict[] = []
  readonly sent: Record<string, unknown>[] = []
  readonly reconnects: string[] = []
  readonly changes: CatalogChange[] = []
  publications = 0
  proofs = 0

  constructor(
    market: CatalogMarket | readonly CatalogMarket[] = catalogMarket(),
    options: Partial<MapperOptions> = {},
  ) {
    this.mapper = new PolymarketMapper({
      staleAfterUs: TIMINGS.staleAfterUs,
      resyncTimeoutUs: 3_000_000,
      resyncGapUs: 0,
      claimGraceUs: TIMINGS.claimGraceUs,
      ...options,
    })

    for (const one of [market].flat()) this.take(this.mapper.follow(one, this.nowUs))
  }

  connect(): this {
    this.take(this.mapper.connected(this.nowUs))
    return this
  }

  disconnect(): this {
    this.take(this.mapper.disconnected())
    return this
  }

  frame(frame: unknown): this {
    return this.text(JSON.stringify(frame))
  }

  text(text: string): this {
    this.nowUs += 1000
    for (const item of parseFrames(text)) {
      this.take(
        isVerdict(item) ? this.mapper.onVerdict(item, this.nowUs) : this.mapper.onEvent(item, this.nowUs),
      )
    }
    return this
  }

  /** REST's answer: one book, or several of one question. */
  rest(body: unknown, askedUs = this.nowUs): this {
    this.nowUs += 1000
    const books = [body].flat().map((one) => {
      const book = parseBookBody(JSON.stringify(one))
      if (!('type' in book)) throw new Error(`not a book: ${JSON.stringify(book)}`)
      return book
    })
    this.take(this.mapper.onRest(books, askedUs, this.nowUs))
    return this
  }

  tick(ms: number): this {
    this.nowUs += ms * 1000
    this.take(this.mapper.tick(this.nowUs))
    return this
  }

  take(effects: readonly MapperEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'book') {
        this.publications += 1
        this.state = effect.state
        this.states.push(effect.state)
        this.venueMs = effect.venueMs
        const side = (name: 'bid' | 'ask') =>
          effect.book.levels(name).map(([p, s]): [number, number] => [p, s])
        this.levels = { bids: side('bid'), asks: side('ask') }
        this.newest.set(effect.market.marketId, { state: effect.state, levels: this.levels })
      }
      if (effect.kind === 'verdict') this.verdicts.push(effect.verdict)
      if (effect.kind === 'send') this.sent.push(JSON.parse(effect.text) as Record<string, unknown>)
      if (effect.kind === 'catalog') this.changes.push(effect.change)
      if (effect.kind === 'reconnect') this.reconnects.push(effect.reason)
      if (effect.kind === 'proved') this.proofs += 1
    }
  }

  /** The YES tokens to compare: the doubted ones, or all. */
  toCompare(all = false): string[] {
    return this.mapper.toCompare(all)
  }

  stateOf(marketId: string): QuoteState | undefined {
    return this.newest.get(marketId)?.state
  }

  /** As last published. */
  levelsOf(marketId: string): Harness['levels'] {
    return this.newest.get(marketId)?.levels ?? { bids: [], asks: [] }
  }

  skips(name: string): number {
    return this.verdicts.filter((verdict) => verdict.kind === 'skipped' && verdict.name === name).length
  }

  refusals(): string[] {
    return this.verdicts.flatMap((verdict) => (verdict.kind === 'refused' ? [verdict.reason] : []))
  }

  get resyncs(): number {
    return this.sent.filter(({ operation }) => operation === 'unsubscribe').length
  }
}
