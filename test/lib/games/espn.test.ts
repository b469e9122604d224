import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock, type Clock } from '../../../src/lib/core/clock.js'
import { EspnScoreboard } from '../../../src/lib/games/espn.js'
import type { ScoreboardPage } from '../../../src/lib/games/espn.js'
import { TeamCodeBook } from '../../../src/lib/games/team-codes.js'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function serve(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  { clock = systemClock, timeoutMs = 10_000 }: { readonly clock?: Clock; readonly timeoutMs?: number } = {},
) {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const client = new EspnScoreboard({
    baseUrl,
    userAgent: 'arbees/test (+https://example.org)',
    clock,
    codes: new TeamCodeBook(),
    timeoutMs,
  })
  cleanups.push(() => client.close())
  const page = (previous?: ScoreboardPage) =>
    client.page('nhl', '2026-01-15', previous, new AbortController().signal)
  return { requests, client, page }
}

const BODY = JSON.stringify({
  leagues: [{ slug: 'nhl' }],
  events: [
    {
      id: '7',
      date: '2026-01-16T00:00Z',
      competitions: [
        {
          competitors: [
            { homeAway: 'home', score: '0', team: { abbreviation: 'LA' } },
            { homeAway: 'away', score: '0', team: { abbreviation: 'VGK' } },
          ],
          status: { period: 0, type: { name: 'STATUS_SCHEDULED', state: 'pre' } },
        },
      ],
    },
  ],
})

describe('the scoreboard client', () => {
  it('asks once per league and day, honestly, for the Eastern date', async () => {
    const { requests, page } = await serve((_, response) => {
      response.setHeader('cache-control', 'max-age=7').end(BODY)
    })
    const answer = await page()
    expect(answer).toMatchObject({
      kind: 'page',
      notModified: false,
      page: { date: '2026-01-15', maxAgeMs: 7000, games: [{ gameId: '7', home: { code: 'LA' } }] },
    })
    expect(requests).toHaveLength(1)
    expect(requests[0]!.url).toBe('/apis/site/v2/sports/hockey/nhl/scoreboard?dates=20260115')
    expect(requests[0]!.headers['user-agent']).toBe('arbees/test (+https://example.org)')
  })

  it("asks for all of a college day, and for a soccer league by the service's name", async () => {
    const { requests, client } = await serve((_, response) => response.end(BODY))
    for (const league of ['cfb', 'cbb', 'mls'] as const) {
      await client.page(league, '2026-01-15', undefined, new AbortController().signal)
    }
    expect(requests.map(({ url }) => url)).toEqual([
      '/apis/site/v2/sports/football/college-football/scoreboard?dates=20260115&groups=80',
      '/apis/site/v2/sports/basketball/mens-college-basketball/scoreboard?dates=20260115&groups=50',
      '/apis/site/v2/sports/soccer/usa.1/scoreboard?dates=20260115',
    ])
  })

  it('stops asking after a 403, for longer each time, until an answer comes', async () => {
    let nowUs = 0
    let status = 403
    const { requests, client, page } = await serve((_, response) => response.writeHead(status).end(BODY), {
      clock: { ...systemClock, monoUs: () => nowUs },
    })
    const reason = async () => {
      const answer = await page()
      return answer.kind === 'failed' ? [answer.failure.reason, answer.failure.retryAfterMs] : 'page'
    }
    // Two leagues asked at once are refused once.
    expect(await Promise.all([reason(), reason()])).toEqual([
      ['http_403', 0],
      ['http_403', 0],
    ])
    expect(await reason()).toEqual(['circuit_open', 60_000])
    nowUs = 59_000_000
    const other = await client.page('nba', '2026-01-15', undefined, new AbortController().signal)
    expect(other).toMatchObject({ failure: { reason: 'circuit_open', retryAfterMs: 1000 } })
    expect(requests).toHaveLength(2)
    nowUs = 60_000_000
    expect(await reason()).toEqual(['http_403', 0])
    nowUs += 60_000_000
    expect(await reason()).toEqual(['circuit_open', 60_000])
    nowUs += 60_000_000
    status = 200
    expect(await reason()).toBe('page')
    status = 403
    await reason()
    expect(await reason()).toEqual(['circuit_open', 60_000])
  })

  it('sends the ETag back and keeps the games of a 304, fetched anew', async () => {
    const { requests, page } = await serve((request, response) => {
      if (request.headers['if-none-match'] === '"a1"') response.writeHead(304).end()
      else response.setHeader('etag', '"a1"').end(BODY)
    })
    const first = await page()
    if (first.kind !== 'page') throw new Error('no page')
    const old: ScoreboardPage = {
      ...first.page,
      games: first.page.games.map((game) => ({ ...game, fetchedMs: 5 })),
    }
    const second = await page(old)
    expect(requests[1]!.headers['if-none-match']).toBe('"a1"')
    expect(second).toMatchObject({ kind: 'page', notModified: true, page: { games: [{ gameId: '7' }] } })
    expect(second.kind === 'page' && second.page.games[0]!.fetchedMs).toBeGreaterThan(5)
  })

  it.each<[string, (response: ServerResponse) => void, string, string, number]>([
    ['403', (r) => r.writeHead(403).end('no'), 'refused', 'http_403', 0],
    [
      '429 with a wish',
      (r) => r.writeHead(429, { 'retry-after': '17' }).end(),
      'refused',
      'http_429',
      17_000,
    ],
    ['500', (r) => r.writeHead(500).end(), 'refused', 'http_500', 0],
    [
      'a redirect',
      (r) => r.writeHead(302, { location: 'http://127.0.0.1:9/' }).end(),
      'refused',
      'http_302',
      0,
    ],
    ['text', (r) => r.end('<html>'), 'unreadable', 'not_json', 0],
    ['a number', (r) => r.end('1e400'), 'unreadable', 'not_an_object', 0],
    ['no events', (r) => r.end('{"__proto__":{"events":[]}}'), 'unreadable', 'no_events', 0],
    [
      'another league',
      (r) => r.end('{"leagues":[{"slug":"nba"}],"events":[]}'),
      'unreadable',
      'wrong_league',
      0,
    ],
    ['too much', (r) => r.end(Buffer.alloc(17 * 1024 * 1024, 32)), 'unreadable', 'oversize', 0],
    ['a cut', (r) => r.destroy(), 'unreachable', 'unreachable', 0],
    ['silence', () => undefined, 'unreachable', 'timeout', 0],
    ['a body that never ends', (r) => r.write('{'), 'unreachable', 'timeout', 0],
  ])('answers %s with a reason, never an exception', async (_, answer, kind, reason, retryAfterMs) => {
    const waits = reason === 'timeout' ? { timeoutMs: 500 } : {}
    const { page } = await serve((__, response) => answer(response), waits)
    expect(await page()).toMatchObject({ kind: 'failed', failure: { kind, reason, retryAfterMs } })
  })
})
