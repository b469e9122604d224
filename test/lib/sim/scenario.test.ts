import { describe, expect, it } from 'vitest'
import { easternDate, tickerDate } from '../../../src/lib/sim/eastern.js'
import { viewGame, type SimMarket } from '../../../src/lib/sim/market.js'
import { Scenario, type ScenarioEvent } from '../../../src/lib/sim/scenario.js'

const NOW = Date.parse('2026-11-22T20:00:00Z')

/** The scenario as text: what two runs must agree on. */
function transcript(events: readonly ScenarioEvent[]): string[] {
  return events.map((event) => {
    switch (event.kind) {
      case 'ladder':
        return `${event.atMs} ${event.market.id} ${JSON.stringify(event.ladder)}`
      case 'play':
        return `${event.atMs} ${event.game.gameId} ${JSON.stringify(event.play)}`
      case 'print':
        return `${event.atMs} print ${event.market.id} ${event.side} ${event.sizeE2}`
      case 'tick':
        return `${event.atMs} tick ${event.market.id} ${event.oldTickE4} ${event.market.tickE4}`
      case 'status':
        return `${event.atMs} ${event.kind} ${event.market.id}`
      default:
        return `${event.atMs} ${event.kind} ${event.game.gameId}`
    }
  })
}

/** Best bid and ask of YES in dollars, by market. */
type Tops = Map<SimMarket, { bid: number | undefined; ask: number | undefined }>

/** The best after-fee edge per contract, in dollars, of holding both outcomes across venues; by its own arithmetic. */
function bestEdge(tops: Tops, game: { kalshi: readonly SimMarket[]; poly: SimMarket }): number {
  const kalshiFee = (p: number) => Math.ceil(0.07 * p * (1 - p) * 10_000 - 1e-9) / 10_000
  const polyFee = (p: number) => 0.05 * p * (1 - p)
  const poly = tops.get(game.poly)
  const asks = { away: [] as number[], home: [] as number[] }
  for (const market of game.kalshi) {
    const top = tops.get(market)
    const own = market.yesIsHome ? 'home' : 'away'
    if (top?.ask !== undefined) asks[own].push(top.ask)
    if (top?.bid !== undefined) asks[own === 'home' ? 'away' : 'home'].push(1 - top.bid)
  }
  const polyAsk = { away: poly?.ask, home: poly?.bid === undefined ? undefined : 1 - poly.bid }
  let best = -1
  for (const [onKalshi, onPoly] of [
    ['home', 'away'],
    ['away', 'home'],
  ] as const) {
    const q = polyAsk[onPoly]
    if (q === undefined) continue
    for (const p of asks[onKalshi]) best = Math.max(best, 1 - p - q - kalshiFee(p) - polyFee(q))
  }
  return best
}

