import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Message } from '../../../src/lib/messages/codec.js'
import { HopMeter } from '../../../src/lib/operator/latency-hops.js'
import type { Sample } from '../../../src/lib/operator/latency-hops.js'
import { HERE, WALL_MS, orderOf, priceOf, signalOf } from './latency-samples.js'

function measure(...messages: Message[]) {
  const samples: Sample[] = []
  const meter = new HopMeter((sample) => samples.push(sample))
  for (const message of messages) meter.take(message, `${message.family}.topic`)
  const of = (hop: string) => samples.filter((sample) => sample.hop === hop).map(({ reading }) => reading)
  return { samples, of, us: (hop: string) => of(hop).map(({ us }) => us), meter }
}

const price = priceOf(7, { recv: 100, pub: 150 })
const signal = signalOf('s', 7, { recv: 100, shard_in: 400, shard_out: 500, pub: 510 })
const sent = orderOf('s', 7, {
  recv: 100,
  shard_in: 400,
  shard_out: 500,
  exec_in: 900,
  order: 2_900,
  pub: 2_950,
})

describe('hops', () => {
  it('of one host come from its monotonic clock', () => {
    const { us, of } = measure(price, signal, sent)
    expect(us('frame_to_quote')).toEqual([50])
    expect(us('monitor_shard')).toEqual([250])
    expect(us('decision')).toEqual([100])
    expect(us('shard_exec')).toEqual([400])
    expect(us('exec_venue')).toEqual([2_000])
    expect(us('tick_to_order')).toEqual([2_800])
    expect(of('tick_to_order')[0]?.clock).toBe('monotonic')
  })

  it('add up to tick to order, whatever the stamps', () => {
    const step = fc.integer({ min: 0, max: 1_000_000 })
    fc.assert(
      fc.property(step, step, step, step, step, step, (recv, a, b, c, d, e) => {
        const [pub, shard_in] = [recv + a, recv + a + b]
        const shard_out = shard_in + c
        const exec_in = shard_out + d
        const order = exec_in + e
        const { us } = measure(
          priceOf(7, { recv, pub }),
          signalOf('s', 7, { recv, shard_in, shard_out, pub: shard_out }),
          orderOf('s', 7, { recv, shard_in, shard_out, exec_in, order, pub: order }),
        )
        const parts = ['frame_to_quote', 'monitor_shard', 'decision', 'shard_exec', 'exec_venue'].flatMap(us)
        expect(parts.reduce((sum, each) => sum + each, 0)).toBe(us('tick_to_order')[0])
      }),
    )
  })

  it('find the trigger when it is heard behind its signal', () => {
    const { us, meter } = measure(signal, price)
    expect(us('monitor_shard')).toEqual([250])
    expect(meter.unmatched).toBe(0)
  })

  it('without the trigger are not guessed, and counted', () => {
    const { us, meter } = measure(signal)
    expect(us('monitor_shard')).toEqual([])
    expect(us('decision')).toEqual([100])
    expect(meter.unmatched).toBe(1)
  })

  it('count a signal and its opening order once, however many messages tell of them', () => {
    const intent = orderOf('s', 7, { ...sent.header.stamps, order: undefined } as never, { state: 'intent' })
    const filled = orderOf('s', 7, sent.header.stamps, { state: 'filled' })
    const { us } = measure(price, signal, intent, sent, filled)
    expect(us('shard_exec')).toEqual([400])
    expect(us('exec_venue')).toEqual([2_000])
    expect(us('tick_to_order')).toEqual([2_800])
  })

  it('leave out what waited for more than the hop: later legs and attempts', () => {
    const { samples } = measure(
      orderOf('a', 7, sent.header.stamps, { leg: 1 }),
      orderOf('b', 7, sent.header.stamps, { attempt: 1 }),
    )
    expect(samples).toEqual([])
  })

  it('of a denied signal end at exec', () => {
    const { exec_in, shard_out } = { exec_in: 900, shard_out: 500 }
    const { us } = measure(orderOf('s', 7, { shard_out, exec_in, pub: 950 }, { state: 'denied' }))
    expect(us('shard_exec')).toEqual([400])
    expect(us('exec_venue')).toEqual([])
  })

  it("compare the venue's clock with what the host's wall clock said at the frame", () => {
    // Published at 2 ms of the host's wall clock, received 0.5 ms before.
    const { of } = measure(
      priceOf(1, { venue_ms: WALL_MS, recv: 1_500, pub: 2_000 }),
      priceOf(2, { venue_ms: WALL_MS + 3, recv: 1_500, pub: 2_000 }),
    )
    expect(of('venue_monitor').map(({ us, clock }) => [Math.round(us), clock])).toEqual([
      [1_500, 'venue'],
      [-1_500, 'venue'],
    ])
  })

  it('between hosts come from wall clocks, and say which', () => {
    const there = { host: 'there/2', wallMs: WALL_MS + 40 }
    const { of } = measure(
      priceOf(7, { recv: 100_000, pub: 150_000 }, HERE),
      signalOf('s', 7, { shard_in: 120_000, shard_out: 121_000, pub: 121_500 }, there),
      orderOf('s', 7, { exec_in: 170_000, order: 180_000, pub: 181_000 }, {}, HERE),
    )
    const wall = (us: number, from: string, to: string) => [
      { us: expect.closeTo(us, 3), clock: 'wall', from, to },
    ]
    expect(of('monitor_shard')).toEqual(wall(10_000, 'here/1', 'there/2'))
    expect(of('shard_exec')).toEqual(wall(9_000, 'there/2', 'here/1'))
    expect(of('decision')).toEqual([{ us: 1_000, clock: 'monotonic' }])
    expect(of('tick_to_order')).toEqual([{ us: 80_000, clock: 'monotonic' }])
  })
})
