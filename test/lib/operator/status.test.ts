import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { sourcesOf } from '../../../src/lib/bus/endpoints.js'
import { Publisher } from '../../../src/lib/bus/publisher.js'
import type { BeatDetails } from '../../../src/lib/bus/publisher.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import { loadSettings } from '../../../src/lib/core/config.js'
import type { SettingKey, Settings } from '../../../src/lib/core/config.js'
import { readStatus } from '../../../src/lib/operator/status.js'
import { renderStatus } from '../../../src/lib/operator/status-view.js'
import { connectRedis } from '../../../src/lib/redis/connection.js'
import type { RedisLink } from '../../../src/lib/redis/connection.js'
import { redisKeys } from '../../../src/lib/redis/keys.js'
import { startPrivateRedis } from '../../../src/lib/redis/private-server.js'
import type { PrivateRedis } from '../../../src/lib/redis/private-server.js'
import { publisherNames } from '../../../src/lib/bus/endpoints.js'

const keys = redisKeys('sim')
const dir = mkdtempSync(join(tmpdir(), 'arbees-status-'))
let server: PrivateRedis
let link: RedisLink
beforeAll(async () => {
  server = await startPrivateRedis({ dir, onNotice: () => undefined })
  link = await connectRedis(server.url, 'test')
})
afterAll(async () => {
  link.close()
  await server.stop()
  rmSync(dir, { recursive: true, force: true })
})

const closers: (() => void)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) close()
  await link.redis.flushall()
})

const UNUSED = 'tcp://127.0.0.1:1'

function settingsWith(given: Partial<Record<SettingKey, string>>): Settings {
  const nowhere = {
    'endpoints.kalshi': UNUSED,
    'endpoints.poly': UNUSED,
    'endpoints.orchestrator': UNUSED,
    'endpoints.shards': UNUSED,
    'endpoints.exec': UNUSED,
  }
  return loadSettings({ flags: { redis_url: server.url, ...nowhere, ...given } }).settings
}

async function bind(name: string, details: BeatDetails = {}, url = 'tcp://127.0.0.1:*') {
  const sources = sourcesOf(name)
  const options = { name, url, env: 'sim', clock: systemClock, sources, details: () => details } as const
  const publisher = await Publisher.bind(options)
  closers.push(() => publisher.close())
  return publisher
}

/** Every publisher of a deployment; `details` by name. */
async function bindAll(details: Readonly<Record<string, BeatDetails>> = {}) {
  const bound = new Map<string, Publisher>()
  for (const name of publisherNames(1)) bound.set(name, await bind(name, details[name]))
  const url = (name: string) => bound.get(name)!.url
  const settings = settingsWith({
    'endpoints.kalshi': url('kalshi'),
    'endpoints.poly': url('poly'),
    'endpoints.orchestrator': url('orchestrator'),
    'endpoints.shards': url('shard-0'),
    'endpoints.exec': url('exec'),
  })
  return { bound, settings }
}

async function writeMirrorBeat(counts: Readonly<Record<string, number>> = {}, timestampMs = Date.now()) {
  const beat = {
    v: 1,
    publisher: 'mirror',
    env: 'sim',
    host: 'h',
    pid: 77,
    timestamp_ms: timestampMs,
    mono_us: 1,
    channels: [],
    feeds: [],
    counts,
    hops: {},
    closing: false,
  }
  await link.redis.set(keys.health('mirror'), JSON.stringify(beat))
}

const checkpoint = (source: string, epoch: number, seq: number) =>
  link.redis.hset(keys.checkpoint(source), { epoch: String(epoch), seq: String(seq) })

const LIVE = { name: 'kalshi', state: 'LIVE', proved_ago_us: 90_000, markets: 8, reconnects: 0 } as const
const read = (settings: Settings) => readStatus({ settings, clock: systemClock })
const texts = (report: Awaited<ReturnType<typeof read>>) =>
  report.problems.map(({ role, problem }) => `${role}: ${problem}`)

