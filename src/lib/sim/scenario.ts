/**
 * The scenario: games over several leagues, how they go, and what every market's makers display meanwhile. Pure:
 * the seed and the time handed in decide everything, at whatever pace `advance` is called.
 *
 * Scenario time is milliseconds since the start; with a speed above 1 it runs faster than the wall clock.
 */

import type { Side } from '../model/venue.js'
import { easternDate, easternMsOfDay } from './eastern.js'
import { GameScript } from './game-script.js'
import { listMarkets, type Play, type PolyMarket, type SimGame, type SimMarket } from './market.js'
import { POLY_PACE, type PolyPace } from './poly-pace.js'
import { Prng } from './prng.js'
import { Quoter, type Ladder } from './quoter.js'
import { LEAGUE_FACTS, type SimLeague, type SimTeam } from './teams.js'

export interface ScenarioOptions {
  readonly seed: number
  /** Wall clock at scenario time 0, Unix ms: decides which day is today in New York. */
  readonly nowMs: number
  /** Scenario milliseconds per wall millisecond. */
  readonly speed?: number
  /** Games under way at any time, 1 to 12; 4 when not said. */
  readonly games?: number
  /** `POLY_PACE` when not said. */
  readonly polyPace?: PolyPace
}

export type ScenarioEvent =
  | { readonly kind: 'announced' | 'live' | 'final'; readonly atMs: number; readonly game: SimGame }
  | { readonly kind: 'play'; readonly atMs: number; readonly game: SimGame; readonly play: Play }
  | { readonly kind: 'ladder'; readonly atMs: number; readonly market: SimMarket; readonly ladder: Ladder }
  | {
      readonly kind: 'print'
      readonly atMs: number
      readonly market: SimMarket
      readonly side: Side
      readonly sizeE2: number
    }
  | { readonly kind: 'tick'; readonly atMs: number; readonly market: PolyMarket; readonly oldTickE4: number }
  | { readonly kind: 'status'; readonly atMs: number; readonly market: SimMarket }

/** How often each script and each market's makers act. */
const STEP_MS = 50
/** Markets act in turn within a step, not in lockstep: so often the scenario looks whose turn it is. */
const TURN_MS = 5
const TURNS = STEP_MS / TURN_MS
const ROTATION: readonly SimLeague[] = ['nba', 'nhl', 'nba', 'nhl', 'nfl', 'nfl']
/** Seconds of play left in the first games: the first ends soon, the others one by one later. */
const FIRST_REMAINING_S = [
  [70, 95],
  [260, 330],
  [450, 600],
  [700, 1000],
] as const
/** After the final whistle, scenario ms: makers leave, trading closes, the result is known, money is paid. */
const AFTER_FINAL = { withdraw: 1000, close: 2000, determine: 3000, settle: 6000, replace: 12_000 } as const
/** A replacement is listed this long before it starts. */
const LISTED_BEFORE_MS = 10_000

interface Running {
  readonly script: GameScript
  readonly quoters: readonly Quoter[]
  stage: 'announced' | 'live' | 'final' | 'withdrawn' | 'closed' | 'determined' | 'settled' | 'replaced'
}

export class Scenario {
  /** Every game so far, oldest first; finished ones stay on the scoreboard. */
  readonly games: SimGame[] = []
  private readonly running: Running[] = []
  private readonly draws: Readonly<Record<SimLeague, TeamDraw>>
  private readonly prng: Prng
  private readonly speed: number
  private nextStepMs = 0
  private readonly opened = new WeakSet<Quoter>()
  private readonly opening: ScenarioEvent[] = []

  constructor(private readonly options: ScenarioOptions) {
    this.prng = new Prng(options.seed, 'scenario')
    this.speed = options.speed ?? 1
    const draw = (league: SimLeague) =>
      new TeamDraw(LEAGUE_FACTS[league].teams, this.prng.fork(`teams:${league}`))
    this.draws = { nba: draw('nba'), nhl: draw('nhl'), nfl: draw('nfl') }
    const count = Math.min(12, Math.max(1, options.games ?? 4))
    for (let slot = 0; slot < count; slot += 1) {
      const league = ROTATION[slot % ROTATION.length] ?? 'nba'
      const [low, high] = FIRST_REMAINING_S[slot] ?? [500, 880]
      this.add(league, 0, 0, Math.round(this.prng.range(low, high)), this.opening)
    }
  }

