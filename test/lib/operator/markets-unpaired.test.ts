import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/lib/core/clock.js'
import { loadSettings, type SettingKey } from '../../../src/lib/core/config.js'
import { lookForUnpaired } from '../../../src/lib/operator/markets-unpaired.js'
import { renderUnpaired } from '../../../src/lib/operator/markets-view.js'
import { createSimAccounts } from '../../../src/lib/sim/accounts.js'
import { startSimulator } from '../../../src/lib/sim/simulator.js'

let dir: string
let sim: Awaited<ReturnType<typeof startSimulator>>
let gamma: Server
let flags: Partial<Record<SettingKey, string>>

const nextDay = (slug: string): string =>
  slug.replace(/\d{4}-\d\d-\d\d$/, (date) =>
    new Date(Date.parse(`${date}T12:00:00Z`) + 86_400_000).toISOString().slice(0, 10),
  )

/** Every game of a page, and its rematch on the next day. */
function withRematches(page: unknown): unknown {
  const { events, ...rest } = page as { readonly events?: readonly Record<string, unknown>[] }
  if (events === undefined) return page
  const rematches = events.flatMap((event) => {
    const slug = nextDay(String(event['slug']))
    if (slug === event['slug']) return []
    const markets = event['markets'] as readonly Record<string, unknown>[]
    const moneyline = {
      ...markets[0],
      slug,
      conditionId: `0x${Buffer.from(slug).toString('hex').padStart(64, '0').slice(-64)}`,
    }
    return [{ ...event, slug, markets: [moneyline] }]
  })
  return { ...rest, events: [...events, ...rematches] }
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'arbees-unpaired-'))
  await createSimAccounts(dir)
  sim = await startSimulator({
    ...{ seed: 1, speed: 1, ports: { kalshi: 0, poly: 0, gamma: 0, espn: 0 }, accountsDir: dir },
    onNotice: () => undefined,
  })
  gamma = createServer((request, response) => {
    void fetch(`${sim.urls.gamma}${request.url ?? ''}`)
      .then((answer) => answer.json())
      .then((body) => {
        response.setHeader('content-type', 'application/json').end(JSON.stringify(withRematches(body)))
      })
  })
  await new Promise<void>((resolve) => gamma.listen(0, '127.0.0.1', resolve))
  flags = {
    'kalshi.rest_url': sim.urls.kalshiRest,
    'polymarket.gamma_url': `http://127.0.0.1:${(gamma.address() as AddressInfo).port}`,
    'espn.url': sim.urls.espn,
    leagues: 'nba,nhl',
  }
})
afterAll(async () => {
  gamma.closeAllConnections()
  gamma.close()
  await sim.close()
  await rm(dir, { recursive: true, force: true })
})

const look = (more: Partial<Record<SettingKey, string>> = {}) => {
  const { settings } = loadSettings({ flags: { ...flags, ...more }, environment: {} })
  return lookForUnpaired({ settings, clock: systemClock })
}

describe('a look for unpaired markets', () => {
  it('names every pair, and of every other market the reason in words', async () => {
    const report = await look()
    const { paired, unpaired, counts, left_out: leftOut } = report
    expect(paired.length).toBeGreaterThanOrEqual(3)
    expect(counts).toEqual({
      games: paired.length,
      paired_games: paired.length,
      unpaired: { not_yet: paired.length },
      ...{ pins_unmatched: 0, bans_unmatched: 0 },
    })
    for (const { game, kalshi, polymarket } of paired) {
      const codes = game.split(' at ')
      expect(Object.values(kalshi).sort()).toEqual(codes.sort())
      expect(Object.keys(kalshi)).toHaveLength(2)
      expect(codes).toContain(Object.values(polymarket)[0])
    }
    expect(unpaired.map(({ event }) => event).sort()).toEqual(
      paired.flatMap(({ polymarket }) => Object.keys(polymarket).map(nextDay)).sort(),
    )
    expect(unpaired[0]).toMatchObject({
      venue: 'polymarket',
      reason: 'not_yet',
      why: 'its day is to come: scoreboards are read for today and yesterday',
    })
    // A season-long question is none of either.
    expect(leftOut).toContainEqual(
      expect.objectContaining({ league: 'nba', venue: 'polymarket', reason: 'not a game' }),
    )
    const shown = renderUnpaired(report, { width: 120, color: false, skipped: true })
    expect(shown).toContain(
      `${paired.length} of ${paired.length} games paired; ${unpaired.length} markets not (not_yet`,
    )
    expect(shown).toContain(unpaired[0]!.event)
    expect(Math.max(...shown.split('\n').map((line) => line.length))).toBeLessThanOrEqual(120)
  })

  it('obeys the pairing file, and is refused by a wrong one', async () => {
    const { paired } = await look()
    const file = join(dir, 'pairing.yaml')
    const { league, game_id: id } = paired[0]!
    const rules = [
      `bans: [{ league: ${league}, game: ${id}, why: not this one }, { event: nba-misspelt, why: y }]`,
      'pins: [{ event: KXGONE, league: nba, game: 1, why: z }]',
    ]
    await writeFile(file, rules.join('\n'))
    const { counts, notices } = await look({ 'pairing.file': file })
    expect(counts).toMatchObject({ paired_games: paired.length - 1, unpaired: { banned: 3 } })
    expect(counts).toMatchObject({ pins_unmatched: 1, bans_unmatched: 1 })
    expect(notices).toEqual(
      ['pin of KXGONE', 'ban of event nba-misspelt'].map(
        (rule) => `pairing file: the ${rule} fits nothing that is listed now`,
      ),
    )
    await writeFile(file, 'bans: {}')
    await expect(look({ 'pairing.file': file })).rejects.toMatchObject({ code: 'BAD_PAIRING_FILE', exit: 4 })
  })

  it.each<SettingKey>(['espn.url', 'kalshi.rest_url', 'polymarket.gamma_url'])(
    'is refused where %s cannot be reached: half a look would call games missing',
    async (key) => {
      await expect(look({ [key]: 'http://127.0.0.1:1', leagues: 'nba' })).rejects.toMatchObject({ exit: 6 })
    },
  )
})
