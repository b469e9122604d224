import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/lib/core/clock.js'
import { signalsPayload } from '../../../src/lib/messages/convert.js'
import { runExec } from '../../../src/lib/roles/exec.js'
import { runShard } from '../../../src/lib/roles/shard.js'
import { until } from '../poll.js'
import { signal } from '../risk/samples.js'
import { LiveWorld } from './live-world.js'
import { testRole } from './role-harness.js'

let world: LiveWorld
afterEach(() => world.end())

const wait = (ms: number) => new Promise((done) => setTimeout(done, ms))

describe('a role whose own link to a publisher is cut', { timeout: 60_000 }, () => {
  it('exec: takes fresh signals from Redis, each once, and those of the bus again after', async () => {
    world = await LiveWorld.create('demo')
    const channel = (await world.bind('shard-0')).channel('shard-0.signals')
    await world.startMirror()
    const { settings, cut, heal } = await world.wire('shards')
    const { context } = testRole('exec', { ...world.flags, ...settings })
    world.defer(() => context.lifecycle.close())
    await runExec(context)
    const { counters } = context
    let sent = 0
    const send = () => {
      const plan = signal({ id: `id-${sent++}` })
      const stamps = { shard_out: systemClock.monoUs() }
      channel.publish(`signals.trade.${plan.id}`, signalsPayload(plan), { stamps })
    }
    await until(() => (send(), counters.get('signals') > 0), 'exec hears signals')
    let missed = -1
    await until(async () => {
      const before = missed
      missed = sent - counters.get('signals')
      await wait(100)
      return missed === before
    }, 'nothing is on its way')
    cut()
    await until(() => counters.get('silent:shard-0') === 1, 'the shard is silent')
    for (let i = 0; i < 5; i++) send()
    await until(() => counters.get('signals') >= sent - missed, 'they came another way')
    expect(counters.get('fallbacks')).toBe(1)
    heal()
    await until(() => counters.get('silent:shard-0') === 0, 'the shard is heard again')
    for (let i = 0; i < 5; i++) send()
    await until(() => counters.get('signals') >= sent - missed, 'they came')
    // None was stale: each was judged by what the markets are, which this exec does not know.
    expect(counters.get('signals')).toBe(sent - missed)
    expect([counters.get('stale'), counters.get('duplicates'), counters.get('gaps')]).toEqual([0, 0, 0])
  })

  it('shard: reads the books from Redis, trades on none of them, and on all when it hears them again', async () => {
    world = await LiveWorld.create('sim')
    await world.market()
    await world.startMirror()
    const { settings, cut, heal } = await world.wire('kalshi')
    const { context } = testRole('shard-0', { ...world.flags, ...settings })
    world.defer(() => context.lifecycle.close())
    await runShard(context, 0)
    const { counters } = context
    await until(() => counters.get('signals') >= 2, 'it trades')
    cut()
    await until(() => counters.get('fallbacks') === 1, 'it reads from Redis')
    const { signals, quotes } = { signals: counters.get('signals'), quotes: counters.get('quotes') }
    // Long enough for several moments in which the book was cheap.
    await wait(1_500)
    expect(counters.get('signals')).toBe(signals)
    expect(counters.get('quotes')).toBeGreaterThan(quotes)
    heal()
    await until(() => counters.get('signals') >= signals + 2, 'it trades again')
    expect([counters.get('duplicates'), counters.get('gaps')]).toEqual([0, 0])
  })
})