  /** Runs to a scenario time and returns what happened since the last call, in order. */
  advance(toMs: number): ScenarioEvent[] {
    const events = this.opening.splice(0)
    while (this.nextStepMs <= toMs) {
      this.step(this.nextStepMs, events)
      this.nextStepMs += TURN_MS
    }
    return events
  }

  private step(atMs: number, events: ScenarioEvent[]): void {
    for (const running of this.running.slice()) {
      const { script, quoters } = running
      if (running.stage === 'replaced') continue
      const turn = (atMs / TURN_MS) % TURNS
      if (turn === 0) {
        const play = script.step(atMs)
        if (play !== undefined) events.push({ kind: 'play', atMs, game: script.game, play })
        this.changeStage(running, atMs, events)
      }
      for (const [index, quoter] of quoters.entries()) {
        // Seven and three share no factor with ten: the markets of a few games spread over all turns.
        const itsTurn = (script.game.index * 7 + index * 3) % TURNS === turn
        // A market opens with a book: its makers' first word waits for no turn.
        if (!itsTurn && this.opened.has(quoter)) continue
        this.opened.add(quoter)
        const { market } = quoter
        const home = script.fairE4(market.venue, atMs)
        const oldTickE4 = market.venue === 'poly' ? market.tickE4 : 0
        const ladder = quoter.step(atMs, market.yesIsHome ? home : 10_000 - home)
        const print = running.stage === 'live' ? quoter.printAt(atMs) : undefined
        if (print !== undefined) events.push({ kind: 'print', atMs, market, ...print })
        if (ladder === undefined) continue
        events.push({ kind: 'ladder', atMs, market, ladder })
        const finer = quoter.refineTick()
        if (finer !== undefined) events.push({ kind: 'tick', atMs, market: finer, oldTickE4 })
      }
    }
    for (let i = this.running.length - 1; i >= 0; i -= 1) {
      if (this.running[i]?.stage === 'replaced') this.running.splice(i, 1)
    }
  }

  private changeStage(running: Running, atMs: number, events: ScenarioEvent[]): void {
    const { game } = running.script
    const since = atMs - game.endsAtMs
    if (running.stage === 'announced' && atMs >= game.liveAtMs) {
      running.stage = 'live'
      events.push({ kind: 'live', atMs, game })
    } else if (running.stage === 'live' && since >= 0) {
      running.stage = 'final'
      events.push({ kind: 'final', atMs, game })
    } else if (running.stage === 'final' && since >= AFTER_FINAL.withdraw) {
      running.stage = 'withdrawn'
      for (const quoter of running.quoters) {
        events.push({ kind: 'ladder', atMs, market: quoter.market, ladder: quoter.withdraw() })
      }
    } else if (running.stage === 'withdrawn' && since >= AFTER_FINAL.close) {
      running.stage = 'closed'
      this.setStatus(running, 'closed', atMs, events)
    } else if (running.stage === 'closed' && since >= AFTER_FINAL.determine) {
      running.stage = 'determined'
      for (const { market } of running.quoters) {
        market.result = market.yesIsHome === (running.script.winner === 'home') ? 'yes' : 'no'
      }
      this.setStatus(running, 'determined', atMs, events)
    } else if (running.stage === 'determined' && since >= AFTER_FINAL.settle) {
      running.stage = 'settled'
      this.setStatus(running, 'finalized', atMs, events)
    } else if (running.stage === 'settled' && since >= AFTER_FINAL.replace) {
      running.stage = 'replaced'
      const { periods, periodSeconds } = LEAGUE_FACTS[game.league]
      this.add(game.league, atMs, atMs + LISTED_BEFORE_MS, periods * periodSeconds, events)
    }
  }

