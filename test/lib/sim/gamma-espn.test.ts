/* eslint-disable @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-return -- foreign JSON, asserted by field */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { easternDate } from '../../../src/lib/sim/eastern.js'
import { call, startBench, until, type Bench, type Json } from './harness.js'

let bench: Bench
beforeAll(async () => {
  bench = await startBench({ seed: 6, games: 6 })
})
afterAll(() => bench.close())

const gamma = (path: string) => call(`${bench.sim.urls.gamma}${path}`)

describe('the sports channel', () => {
  it('tells every game under way to whoever connects, in the forms that were recorded', async () => {
    const frames: Json[] = []
    const socket = new WebSocket(bench.sim.urls.sports)
    socket.on('message', (data: Buffer) => frames.push(JSON.parse(data.toString())))
    await until(() => frames.length >= 6, 'six games are told')
    socket.terminate()
    const of = (league: string) =>
      frames.filter((frame) => String(frame.slug ?? frame.payload.slug).startsWith(`${league}-`))
    expect(of('nba')[0]).toEqual({
      type: 'sport_result',
      payload: {
        gameId: expect.any(Number),
        leagueAbbreviation: 'nba',
        slug: expect.stringMatching(/^nba-[a-z]{2,4}-[a-z]{2,4}-\d{4}-\d\d-\d\d$/),
        homeTeam: expect.any(String),
        awayTeam: expect.any(String),
        status: 'InProgress',
        score: expect.stringMatching(/^\d+-\d+$/),
        period: 'Q4',
        elapsed: expect.stringMatching(/^\d+:\d\d$/),
        live: true,
        ended: false,
      },
    })
    expect(of('nfl')[0]).toMatchObject({ leagueAbbreviation: 'nfl', turn: expect.any(String) })
    expect(Object.keys(of('nhl')[0])).toEqual([
      ...['slug', 'live', 'ended', 'score', 'period', 'elapsed', 'last_update'],
    ])
  })
})

describe('gamma', () => {
  it('names leagues with their series, tags and the side that comes first', async () => {
    const { body } = await gamma('/sports')
    const nba = body.find(({ sport }: Json) => sport === 'nba')
    expect(nba).toMatchObject({ series: '10345', tags: '1,745,100639', ordering: 'away' })
    expect(body.find(({ sport }: Json) => sport === 'epl').ordering).toBe('home')
    const teams = (await gamma('/teams?league=nhl')).body
    expect(teams.map(({ abbreviation }: Json) => abbreviation)).toEqual(
      expect.arrayContaining(['lak', 'mon', 'cal', 'las']),
    )
    expect(teams.every(({ league }: Json) => league === 'nhl')).toBe(true)
  })

  it('lists games with lists hidden in strings, a delay, a tick and a fee schedule', async () => {
    const { body } = await gamma('/events?series_id=10345&tag_id=100639&closed=false&active=true&limit=10')
    expect(body).toHaveLength(2)
    for (const event of body) {
      expect(event.slug).toMatch(/^nba-[a-z]{2,4}-[a-z]{2,4}-\d{4}-\d\d-\d\d$/)
      expect(event).toMatchObject({
        eventDate: easternDate(Date.now()),
        live: true,
        ended: false,
        gameId: expect.any(Number),
      })
      const [moneyline, ...others] = event.markets
      expect(moneyline).toMatchObject({
        slug: event.slug,
        sportsMarketType: 'moneyline',
        conditionId: expect.stringMatching(/^0x[0-9a-f]{64}$/),
        gameStartTime: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+00$/),
        secondsDelay: 1,
        orderMinSize: 5,
        feeSchedule: { rate: 0.05, exponent: 1, takerOnly: true, rebateRate: 0.15 },
        feesEnabled: true,
        version: 'v1',
        acceptingOrders: true,
      })
      expect([0.01, 0.001]).toContain(moneyline.orderPriceMinTickSize)
      for (const field of ['outcomes', 'outcomePrices', 'clobTokenIds']) {
        expect(typeof moneyline[field]).toBe('string')
        expect(JSON.parse(moneyline[field])).toHaveLength(2)
      }
      expect(JSON.parse(moneyline.outcomes)).toEqual(event.teams.map(({ name }: Json) => name))
      expect(others.map(({ sportsMarketType }: Json) => sportsMarketType)).toEqual(['spreads', 'totals'])
      expect(await gamma(`/events/slug/${event.slug}`).then((answer) => answer.body.id)).toBe(event.id)
    }
  })

  it('mixes in a question that is no game', async () => {
    const { body } = await gamma('/events?series_id=10345&closed=false')
    const odd = body.filter((event: Json) => event.gameId === undefined)
    expect(odd).toHaveLength(1)
    expect(odd[0].markets[0].sportsMarketType).toBeUndefined()
  })

  it('pages by offset and by cursor to the same list', async () => {
    const all = (await gamma('/events?limit=100')).body.map(({ id }: Json) => id)
    expect(all.length).toBeGreaterThan(6)
    const byOffset: string[] = []
    for (let offset = 0; ; offset += 4) {
      const { body } = await gamma(`/events?limit=4&offset=${offset}`)
      byOffset.push(...body.map(({ id }: Json) => id))
      if (body.length < 4) break
    }
    const byCursor: string[] = []
    let cursor: string | undefined
    do {
      const { body } = await gamma(
        `/events/keyset?limit=4${cursor === undefined ? '' : `&after_cursor=${cursor}`}`,
      )
      byCursor.push(...body.events.map(({ id }: Json) => id))
      cursor = body.next_cursor
    } while (cursor !== undefined)
    expect(byOffset).toEqual(all)
    expect(byCursor).toEqual(all)
    expect((await gamma('/events/keyset?limit=4&offset=4')).status).toBe(422)
    expect((await gamma('/events?limit=501')).status).toBe(422)
    expect((await gamma('/events/slug/nothing')).status).toBe(404)
  })

  it('closes a game in the catalog some time after its end', async () => {
    const quick = await startBench({ seed: 6, speed: 60 })
    try {
      const closed = await until(async () => {
        const { body } = await call(`${quick.sim.urls.gamma}/events?tag_id=100639&closed=true`)
        return body.length > 0 && body[0]
      }, 'a closed event')
      expect(closed.ended).toBe(true)
      expect(JSON.parse(closed.markets[0].outcomePrices).map(Number).toSorted()).toEqual([0, 1])
      expect(closed.markets[0].acceptingOrders).toBe(false)
    } finally {
      await quick.close()
    }
  })
})

