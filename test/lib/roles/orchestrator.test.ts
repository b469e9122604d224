import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { sourcesOf } from '../../../src/lib/bus/endpoints.js'
import { Subscriber } from '../../../src/lib/bus/subscriber.js'
import type { Problem, Received } from '../../../src/lib/bus/subscriber.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import type { SettingKey } from '../../../src/lib/core/config.js'
import { shardOf } from '../../../src/lib/games/assignment.js'
import { GameBoard } from '../../../src/lib/games/game-board.js'
import { LeagueScoreboard } from '../../../src/lib/games/league-scoreboard.js'
import type { GamesPayload } from '../../../src/lib/messages/payloads.js'
import { connectRedis } from '../../../src/lib/redis/connection.js'
import { redisKeys } from '../../../src/lib/redis/keys.js'
import { readMarketGame } from '../../../src/lib/redis/market-map.js'
import { startPrivateRedis } from '../../../src/lib/redis/private-server.js'
import { runOrchestrator } from '../../../src/lib/roles/orchestrator.js'
import type { RoleContext } from '../../../src/lib/roles/role.js'
import { createSimAccounts } from '../../../src/lib/sim/accounts.js'
import { startSimulator } from '../../../src/lib/sim/simulator.js'
import { until } from '../poll.js'
import { FakePublisher, testRole } from './role-harness.js'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function tempDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'arbees-orchestrator-'))
  cleanups.push(() => rm(dir, { recursive: true, force: true }))
  return dir
}

/** The simulated venues and scoreboard over their real protocols. */
async function simulator(faults: readonly object[] = []): Promise<Partial<Record<SettingKey, string>>> {
  const accountsDir = await tempDir()
  const script = join(accountsDir, 'faults.jsonl')
  await writeFile(script, faults.map((fault) => `${JSON.stringify(fault)}\n`).join(''))
  await createSimAccounts(accountsDir)
  const sim = await startSimulator({
    seed: 1,
    speed: 1,
    ports: { kalshi: 0, poly: 0, gamma: 0, espn: 0 },
    accountsDir,
    faults: script,
    onNotice: () => undefined,
  })
  cleanups.push(() => sim.close())
  const { kalshiRest, clob, gamma, espn } = sim.urls
  return {
    'kalshi.rest_url': kalshiRest,
    'polymarket.clob_url': clob,
    'polymarket.gamma_url': gamma,
    'espn.url': espn,
  }
}