  private setStatus(
    running: Running,
    status: SimMarket['status'],
    atMs: number,
    events: ScenarioEvent[],
  ): void {
    for (const { market } of running.quoters) {
      market.status = status
      events.push({ kind: 'status', atMs, market })
    }
  }

  private add(
    league: SimLeague,
    atMs: number,
    liveAtMs: number,
    remainingS: number,
    events: ScenarioEvent[],
  ): void {
    const index = this.games.length
    const prng = this.prng.fork(`game:${index}`)
    const wallMs = this.options.nowMs + liveAtMs / this.speed
    const startMs = liveAtMs > 0 ? wallMs : startedEarlier(wallMs)
    const [away, home] = this.draws[league].next()
    const openingFairE4 = Math.round(prng.range(3700, 6300))
    const game = listMarkets(
      {
        index,
        league,
        gameId: String(401_000_000 + ((this.options.seed * 7919 + index * 104_729 + 500) % 899_999)),
        away,
        home,
        startMs: Math.floor(startMs / 60_000) * 60_000,
        easternDate: easternDate(startMs),
        announcedAtMs: atMs,
        liveAtMs,
        endsAtMs: liveAtMs + remainingS * 1000,
        remainingAtLiveS: remainingS,
        opening: liveAtMs > 0 ? { home: 0, away: 0 } : openingScore(league, openingFairE4, prng),
        openingFairE4,
        plays: [],
      },
      this.options.polyPace ?? POLY_PACE,
    )
    this.games.push(game)
    const quoters = [...game.kalshi, game.poly].map(
      (market) => new Quoter(market, prng.fork(`quotes:${market.id}`), atMs),
    )
    const script = new GameScript(game, prng.fork('script'))
    this.running.push({ script, quoters, stage: liveAtMs > atMs ? 'announced' : 'live' })
    events.push({ kind: 'announced', atMs, game })
    if (liveAtMs <= atMs) events.push({ kind: 'live', atMs, game })
  }
}

/** A scheduled start for a game under way: a while ago, but on the same New York day. */
function startedEarlier(nowMs: number): number {
  return nowMs - Math.min(100 * 60_000, Math.floor(easternMsOfDay(nowMs) / 60_000) * 60_000)
}

function openingScore(league: SimLeague, fairE4: number, prng: Prng): { home: number; away: number } {
  const lean = (fairE4 - 5000) / 1300
  switch (league) {
    case 'nba': {
      const away = prng.int(78, 104)
      return { away, home: away + Math.round(lean * 5) }
    }
    case 'nhl': {
      const away = prng.int(1, 3)
      return { away, home: away + Math.round(lean) }
    }
    case 'nfl': {
      const away = prng.int(10, 21)
      return { away, home: away + Math.round(lean * 4) }
    }
  }
}

/** Pairs of teams: those with differing codes first, then everybody, never the same pair twice. */
class TeamDraw {
  private queue: SimTeam[]
  private readonly used = new Set<string>()

  constructor(
    private readonly teams: readonly SimTeam[],
    private readonly prng: Prng,
  ) {
    const differs = teams.filter(({ espn, kalshi, poly }) => espn !== kalshi || espn !== poly.toUpperCase())
    const same = teams.filter((team) => !differs.includes(team))
    this.queue = [...prng.shuffle(differs), ...prng.shuffle(same)]
  }

  next(): readonly [away: SimTeam, home: SimTeam] {
    for (;;) {
      if (this.queue.length < 2) this.queue = this.prng.shuffle(this.teams)
      // Every pair has met: start over (months of scenario time).
      if (this.used.size >= (this.teams.length * (this.teams.length - 1)) / 2) this.used.clear()
      const [away, home] = this.queue.splice(0, 2)
      if (away === undefined || home === undefined) continue
      const pair = [away.espn, home.espn].sort().join()
      if (this.used.has(pair)) continue
      this.used.add(pair)
      return [away, home]
    }
  }
}
