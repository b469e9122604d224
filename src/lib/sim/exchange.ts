/**
 * The scenario made visible: one book per market, which both venue servers read, trade in and follow. Owns the only
 * timer that moves the scenario.
 */

import type { Clock } from '../core/clock.js'
import type { KalshiMarket, PolyMarket, SimGame, SimMarket } from './market.js'
import { fillContracts, type Fill, type TakerOrder } from './matching.js'
import { MatchingBook, type BookStep } from './matching-book.js'
import type { RestingOrder } from './price-level.js'
import { FINE_TICK_E4 } from './quoter.js'
import type { Scenario, ScenarioEvent } from './scenario.js'

/** One change of a book, by who rests or by a trade. */
export interface BookChange extends BookStep {
  readonly market: SimMarket
  /** Wall clock, Unix ms: the venue's timestamp. */
  readonly wallMs: number
}

export interface ExchangeListener {
  onBook?(change: BookChange): void
  /** Everything else of the scenario: games, plays, ticks, market states. */
  onEvent?(event: ScenarioEvent, wallMs: number): void
  /** After each step of the scenario. */
  onStep?(wallMs: number): void
}

const TICK_MS = 5

export class Exchange {
  private readonly books = new Map<SimMarket, MatchingBook>()
  private readonly kalshi = new Map<string, KalshiMarket>()
  private readonly poly = new Map<string, PolyMarket>()
  private readonly listeners = new Set<ExchangeListener>()
  private readonly pending = new Set<NodeJS.Timeout>()
  private timer: NodeJS.Timeout | undefined
  private readonly halts: ((market: SimMarket) => boolean)[] = []
  private readonly startedUs: number
  private scenarioMs = 0

  constructor(
    private readonly scenario: Scenario,
    readonly clock: Clock,
    private readonly speed: number,
  ) {
    this.startedUs = clock.monoUs()
    this.advance()
  }

  /** Starts the timer; `onStep` hears every step, `onFailure` what a listener threw (the scenario goes on). */
  start(onStep: (wallMs: number) => void, onFailure: (error: unknown) => void): void {
    this.timer = setInterval(() => {
      try {
        this.advance()
        onStep(this.clock.nowMs())
      } catch (error) {
        onFailure(error)
      }
    }, TICK_MS)
  }

  stop(): void {
    clearInterval(this.timer)
    for (const timer of this.pending) clearTimeout(timer)
    this.pending.clear()
    this.listeners.clear()
  }

  /** Scenario time, ms, as of now. */
  nowScenarioMs(): number {
    return ((this.clock.monoUs() - this.startedUs) / 1000) * this.speed
  }

  /** Runs a task after a time of the scenario; `stop` drops it. */
  after(scenarioMs: number, task: () => void): void {
    const timer = setTimeout(() => {
      this.pending.delete(timer)
      task()
    }, scenarioMs / this.speed)
    this.pending.add(timer)
  }

  listen(listener: ExchangeListener): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  /** Names markets whose makers and passers-by do nothing for now. */
  haltWhere(isHalted: (market: SimMarket) => boolean): void {
    this.halts.push(isHalted)
  }

  get games(): readonly SimGame[] {
    return this.scenario.games
  }

  kalshiMarket(ticker: string): KalshiMarket | undefined {
    return this.kalshi.get(ticker)
  }

  polyMarket(conditionId: string): PolyMarket | undefined {
    return this.poly.get(conditionId)
  }

  polyMarkets(): Iterable<PolyMarket> {
    return this.poly.values()
  }

  bookOf(market: SimMarket): MatchingBook {
    let book = this.books.get(market)
    if (book === undefined) {
      book = new MatchingBook()
      this.books.set(market, book)
    }
    return book
  }

  /** Takes fills (planned on the book in this same turn) and tells everybody. */
  trade(market: SimMarket, order: TakerOrder, fills: readonly Fill[], wallMs = this.clock.nowMs()): void {
    const changes = this.bookOf(market).take(order, fills, this.scenarioMs)
    this.emitBook({ market, changes, trade: { order, fills }, wallMs })
  }

  /** Moves a market to the fine tick, where it is not there yet, and tells everybody. */
  refineTick(market: PolyMarket): void {
    const oldTickE4 = market.tickE4
    if (oldTickE4 === FINE_TICK_E4) return
    market.tickE4 = FINE_TICK_E4
    const event = { kind: 'tick', atMs: this.scenarioMs, market, oldTickE4 } as const
    for (const listener of this.listeners) listener.onEvent?.(event, this.clock.nowMs())
  }

  /** Leaves what is left of an order in the book and tells everybody. */
  rest(market: SimMarket, order: RestingOrder, sizeE2: number): void {
    const change = this.bookOf(market).rest(order, sizeE2)
    this.emitBook({ market, changes: [change], trade: undefined, wallMs: this.clock.nowMs() })
  }

  /** Takes an order out of the book and tells everybody; returns what rested of it, 0.01 contract. */
  cancel(market: SimMarket, order: RestingOrder): number {
    const change = this.bookOf(market).cancel(order)
    if (change === undefined) return 0
    this.emitBook({ market, changes: [change], trade: undefined, wallMs: this.clock.nowMs() })
    return -change.deltaE2
  }

  private isHalted(market: SimMarket): boolean {
    return this.halts.some((isHalted) => isHalted(market))
  }

  private advance(): void {
    this.scenarioMs = this.nowScenarioMs()
    const wallMs = this.clock.nowMs()
    for (const event of this.scenario.advance(this.scenarioMs)) this.apply(event, wallMs)
    for (const [market, book] of this.books) {
      if (this.isHalted(market)) continue
      for (const step of book.refill(this.scenarioMs)) this.emitBook({ market, ...step, wallMs })
    }
    for (const listener of this.listeners) listener.onStep?.(wallMs)
  }

  private apply(event: ScenarioEvent, wallMs: number): void {
    if ((event.kind === 'ladder' || event.kind === 'print') && this.isHalted(event.market)) return
    switch (event.kind) {
      case 'ladder': {
        const { market } = event
        const steps = this.bookOf(market).setLadder(event.ladder, this.scenarioMs)
        for (const step of steps) this.emitBook({ market, ...step, wallMs })
        return
      }
      case 'print': {
        const order: TakerOrder = {
          outcome: 'yes',
          side: event.side,
          limitE4: event.side === 'buy' ? 9999 : 1,
        }
        const fills = fillContracts(this.bookOf(event.market), order, event.sizeE2 * 10_000)
        if (fills.length > 0) this.trade(event.market, order, fills, wallMs)
        return
      }
      case 'announced':
        for (const market of event.game.kalshi) this.kalshi.set(market.id, market)
        this.poly.set(event.game.poly.id, event.game.poly)
        break
      case 'live':
      case 'final':
      case 'play':
      case 'tick':
      case 'status':
    }
    for (const listener of this.listeners) listener.onEvent?.(event, wallMs)
  }

  private emitBook(change: BookChange): void {
    for (const listener of this.listeners) listener.onBook?.(change)
  }
}