/** Answers everything with one status. */
async function brokenServer(status: number): Promise<string> {
  const server = createServer((_, response) => response.writeHead(status).end('{}'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Stands before a service: what `answer` gives is the answer, and where it gives none the service's own is. */
async function before(
  target: string,
  answer: (path: string) => Promise<object | undefined>,
): Promise<string> {
  const forward = async ({ url = '/', headers }: IncomingMessage, response: ServerResponse) => {
    const own = await answer(url)
    const text =
      own === undefined
        ? await (
            await fetch(`${target}${url}`, { headers: { 'user-agent': headers['user-agent'] ?? '' } })
          ).text()
        : JSON.stringify(own)
    response.writeHead(200, { 'content-type': 'application/json' }).end(text)
  }
  const server = createServer((request, response) => {
    forward(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A running orchestrator, and what it publishes from its first message on. */
async function orchestrator(
  flags: Partial<Record<SettingKey, string>>,
  prepare: (context: RoleContext) => void = () => undefined,
) {
  const role = testRole('orchestrator', {
    'endpoints.orchestrator': 'tcp://127.0.0.1:*',
    leagues: 'nba,nhl',
    ...flags,
  })
  cleanups.push(() => role.context.lifecycle.close())
  prepare(role.context)
  const running = runOrchestrator(role.context)
  running.catch(() => undefined)
  await until(() => role.url() !== undefined, 'it is bound')
  const received: Received[] = []
  const problems: Problem[] = []
  const subscriber = new Subscriber({
    endpoints: [{ publisher: 'orchestrator', url: role.url()!, sources: sourcesOf('orchestrator') }],
    prefixes: ['games.'],
    env: 'sim',
    clock: systemClock,
    onMessage: (message) => received.push(message),
    onProblem: (problem) => problems.push(problem),
  })
  cleanups.push(() => subscriber.close())
  await running
  const states = () =>
    received
      .filter(({ message }) => message.topic.id !== '')
      .map(({ message }) => message.payload as GamesPayload)
  /** The newest state of every game. */
  const newest = () => [...new Map(states().map((state) => [state.game_id, state])).values()]
  const paired = () => newest().filter(({ markets }) => markets.length === 3)
  return { role, counters: role.context.counters, received, problems, states, newest, paired }
}

describe('the orchestrator', () => {
  it('takes a game for over as soon as the second source does, and says who said so', async () => {
    const fault = { venue: 'poly', at_ms: 1500, fault: 'scores', is: 'final' }
    const { newest, counters } = await orchestrator(await simulator([fault]))
    const decided = () => newest().filter(({ provider }) => provider === 'polymarket')
    await until(() => newest().some(({ status }) => status === 'live'), 'games are live')
    await until(() => decided().length >= 3, 'the second source calls them over')
    expect(decided().map(({ status }) => status)).toEqual(decided().map(() => 'final'))
    expect(counters.get('steps:live_final')).toBeGreaterThanOrEqual(3)
    // The score stays the scoreboard's.
    for (const { home, away } of decided()) expect(home.score + away.score).toBeGreaterThan(0)
  })

  it('pairs the games of the scoreboard with both venues and publishes their whole state', async () => {
    const { role, received, problems, newest, paired, counters } = await orchestrator(await simulator())
    await until(() => paired().length >= 3, 'three games are paired')
    expect(role.isReady()).toBe(true)
    const [game] = paired()
    expect(game!.markets.map(({ venue, kind }) => [venue, kind])).toEqual([
      ['kalshi', 'moneyline'],
      ['kalshi', 'moneyline'],
      ['poly', 'moneyline'],
    ])
    const codes = [game!.home.code, game!.away.code]
    expect(
      game!.markets
        .slice(0, 2)
        .map(({ selection }) => selection)
        .sort(),
    ).toEqual(codes.toSorted())
    expect(codes).toContain(game!.markets[2]!.selection)
    // Simulated venues settle by the one result: nothing of it is unknown, and trading goes on.
    for (const { settlement } of game!.markets) {
      expect(settlement).toEqual({
        overtime: 'included',
        tie: 'impossible',
        postponed: 'stays',
        canceled: 'half',
      })
    }
    expect(game!.markets[2]!.token_ids).toHaveLength(2)
    expect(received[0]!.message.header.seq).toBe(1)
    // Both sources tell the same evening.
    await until(() => counters.total('sports_heard') >= 3, 'the second source is heard')
    expect(newest().every(({ provider }) => provider === 'espn')).toBe(true)
    expect(counters.total('sports_skipped')).toBe(0)
    expect(counters.total('sports_unknown')).toBe(0)
    const discovered = received.filter(({ topic }) => topic === 'games.discovered')
    expect(discovered.map(({ message }) => (message.payload as GamesPayload).game_id).sort()).toEqual(
      newest()
        .map(({ game_id }) => game_id)
        .sort(),
    )
    expect(received.some(({ topic }) => topic === 'games.updated')).toBe(true)
    expect(problems).toEqual([])
    expect(counters.get('paired')).toBe(paired().length)
    expect(counters.total('parse_errors')).toBe(0)
    expect(role.lines.some((line) => line.includes('no Redis'))).toBe(true)
  })

  it('sends every state again within seconds, changed or not, and obeys what the pairing file says by then', async () => {
    const file = join(await tempDir(), 'pairing.yaml')
    await writeFile(file, '')
    const { states, newest, paired, counters } = await orchestrator({
      ...(await simulator()),
      'pairing.file': file,
    })
    await until(() => paired().length > 0, 'a game is paired')
    const { game_id: id, league } = paired()[0]!
    await writeFile(
      file,
      `bans: [{ league: ${league}, game: ${id}, why: not this one }, { event: gone, why: x }]`,
    )
    const before = states().filter(({ game_id }) => game_id === id).length
    await until(
      () => states().filter(({ game_id }) => game_id === id).length > before + 1,
      'it comes again',
      15_000,
    )
    const banned = () => newest().find(({ game_id }) => game_id === id)
    await until(() => banned()?.markets.length === 0, 'it is not paired any more', 15_000)
    expect(counters.get('unpaired:banned')).toBe(3)
    expect(counters.get('pairing_file_wrong')).toBe(0)
    expect([counters.get('bans_unmatched'), counters.get('pins_unmatched')]).toEqual([1, 0])
  })

  it('gives games to shards that it hears, by the hash, ahead of time; those of one that stops go to the others', async () => {
    const shards = await Promise.all([0, 1, 2].map((index) => FakePublisher.bind(`shard-${index}`)))
    for (const shard of shards) cleanups.push(() => shard.close())
    const { newest, paired, counters } = await orchestrator({
      ...(await simulator()),
      'endpoints.shards': shards.map(({ url }) => url).join(','),
      shards: '3',
    })
    await until(() => paired().length >= 3, 'three games are paired')
    for (const { league, game_id: gameId, shard, shard_from_ms: fromMs = 0 } of newest()) {
      expect(shard).toBe(shardOf({ league, gameId }, [0, 1, 2]))
      expect(fromMs).toBeGreaterThan(Date.now())
    }
    const gone = newest()[0]!.shard
    shards[gone]!.fallSilent()
    shards[gone]!.beat(true)
    await until(() => counters.get('moves') > 0, 'it is missed')
    const others = [0, 1, 2].filter((shard) => shard !== gone)
    await until(
      () =>
        newest().every(({ league, game_id: gameId, shard }) => shard === shardOf({ league, gameId }, others)),
      'its games have moved',
    )
    expect(newest().filter(({ shard_before: before }) => before === gone).length).toBeGreaterThan(0)
    const counted = others.map((shard) => counters.get(`shard_games:shard-${shard}`))
    expect(counted.reduce((sum, count) => sum + count, 0)).toBe(newest().length)
  })

  it.each<[string, SettingKey]>([
    ['Kalshi', 'kalshi.rest_url'],
    ['Gamma', 'polymarket.gamma_url'],
  ])('goes on with the games, unpaired, when %s is down', async (_, setting) => {
    const { newest, paired, counters, role } = await orchestrator({
      ...(await simulator()),
      [setting]: await brokenServer(503),
    })
    await until(() => newest().length >= 3 && counters.total('catalog_errors') > 0, 'games and errors')
    await until(() => counters.get('unpaired:no_counterpart') > 0, 'the other venue is known')
    expect(role.isReady()).toBe(true)
    expect(paired()).toEqual([])
  })

  it('is ready, says so and counts, when the scoreboard refuses it', async () => {
    const { newest, counters, role } = await orchestrator({
      ...(await simulator()),
      'espn.url': await brokenServer(403),
    })
    await until(() => counters.get('fetch_errors:http_403') > 0, 'the refusal is counted')
    await until(() => counters.get('unpaired:no_game') > 0, 'markets without a game are counted')
    expect(role.isReady()).toBe(true)
    expect(newest()).toEqual([])
  })

  it('asks a catalog again at once, not at its next turn, when a game comes that it lists nothing for', async () => {
    const sim = await simulator()
    let counted = (): boolean => false
    const espn = await before(sim['espn.url']!, async () => {
      // The catalogs were asked first and wait for their next turn, 30 s on.
      await until(counted, 'both catalogs were read')
      return undefined
    })
    let kalshiAsked = 0
    const kalshi = await before(sim['kalshi.rest_url']!, async (path) => {
      if (!path.includes('/markets')) return undefined
      return ++kalshiAsked === 1 ? { markets: [], cursor: '' } : undefined
    })
    const { paired } = await orchestrator(
      { ...sim, leagues: 'nba', 'espn.url': espn, 'kalshi.rest_url': kalshi },
      ({ counters }) => {
        const asked = () =>
          Object.keys(counters.snapshot()).filter((name) => name.startsWith('listed:')).length
        counted = () => asked() === 2
      },
    )
    await until(() => paired().length > 0, 'a game is paired', 15_000)
  })

  it('says once why a catalog leaves markets out', async () => {
    const sim = await simulator()
    const kalshi = await before(sim['kalshi.rest_url']!, async (path) => {
      if (!path.includes('/markets')) return undefined
      const range = (start: string, end: string, step: string) => ({ start, end, step })
      const holed = (ticker: string) => ({
        ticker,
        event_ticker: 'KXNBAGAME-26JUN13NYKSAS',
        status: 'active',
        price_ranges: [range('0', '0.1', '0.001'), range('0.2', '1', '0.01')],
      })
      return {
        markets: ['KXNBAGAME-26JUN13NYKSAS-SAS', 'KXNBAGAME-26JUN13NYKSAS-NYK'].map(holed),
        cursor: '',
      }
    })
    const { role, counters } = await orchestrator({ ...sim, leagues: 'nba', 'kalshi.rest_url': kalshi })
    await until(() => counters.get('skipped:kalshi_nba') === 2, 'the listing was read')
    expect(role.lines.filter((line) => line.includes('left out: price_ranges'))).toEqual([
      'kalshi catalog of nba: KXNBAGAME-26JUN13NYKSAS-SAS left out: price_ranges',
    ])
  })

  it('asks the scoreboard again at once, not minutes later, when a market of today has no game', async () => {
    const sim = await simulator()
    let empty = 0
    let known = (): boolean => false
    const held = async (): Promise<undefined> => {
      // The scoreboard was read first, has no game, and waits for its next turn, 5 min on.
      await until(known, 'the scoreboard was read')
      return undefined
    }
    const espn = await before(sim['espn.url']!, async () => (++empty <= 2 ? { events: [] } : undefined))
    const { paired } = await orchestrator(
      {
        ...sim,
        leagues: 'nba',
        'espn.url': espn,
        'kalshi.rest_url': await before(sim['kalshi.rest_url']!, held),
        'polymarket.gamma_url': await before(sim['polymarket.gamma_url']!, held),
      },
      ({ counters }) => (known = () => empty === 2 && 'games' in counters.snapshot()),
    )
    await until(() => paired().length > 0, 'a game is paired', 15_000)
  })

  it.each<[string, string, () => () => number]>([
    [
      'a poll',
      'scoreboard_nba',
      () => {
        const poll = vi.spyOn(LeagueScoreboard.prototype, 'poll')
        poll.mockRejectedValueOnce(new Error('made to fail')).mockRejectedValueOnce(new Error('made to fail'))
        return () => poll.mock.calls.length - 2
      },
    ],
    [
      'an update',
      'update',
      () => {
        const poll = vi.spyOn(LeagueScoreboard.prototype, 'poll')
        const update = vi.spyOn(GameBoard.prototype, 'update')
        // One for each loop of its first round.
        for (let i = 0; i < 3; i++) {
          update.mockImplementationOnce(() => {
            throw new Error('made to fail')
          })
        }
        return () => poll.mock.calls.length - 1
      },
    ],
  ])(
    'goes on, counts and tells once, when %s throws',
    async (_, name, sabotage) => {
      const laterPolls = sabotage()
      cleanups.push(() => vi.restoreAllMocks())
      const { role, counters, paired } = await orchestrator({ ...(await simulator()), leagues: 'nba' })
      await until(() => laterPolls() > 0 && paired().length > 0, 'it polls again and pairs', 18_000)
      expect(role.isReady()).toBe(true)
      expect(counters.get(`loop_errors:${name}`)).toBeGreaterThan(1)
      expect(role.lines.filter((line) => line.includes('made to fail'))).toEqual([
        `${name} failed and is tried again: made to fail`,
      ])
    },
    30_000,
  )

  it('refuses a pairing file that is wrong, or not there, before it binds', async () => {
    const file = join(await tempDir(), 'pairing.yaml')
    const start = () => {
      const role = testRole('orchestrator', {
        'endpoints.orchestrator': 'tcp://127.0.0.1:*',
        'pairing.file': file,
      })
      return runOrchestrator(role.context)
    }
    await expect(start()).rejects.toMatchObject({ code: 'NO_PAIRING_FILE', exit: 4 })
    await writeFile(file, 'bans: [{ market: X }]')
    await expect(start()).rejects.toMatchObject({ code: 'BAD_PAIRING_FILE', exit: 4 })
  })

  it('refuses a league that it does not know', async () => {
    const role = testRole('orchestrator', {
      'endpoints.orchestrator': 'tcp://127.0.0.1:*',
      leagues: 'nba,cricket',
    })
    await expect(runOrchestrator(role.context)).rejects.toMatchObject({ code: 'BAD_CONFIG', exit: 4 })
  })

  it('writes market:<id>:game_id, and again when Redis comes back empty', async () => {
    const redis = await startPrivateRedis({ dir: await tempDir(), onNotice: () => undefined })
    cleanups.push(() => redis.stop())
    const { paired } = await orchestrator({ ...(await simulator()), redis_url: redis.url })
    await until(() => paired().length >= 3, 'three games are paired')
    const link = await connectRedis(redis.url, 'test')
    cleanups.push(() => link.close())
    const complete = async () => {
      for (const { game_id: gameId, markets } of paired()) {
        for (const { market_id: id } of markets) {
          if ((await readMarketGame(link.redis, 'sim', id)) !== gameId) return false
        }
      }
      return true
    }
    await until(complete, 'every market is written')
    const key = redisKeys('sim').marketGame(paired()[0]!.markets[0]!.market_id)
    expect(await link.redis.ttl(key)).toBeGreaterThan(6 * 24 * 3600)
    await link.redis.flushall()
    await link.redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await until(complete, 'every market is written again')
  })
})