describe('the scoreboard', () => {
  const AGENT = 'arbees/0.1 (+https://example.com/arbees)'
  const today = easternDate(Date.now()).replaceAll('-', '')
  const board = (league: string, query: string, headers: Record<string, string> = {}) =>
    fetch(`${bench.sim.urls.espn}/apis/site/v2/sports/${league}/scoreboard${query}`, {
      headers: { 'user-agent': AGENT, ...headers },
    })

  it('shows live games with the field paths that readers follow', async () => {
    const body = (await (await board('basketball/nba', `?dates=${today}`)).json()) as Json
    expect(body.day.date).toBe(easternDate(Date.now()))
    expect(body.events).toHaveLength(2)
    const [event] = body.events
    const [competition] = event.competitions
    expect(event).toMatchObject({
      id: expect.stringMatching(/^\d+$/),
      uid: `s:40~l:46~e:${event.id}`,
      date: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\dZ$/),
      shortName: expect.stringMatching(/^[A-Z]+ @ [A-Z]+$/),
    })
    expect(competition.competitors.map(({ homeAway }: Json) => homeAway)).toEqual(['home', 'away'])
    for (const { score, team } of competition.competitors) {
      expect(score).toMatch(/^\d+$/)
      expect(team).toMatchObject({ abbreviation: expect.any(String), displayName: expect.any(String) })
    }
    expect(competition.status).toMatchObject({
      clock: expect.any(Number),
      displayClock: expect.stringMatching(/^\d+:\d\d$/),
      period: 4,
      type: { name: 'STATUS_IN_PROGRESS', state: 'in', completed: false },
    })
  })

  it('answers months and years, other days empty, and no date with another slate', async () => {
    const count = async (query: string) =>
      ((await (await board('hockey/nhl', query)).json()) as Json).events.length
    expect(await count(`?dates=${today.slice(0, 6)}`)).toBe(2)
    expect(await count(`?dates=${today.slice(0, 4)}`)).toBe(2)
    expect(await count('?dates=20200101')).toBe(0)
    expect(await count('')).toBe(0)
  })

  it('refuses ranges with the recorded body', async () => {
    const answer = await board('basketball/nba', `?dates=${today}-${today}`)
    expect(answer.status).toBe(400)
    expect(await answer.json()).toEqual({ code: 400, message: 'Failed to get events endpoint.' })
  })

  it.each([
    ['Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36', 403],
    ['Mozilla/5.0 (+https://example.com)', 403],
    ['arbees', 403],
    ['arbees/0.1', 403],
    ['node', 403],
    ['curl/8.5.0', 200],
    ['python-requests/2.32', 200],
    [AGENT, 200],
  ])('answers the agent %s with %i', async (agent, status) => {
    expect((await board('basketball/nba', `?dates=${today}`, { 'user-agent': agent })).status).toBe(status)
  })

  it('answers 304 to the tag it gave, and 404 to a league it does not have', async () => {
    // A day without games never changes.
    const first = await board('football/nfl', '?dates=20200101')
    const tag = first.headers.get('etag')!
    expect((await board('football/nfl', '?dates=20200101', { 'if-none-match': tag })).status).toBe(304)
    expect((await board('football/nfl', '?dates=20200101', { 'if-none-match': '"x"' })).status).toBe(200)
    expect((await board('basketball/nhl', '')).status).toBe(404)
  })

  it('tells the simulator stats beside it', async () => {
    const { body } = await call(`${bench.sim.urls.espn}/sim/status`)
    expect(body).toMatchObject({ orders: 0, fills: 0, cashMicros: 0, feesMicros: 0 })
    expect(body.refused['espn:user_agent']).toBeGreaterThan(0)
    expect(Math.abs(Date.now() - body.lastSignOfLifeMs)).toBeLessThan(5000)
  })
})