describe('scenario', () => {
  it('tells the same story for the same seed, at whatever pace it is advanced', () => {
    const slow = new Scenario({ seed: 7, nowMs: NOW })
    const quick = new Scenario({ seed: 7, nowMs: NOW })
    const steps: ScenarioEvent[] = []
    for (let at = 0; at <= 30_000; at += 37) steps.push(...slow.advance(Math.min(at, 30_000)))
    steps.push(...slow.advance(30_000))
    const leap = quick.advance(30_000)
    expect(transcript(steps)).toEqual(transcript(leap))
    expect(transcript(leap).length).toBeGreaterThan(500)
    expect(transcript(new Scenario({ seed: 8, nowMs: NOW }).advance(30_000))).not.toEqual(transcript(leap))
  })

  it('opens with four live games over two leagues whose codes differ between venues', () => {
    const scenario = new Scenario({ seed: 3, nowMs: NOW })
    scenario.advance(0)
    expect(scenario.games).toHaveLength(4)
    expect(new Set(scenario.games.map(({ league }) => league))).toEqual(new Set(['nba', 'nhl']))
    for (const game of scenario.games) {
      expect(viewGame(game, 0).status).toBe('live')
      expect(game.easternDate).toBe('2026-11-22')
      expect(game.startMs).toBeLessThan(NOW)
      expect(game.kalshi[0].eventTicker).toBe(
        `KX${game.league.toUpperCase()}GAME-26NOV22${game.away.kalshi}${game.home.kalshi}`,
      )
      expect(game.poly.slug).toBe(`${game.league}-${game.away.poly}-${game.home.poly}-2026-11-22`)
      expect(game.poly.tokenIds.every((id) => /^\d{50,78}$/.test(id))).toBe(true)
    }
    const teams = scenario.games.flatMap(({ away, home }) => [away, home])
    expect(
      teams.filter((t) => t.espn !== t.kalshi || t.espn.toLowerCase() !== t.poly).length,
    ).toBeGreaterThan(4)
    expect(new Set(scenario.games.map(({ poly }) => poly.tickE4))).toEqual(new Set([10, 100]))
    expect(scenario.games.some(({ poly }) => poly.negRisk)).toBe(true)
  })

  it('calls the games of a New York evening by the New York day, just after midnight in London', () => {
    const scenario = new Scenario({ seed: 3, nowMs: Date.parse('2026-11-23T02:30:00Z') })
    scenario.advance(0)
    expect(new Set(scenario.games.map(({ easternDate: date }) => date))).toEqual(new Set(['2026-11-22']))
    const midnight = new Scenario({ seed: 3, nowMs: Date.parse('2026-11-23T05:10:00Z') })
    midnight.advance(0)
    expect(midnight.games.every((game) => easternDate(game.startMs) === '2026-11-23')).toBe(true)
    expect(tickerDate('2026-06-13')).toBe('26JUN13')
  })

  it.each([1, 2, 3, 4, 5, 11, 42, 99])(
    'opens and closes arbitrage after fees within 30 s (seed %i)',
    (seed) => {
      const scenario = new Scenario({ seed, nowMs: NOW })
      const tops: Tops = new Map()
      const open = new Set<string>()
      const opened: number[] = []
      const lasted: number[] = []
      const since = new Map<string, number>()
      let closed = 0
      for (let at = 0; at <= 120_000; at += 50) {
        for (const event of scenario.advance(at)) {
          if (event.kind !== 'ladder') continue
          const cents = (level: readonly [number, number] | undefined) =>
            level === undefined ? undefined : level[0] / 10_000
          tops.set(event.market, { bid: cents(event.ladder.bids[0]), ask: cents(event.ladder.asks[0]) })
        }
        for (const game of scenario.games) {
          const edge = bestEdge(tops, game)
          if (edge > 0 && !open.has(game.gameId)) {
            open.add(game.gameId)
            since.set(game.gameId, at)
            opened.push(at)
          } else if (edge <= 0 && open.delete(game.gameId)) {
            lasted.push(at - since.get(game.gameId)!)
          }
        }
        closed += 4 - scenario.games.slice(0, 4).filter(({ gameId }) => open.has(gameId)).length
      }
      for (let start = 0; start + 30_000 <= 120_000; start += 10_000) {
        const within = opened.filter((at) => at >= start && at < start + 30_000)
        expect(within.length, `openings from ${start} ms`).toBeGreaterThanOrEqual(3)
      }
      expect(Math.max(...lasted)).toBeLessThanOrEqual(15_000)
      expect(lasted.filter((ms) => ms >= 1500).length).toBeGreaterThan(8)
      expect(closed / (4 * 2400), 'share of the time that a game offers nothing').toBeGreaterThan(0.5)
    },
  )

  it('moves 20 to 60 levels a second in total while games are open', () => {
    const scenario = new Scenario({ seed: 5, nowMs: NOW })
    const levels = new Map<string, number>()
    let changes = 0
    for (const event of scenario.advance(60_000)) {
      if (event.kind !== 'ladder') continue
      const fresh = new Map<string, number>()
      for (const side of ['bids', 'asks'] as const) {
        for (const [price, size] of event.ladder[side]) fresh.set(`${event.market.id} ${side} ${price}`, size)
      }
      for (const key of levels.keys()) {
        if (key.startsWith(`${event.market.id} `) && !fresh.has(key)) {
          levels.delete(key)
          changes += 1
        }
      }
      for (const [key, size] of fresh) {
        if (levels.get(key) !== size) changes += 1
        levels.set(key, size)
      }
    }
    expect(changes / 60).toBeGreaterThan(20)
    expect(changes / 60).toBeLessThan(60)
  })

  it('ends a game with a winner, closes its markets and brings a new game', () => {
    for (const seed of [1, 2, 3, 4, 5, 6]) {
      const scenario = new Scenario({ seed, nowMs: NOW })
      const events = scenario.advance(150_000)
      const final = events.find((event) => event.kind === 'final')
      expect(final, `seed ${seed}`).toBeDefined()
      if (final?.kind !== 'final') continue
      const { game } = final
      const view = viewGame(game, final.atMs)
      expect(view.status).toBe('final')
      expect(view.home).not.toBe(view.away)
      const homeWon = view.home > view.away
      expect(game.kalshi.map(({ status, result }) => [status, result])).toEqual([
        ['finalized', homeWon ? 'no' : 'yes'],
        ['finalized', homeWon ? 'yes' : 'no'],
      ])
      expect(game.poly.result).toBe(homeWon ? 'no' : 'yes')
      expect(game.poly.tickE4).toBe(10)
      const fresh = scenario.games[4]
      expect(fresh?.league).toBe(game.league)
      expect(fresh !== undefined && viewGame(fresh, fresh.announcedAtMs).status).toBe('pre')
      expect(fresh !== undefined && viewGame(fresh, fresh.liveAtMs + 1000).status).toBe('live')
    }
  })

  it('never shows a crossed ladder or a price off its grid, of any market, as the games are decided', () => {
    const scenario = new Scenario({ seed: 21, nowMs: NOW, games: 6 })
    const wrong: string[] = []
    const steps = { coarse: 0, fine: 0 }
    for (let at = 0; at <= 120_000; at += 50) {
      for (const event of scenario.advance(at)) {
        if (event.kind !== 'ladder') continue
        const { market } = event
        const { bids, asks } = event.ladder
        const [bid, ask] = [bids[0]?.[0], asks[0]?.[0]]
        if (bid !== undefined && ask !== undefined && bid >= ask) wrong.push(`${market.id} ${bid} ${ask}`)
        for (const [price, size] of [...bids, ...asks]) {
          const isEdge = price < 1000 || price > 9000
          const isTapered = market.venue === 'kalshi' && market.structure === 'tapered_deci_cent'
          const tick = market.venue === 'poly' ? market.tickE4 : isTapered && isEdge ? 10 : 100
          const isRight = price % tick === 0 && price > 0 && price < 10_000 && size > 0
          if (!isRight) wrong.push(`${market.id} ${size} at ${price}`)
          if (market.venue !== 'kalshi') continue
          if (price % 100 === 0) steps.coarse += 1
          else steps.fine += 1
        }
      }
    }
    expect(wrong).toEqual([])
    expect(steps.fine).toBeGreaterThan(20)
    expect(steps.coarse).toBeGreaterThan(steps.fine)
  })
})
