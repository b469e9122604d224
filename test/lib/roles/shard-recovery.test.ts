import { afterEach, describe, expect, it } from 'vitest'
import { sourcesOf } from '../../../src/lib/bus/endpoints.js'
import type { Position } from '../../../src/lib/bus/position.js'
import { Subscriber } from '../../../src/lib/bus/subscriber.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import type { SignalsPayload } from '../../../src/lib/messages/payloads.js'
import { rerunShard } from '../../../src/lib/roles/shard-rerun.js'
import { TcpProxy } from '../../faults/tcp-proxy.js'
import { until } from '../poll.js'
import { freePort } from '../redis/support.js'
import { JournaledMonitors } from './journaled-monitors.js'
import { CHEAP_HERE, COND, FAIR_HERE, HOU, RICH_THERE, gameState } from './shard-stage.js'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const HOST = '127.0.0.1'

/** A shard that hears Polymarket's monitor through a wire that loses what it is told to; its recovery socket is whole. */
async function stage() {
  const monitors = await JournaledMonitors.bind(cleanups)
  const port = await freePort()
  const target = { host: HOST, port: Number(monitors.poly.url.split(':').at(-1)) }
  const wire = await TcpProxy.listen({ host: HOST, port }, target)
  cleanups.push(() => wire.close())
  const role = await monitors.startShard(`tcp://${HOST}:${port}`)
  const { counters, settings } = role.context
  const signals: SignalsPayload[] = []
  const endpoint = { publisher: 'shard-0', url: role.url()!, sources: sourcesOf('shard-0') }
  let joined = false
  const subscriber = new Subscriber({
    ...{ endpoints: [endpoint], prefixes: ['signals.'], env: 'sim', clock: systemClock },
    onMessage: ({ message }) => signals.push(message.payload as SignalsPayload),
    onHeartbeat: () => (joined = true),
  })
  cleanups.push(() => subscriber.close())
  await until(() => joined, 'the test hears the shard')
  const { orchestrator } = monitors
  return { monitors, orchestrator, wire, counters, signals, settings }
}

/** A game of two markets of its own. */
const gameOf = (n: number) => {
  const [here, , there] = gameState().markets
  const markets = [
    { ...here!, market_id: `K${n}` },
    { ...there!, market_id: `0x${n}` },
  ]
  return gameState({ game_id: String(n), markets })
}

describe('a shard that a wire loses messages of', () => {
  it('pulls them, and then has every book as its publisher has it', async () => {
    const GAMES = 30
    const { monitors, orchestrator, wire, counters, signals, settings } = await stage()
    const each = <T>(work: (n: number) => T): T[] => Array.from({ length: GAMES }, (_, n) => work(n))
    each((n) => orchestrator.channel('orchestrator.games').publish(`games.nba.${n}`, gameOf(n)))
    each((n) => monitors.quote('poly', `0x${n}`, FAIR_HERE))
    const known = () => ['games', 'quotes', 'books'].map((name) => counters.get(name)).join()
    await until(() => known() === `${GAMES},${GAMES},${GAMES}`, `it knows every market: ${known()}`)
    wire.blackhole()
    // Of each market several, of which the last counts; in between, noise.
    const newest = each((n) => {
      monitors.quote('poly', `0x${n}`, { bid: [0.4, 9], ask: [0.6, 9] })
      monitors.quote('poly', `0xnoise${n}`, FAIR_HERE)
      return monitors.quote('poly', `0x${n}`, { ...RICH_THERE, bid: [0.5, 10 + n] })
    })
    await until(() => wire.swallowed > 0, 'they are lost')
    wire.heal()
    await until(() => known() === `${GAMES},${4 * GAMES},${4 * GAMES}`, `it has pulled them: ${known()}`)
    await until(() => {
      each((n) => monitors.quote('kalshi', `K${n}`, CHEAP_HERE))
      return signals.length >= GAMES
    }, 'it trades on each')
    expect(signals.map(({ game_id: game }) => Number(game)).sort((a, b) => a - b)).toEqual(each((n) => n))
    const place = ({ epoch, seq }: Position) => ({ epoch, seq })
    for (const { game_id: game, legs, inputs } of signals) {
      const there = (source: string) => place(inputs.find((input) => input.source === source)!)
      const { book, price } = newest[Number(game)]!
      expect([there('poly.orderbook'), there('poly.prices')]).toEqual([place(book), place(price)])
      expect(legs[0]).toMatchObject({ outcome: 'no', limit: 0.5, size: 10 + Number(game) })
    }
    expect([counters.get('gaps'), counters.get('duplicates'), counters.total('parse_errors')]).toEqual([
      0, 0, 0,
    ])
    expect(await rerunShard({ settings, shard: 0 })).toMatchObject({ ok: true })
  })

  it('decides on a quote that came meanwhile as soon as all is heard again, though no other comes', async () => {
    const { monitors, orchestrator, wire, counters, signals, settings } = await stage()
    orchestrator.channel('orchestrator.games').publish('games.nba.401', gameState())
    monitors.quote('poly', COND, RICH_THERE)
    monitors.quote('kalshi', HOU, FAIR_HERE)
    await until(() => counters.get('quotes') === 2 && counters.get('games') === 1, 'it knows both markets')
    await until(() => counters.get('silent:poly') === 0, 'it hears both monitors')
    wire.blackhole()
    await until(() => counters.get('silent:poly') === 1, 'one is silent')
    const { price } = monitors.quote('kalshi', HOU, CHEAP_HERE)
    await until(() => counters.get('quotes') === 3, 'the quote came')
    expect(signals).toEqual([])
    wire.heal()
    await until(() => signals.length > 0, 'the signal')
    expect(signals[0]).toMatchObject({ pair: `kalshi:${HOU}:yes+poly:${COND}:no`, size: 40 })
    expect(signals[0]?.inputs).toContainEqual(expect.objectContaining({ source: 'kalshi.prices', ...price }))
    // The quote caused it once and for all.
    await until(() => counters.get('silent:poly') === 0, 'all is well again')
    expect([counters.get('quotes'), counters.get('signals')]).toEqual([3, 1])
    expect(await rerunShard({ settings, shard: 0 })).toMatchObject({ ok: true })
  })
})