describe('status', () => {
  it('is healthy when every publisher beats, the mirror keeps up and nothing was refused', async () => {
    const { bound, settings } = await bindAll({ kalshi: { feeds: [LIVE], counts: { quotes: 12 } } })
    await writeMirrorBeat({ mirrored: 12 })
    const { epoch } = bound.get('kalshi')!.channel('kalshi.prices')
    await checkpoint('kalshi.prices', epoch, 0)
    const report = await read(settings)
    expect(texts(report)).toEqual([])
    expect(report.healthy).toBe(true)
    const kalshi = report.roles.find(({ role }) => role === 'kalshi')
    expect(kalshi).toMatchObject({ state: 'up', pid: process.pid, feeds: [LIVE], counts: { quotes: 12 } })
    expect(kalshi?.heartbeat_age_ms).toBeLessThan(600)
    expect(report.roles.at(-1)).toMatchObject({ role: 'mirror', state: 'up', pid: 77 })
    expect(report.redis).toMatchObject({ url: server.url, gaps: 0, error: null })
    expect(renderStatus(report, { width: 140, color: false })).toMatch(
      /LIVE 8 markets, proved 90\.0ms ago[^]*\nhealthy$/,
    )
  })

  it('says that nothing runs, and how to start', async () => {
    const report = await read(settingsWith({}))
    expect(report.healthy).toBe(false)
    expect(report.problems).toEqual([
      { role: 'arbees', problem: 'nothing runs', hint: 'start everything with: arbees up' },
    ])
  })

  it('names who is missing, where it looked, and the command that starts it', async () => {
    const { url } = await bind('kalshi', { feeds: [LIVE] })
    const report = await read(settingsWith({ 'endpoints.kalshi': url }))
    expect(report.problems).toContainEqual({
      role: 'poly',
      problem: `no heartbeat from ${UNUSED}`,
      hint: 'start it with: arbees monitor polymarket',
    })
    expect(report.problems).toContainEqual({
      role: 'mirror',
      problem: 'not running',
      hint: 'start it with: arbees mirror',
    })
  })

  it('names refused input by reason, and every counter that someone has to look at', async () => {
    const { settings } = await bindAll({
      kalshi: {
        feeds: [{ ...LIVE, state: 'BROKEN' }],
        counts: { 'parse_errors:not_json': 2, 'parse_errors:oversize': 1 },
      },
      orchestrator: {
        counts: {
          ...{ 'loop_errors:update': 2, 'shard_games:shard-0': 0, 'shard_games:shard-1': 7, moves: 3 },
          ...{ 'shard_down:shard-0': 1, 'shard_down:shard-1': 0 },
        },
      },
      'shard-0': {
        counts: {
          ...{ wrong_source: 3, gaps: 1, duplicates: 4, unguarded: 9, 'signals_refused:journal': 5 },
          ...{ 'epoch_regressed:poly.prices': 1, 'epoch_regressed:kalshi.prices': 0, fenced: 1 },
        },
      },
    })
    await writeMirrorBeat()
    const report = await read(settings)
    expect(texts(report)).toEqual([
      'kalshi: feed kalshi is BROKEN',
      'kalshi: refused input: not_json 2, oversize 1',
      'orchestrator: 1 shards do not trade: the others have their games (shard_down: shard-0 1)',
      'orchestrator: 2 rounds of a loop failed and were tried again (loop_errors: update 2)',
      'shard-0: 1 gap',
      'shard-0: 3 messages of a source that their endpoint is not configured for were refused (wrong_source)',
      'shard-0: 5 signals could not be put on record and were not sent (signals_refused: journal 5)',
      'shard-0: 1 sources live in an epoch before their latest: start their publishers with --epoch-floor (epoch_regressed: poly.prices 1)',
      "shard-0: it does not hear the orchestrator and decides nothing: its games may be another shard's (fenced)",
    ])
    expect(report.roles[0]?.parse_errors).toEqual({ not_json: 2, oversize: 1 })
    expect(renderStatus(report, { width: 200, color: false })).toContain(
      'shard-0: 9 unguarded first-design messages',
    )
    expect(renderStatus(report, { width: 200, color: false })).toContain(
      "shard-0 has 0 games, shard-1 has 7 games; 3 moved since the orchestrator's start",
    )
  })

  it('shows how far Redis is behind each channel', async () => {
    const { bound, settings } = await bindAll({ kalshi: { feeds: [LIVE] } })
    const prices = bound.get('kalshi')!.channel('kalshi.prices')
    const games = bound.get('orchestrator')!.channel('orchestrator.games')
    const notice = { league: 'nba', game_id: '1' }
    for (let i = 0; i < 5; i++) prices.publish('prices.kalshi.KX', notice)
    for (let i = 0; i < 2000; i++) games.publish('games.updated', notice)
    await checkpoint('kalshi.prices', prices.epoch, 3)
    await checkpoint('orchestrator.games', games.epoch - 1, 2000)
    await writeMirrorBeat()
    const report = await read(settings)
    const lagOf = (name: string) =>
      report.roles.flatMap(({ channels }) => channels).find(({ source }) => source === name)?.lag
    expect(lagOf('kalshi.prices')).toBe(2)
    expect(lagOf('orchestrator.games')).toBe(2000)
    expect(texts(report)).toEqual(['orchestrator: Redis is 2,000 messages behind orchestrator.games'])
  })

  it('tells the age of the oldest message that Redis does not have, out of the journal', async () => {
    const url = 'tcp://127.0.0.1:*'
    const publisher = await Publisher.bind({
      name: 'kalshi',
      url,
      recoveryUrl: url,
      journal: { root: join(dir, 'journal'), retainBytes: 1e8 },
      env: 'sim',
      clock: systemClock,
      sources: sourcesOf('kalshi'),
      details: () => ({ feeds: [LIVE] }),
    })
    closers.push(() => publisher.close())
    const settings = settingsWith({
      'endpoints.kalshi': publisher.url,
      'recovery.kalshi': publisher.recoveryUrl!,
    })
    const prices = publisher.channel('kalshi.prices')
    const notice = { league: 'nba', game_id: '1' }
    prices.publish('prices.kalshi.KX', notice)
    await checkpoint('kalshi.prices', prices.epoch, 1)
    await new Promise((resolve) => setTimeout(resolve, 400))
    const before = Date.now()
    prices.publish('prices.kalshi.KX', notice)
    const published = Date.now()
    await new Promise((resolve) => setTimeout(resolve, 400))
    prices.publish('prices.kalshi.KX', notice)
    await writeMirrorBeat({ 'mirrored_per_s:kalshi.prices': 12.5 })
    const asked = Date.now()
    const report = await read(settings)
    const channel = report.roles[0]!.channels.find(({ source }) => source === 'kalshi.prices')!
    expect(channel).toMatchObject({ lag: 2, mirrored_per_s: 12.5 })
    // It was asked after it began to listen.
    expect(channel.lag_ms).toBeGreaterThanOrEqual(asked - published)
    expect(channel.lag_ms).toBeLessThanOrEqual(Date.now() - before)
    const late = texts(report).find((text) => text.includes('behind kalshi.prices'))
    expect(late).toMatch(/^kalshi: Redis is 2 messages \(1\.\ds\) behind kalshi\.prices$/)
    expect(renderStatus(report, { width: 240, color: false })).toMatch(/prices 2 \(1\.\ds\), 13\/s/)
  })

  it('is red for a consumer group that is about to lose, and names a second mirror without being red', async () => {
    const { settings } = await bindAll({ kalshi: { feeds: [LIVE] } })
    // What it counted as gaps was dealt with since: no record is left.
    await writeMirrorBeat({ other_mirrors: 1, gaps: 3 })
    const two = await read(settings)
    expect([two.healthy, texts(two)]).toEqual([true, []])
    expect(renderStatus(two, { width: 140, color: false })).toContain('mirror: not alone')
    await writeMirrorBeat({
      'groups_close:sim:prices:kalshi/slow': 91,
      'groups_lost:sim:games:events/x': 100,
    })
    expect(texts(await read(settings))).toEqual([
      'mirror: consumer group sim:prices:kalshi/slow is 91 % of its stream behind',
      'mirror: consumer group sim:games:events/x has lost entries',
    ])
  })

  it('counts the gap records that Redis holds', async () => {
    const { settings } = await bindAll({ kalshi: { feeds: [LIVE] } })
    await writeMirrorBeat()
    await link.redis.xadd(keys.gaps(), '*', 'channel', 'kalshi.prices', 'from', '1', 'to', '2')
    const report = await read(settings)
    expect(texts(report)).toEqual(['redis: sim:arbees:gaps holds 1 record'])
  })

  it('tells a mirror whose heartbeats stopped from one that runs', async () => {
    const { settings } = await bindAll({ kalshi: { feeds: [LIVE] } })
    await writeMirrorBeat({}, Date.now() - 4000)
    expect(texts(await read(settings))).toEqual(['mirror: its heartbeats stopped'])
  })

  it('goes on without Redis and says that it is missing', async () => {
    const { settings } = await bindAll({ kalshi: { feeds: [LIVE] } })
    const report = await read({ ...settings, redis_url: 'redis://:secret@127.0.0.1:1' })
    expect(texts(report)).toEqual([
      'mirror: its heartbeat is kept in Redis, which does not tell',
      'redis: no Redis answers at redis://127.0.0.1:1: ECONNREFUSED',
    ])
    expect(JSON.stringify(report)).not.toContain('secret')
  })

  it('points at a stranger on the port of a publisher', async () => {
    const stranger = await bind('poly')
    const report = await read(settingsWith({ 'endpoints.kalshi': stranger.url }))
    expect(texts(report)).toEqual([
      'arbees: nothing runs',
      `kalshi: foreign_heartbeat at ${stranger.url}: poly (sim) instead of kalshi (sim)`,
    ])
  })
})
