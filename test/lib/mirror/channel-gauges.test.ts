import { describe, expect, it } from 'vitest'
import { ChannelGauges } from '../../../src/lib/mirror/channel-gauges.js'

const at = (seq: number, epoch = 1) => ({ epoch, seq })
/** The publisher's clock is 1,000,000 ms ahead of our monotonic one. */
const AHEAD = 1_000_000
const beat = (seq: number, heardMs: number) => ({ ...at(seq), stampMs: AHEAD + heardMs, heardMs })

describe('the age of what Redis does not have', () => {
  it("is by the publisher's clock, carried on between its heartbeats", () => {
    const gauges = new ChannelGauges(0)
    gauges.beat(beat(10, 100), at(10))
    const state = { position: at(10), lag: 5, oldestStampMs: AHEAD + 120 }
    expect(gauges.lagMs(state, 150)).toBe(30)
    expect(gauges.lagMs(state, 1_120)).toBe(1_000)
  })

  it('is 0 when Redis has everything, and unknown before the publisher was heard', () => {
    const gauges = new ChannelGauges(0)
    const behind = { position: at(1), lag: 1, oldestStampMs: 5 }
    expect(gauges.lagMs(behind, 10)).toBeUndefined()
    expect(gauges.lagMs({ ...behind, lag: 0 }, 10)).toBe(0)
  })

  it('is at least that of the first heartbeat that told of it, when nothing of it is at hand', () => {
    const gauges = new ChannelGauges(0)
    gauges.beat(beat(10, 0), at(10))
    gauges.beat(beat(12, 200), at(10))
    gauges.beat(beat(15, 400), at(10))
    const tail = { position: at(10), lag: 5, oldestStampMs: undefined }
    expect(gauges.lagMs(tail, 500)).toBe(300)
    // What came live is younger than the hole before it.
    expect(gauges.lagMs({ ...tail, oldestStampMs: AHEAD + 450 }, 500)).toBe(300)
    // Redis has what that heartbeat told of; the next one told of more.
    gauges.beat(beat(15, 600), at(12))
    expect(gauges.lagMs({ ...tail, position: at(12), lag: 3 }, 700)).toBe(100)
  })

  it('never is below 0, when a clock was set back', () => {
    const gauges = new ChannelGauges(0)
    gauges.beat(beat(10, 0), at(9))
    expect(gauges.lagMs({ position: at(10), lag: 1, oldestStampMs: AHEAD + 9_999 }, 0)).toBe(0)
  })
})

describe('messages a second', () => {
  it('are of the last 5 s', () => {
    const gauges = new ChannelGauges(0)
    expect(gauges.perSecond).toBe(0)
    for (let ms = 0; ms <= 20_000; ms += 250) gauges.note(ms < 10_000 ? ms : 10_000 + (ms - 10_000) / 10, ms)
    expect(gauges.perSecond).toBe(100)
  })

  it('are known from the first moment on', () => {
    const gauges = new ChannelGauges(0)
    gauges.note(500, 250)
    expect(gauges.perSecond).toBe(2_000)
  })

  it('fall to 0 when nothing comes', () => {
    const gauges = new ChannelGauges(0)
    for (let ms = 0; ms <= 6_000; ms += 250) gauges.note(500, ms)
    expect(gauges.perSecond).toBe(0)
  })
})
