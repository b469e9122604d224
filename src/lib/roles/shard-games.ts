/** The games that a shard trades, with the combinations of their markets. Times are its monotonic clock, us. */

import type { GameMarket, GameState, League } from '../model/game.js'
import { combinationsOf } from '../strategy/combination.js'
import type { Combination, GameView, WorthlessCombination } from '../strategy/combination.js'
import { Ownership } from '../strategy/ownership.js'
import type { Lease } from '../strategy/ownership.js'
import { judgeSelection } from './shard-markets.js'
import type { MarketEntry, ShardMarkets } from './shard-markets.js'

/** A game that is over keeps its markets this long, then frees them. */
const OVER_KEPT_US = 600_000_000
/** A game that nobody speaks of any more is forgotten, and a market of no game of ours likewise. */
const SILENT_KEPT_US = 3_600_000_000
const SWEEP_US = 60_000_000

interface GameEntry {
  readonly view: GameView
  /** What its combinations are made of. */
  readonly marketsText: string
  readonly entries: readonly MarketEntry[]
  readonly combinations: readonly Combination[]
  /** Over for long: its markets were let go. */
  readonly freed: boolean
  overSinceUs: number | undefined
}

interface Attachment {
  readonly marketsText: string
  readonly ownership: Ownership | undefined
  readonly nowUs: number
}

export interface ShardGamesOptions {
  readonly index: number
  /** Where there are more shards than this one: the orchestrator's word as far as it is known. */
  readonly lease: Lease | undefined
  /** These are traded from now on. */
  readonly onNew: (combinations: readonly Combination[], nowUs: number) => void
  /** A combination is traded no more. */
  readonly onGone: (combination: Combination) => void
  /** A combination that could pay nothing at all is not traded. */
  readonly onWorthless: (combination: WorthlessCombination) => void
}

export class ShardGames {
  private readonly games = new Map<string, GameEntry>()
  private sweptUs = 0

  constructor(
    private readonly options: ShardGamesOptions,
    private readonly markets: ShardMarkets,
  ) {}

  get count(): number {
    return this.games.size
  }

  get combinationCount(): number {
    let count = 0
    for (const { combinations } of this.games.values()) count += combinations.length
    return count
  }

  /**
   * A game's whole state, sent at `sentMs` by the orchestrator's clock, which `fetchedMs` is of too. One that another
   * shard trades is dropped; one that comes or goes is kept while some of its quotes may be this shard's. False for one
   * that speaks of another shard where there is none: who else trades it is not known, and it is dropped.
   */
  apply(state: GameState, sentMs: number, nowUs: number): boolean {
    this.sweep(nowUs)
    const key = gameKeyOf(state)
    const known = this.games.get(key)
    const { index, lease } = this.options
    const ownership = lease === undefined ? undefined : (known?.view.ownership ?? new Ownership(index, lease))
    ownership?.told(state)
    const isAlone = state.shard === index && state.handover === undefined
    const isWanted = ownership === undefined ? isAlone : ownership.isWanted(sentMs)
    if (!isWanted) {
      if (known !== undefined) this.drop(key, known)
      return ownership !== undefined
    }
    const marketsText = JSON.stringify([state.home.code, state.away.code, state.markets])
    const isOver = state.status !== 'pre' && state.status !== 'live'
    const isSame = known?.marketsText === marketsText && (isOver || !known.freed)
    const game = isSame ? known : this.attach(key, state, { marketsText, ownership, nowUs })
    game.view.status = state.status
    game.view.heardUs = nowUs
    game.view.fetchedUs = fetchedUsOf(state.fetchedMs, sentMs, nowUs)
    game.overSinceUs = isOver ? (game.overSinceUs ?? nowUs) : undefined
    if (game.overSinceUs !== undefined && nowUs - game.overSinceUs > OVER_KEPT_US && !game.freed) {
      this.release(game)
      this.games.set(key, { ...game, entries: [], combinations: [], freed: true })
    }
    return true
  }

  /** Something that was said of games may be lost. */
  doubt(): void {
    for (const { view } of this.games.values()) view.ownership?.doubt()
  }

  private attach(key: string, state: GameState, { marketsText, ownership, nowUs }: Attachment): GameEntry {
    const known = this.games.get(key)
    if (known !== undefined) this.release(known)
    const { league, gameId, status } = state
    const teams = [state.home.code, state.away.code] as const
    const view: GameView = { league, gameId, teams, ownership, status, heardUs: nowUs, fetchedUs: -Infinity }
    const attached = state.markets.map((market) => this.attachMarket(key, market, nowUs))
    const views = attached.map((each) => each.view)
    const { kept, worthless } = combinationsOf(view, views)
    for (const each of worthless) this.options.onWorthless(each)
    for (const { entry, view: own } of attached) {
      entry.combinations = kept.filter(({ legs }) => legs.some(({ of }) => of === own))
    }
    const game: GameEntry = {
      view,
      marketsText,
      entries: attached.map(({ entry }) => entry),
      combinations: kept,
      freed: false,
      overSinceUs: known?.overSinceUs,
    }
    this.games.set(key, game)
    this.options.onNew(kept, nowUs)
    return game
  }

  private attachMarket(key: string, market: GameMarket, nowUs: number) {
    const entry = this.markets.heard(market.venue, market.marketId, nowUs)
    // Two games that claim one market: the later word counts, the earlier game loses all its combinations.
    const before = entry.gameKey === undefined ? undefined : this.games.get(entry.gameKey)
    if (entry.gameKey !== undefined && entry.gameKey !== key && before !== undefined) {
      this.drop(entry.gameKey, before)
    }
    const view = { market, book: entry.book, selectionAgrees: false }
    entry.view = view
    entry.gameKey = key
    judgeSelection(entry)
    return { entry, view }
  }

  private drop(key: string, game: GameEntry): void {
    this.release(game)
    this.games.delete(key)
  }

  /** Frees a game's markets and tells that its combinations are gone. */
  private release({ entries, combinations }: GameEntry): void {
    for (const combination of combinations) this.options.onGone(combination)
    for (const entry of entries) {
      entry.combinations = []
      entry.view = undefined
      entry.gameKey = undefined
    }
  }

  private sweep(nowUs: number): void {
    if (nowUs - this.sweptUs < SWEEP_US) return
    this.sweptUs = nowUs
    for (const [key, game] of this.games) {
      if (nowUs - game.view.heardUs > SILENT_KEPT_US) this.drop(key, game)
    }
    this.markets.sweep(nowUs - SILENT_KEPT_US)
  }
}

const gameKeyOf = ({ league, gameId }: { readonly league: League; readonly gameId: string }): string =>
  `${league} ${gameId}`

/** Read after it was sent: the orchestrator's clock stepped back, and nothing is known of the age. */
const fetchedUsOf = (fetchedMs: number, sentMs: number, nowUs: number): number =>
  fetchedMs > sentMs ? -Infinity : nowUs - (sentMs - fetchedMs) * 1000
