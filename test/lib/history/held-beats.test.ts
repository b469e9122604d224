import { describe, expect, it } from 'vitest'
import type { Position } from '../../../src/lib/bus/position.js'
import { HeldBeats } from '../../../src/lib/history/held-beats.js'
import type { Heartbeat } from '../../../src/lib/messages/heartbeat.js'

const PRICES = 'kalshi.prices'
const BOOKS = 'kalshi.orderbook'

const beat = (mono_us: number, prices: Position, books: Position = { epoch: 7, seq: 0 }): Heartbeat => ({
  v: 1,
  publisher: 'kalshi',
  env: 'sim',
  host: 'h',
  pid: 1,
  timestamp_ms: 1,
  mono_us,
  channels: [
    { source: PRICES, epoch: prices.epoch, last_seq: prices.seq, oldest: null, journal: 'on' },
    { source: BOOKS, epoch: books.epoch, last_seq: books.seq, oldest: null, journal: 'on' },
  ],
  feeds: [],
  counts: {},
  hops: {},
  closing: false,
})
const at = (epoch: number, seq: number) => ({ epoch, seq })

/** Beats by their time, after each position in turn. */
function released(beats: readonly Heartbeat[], positions: readonly (Position | undefined)[]) {
  const held = new HeldBeats(new Set([PRICES, BOOKS]))
  held.note(beat(0, at(1, 0)))
  for (const each of beats) held.note(each)
  return positions.map((position) =>
    held.release((source) => (source === PRICES ? position : at(7, 0))).map(({ mono_us }) => mono_us),
  )
}

describe('heartbeats out of Redis', () => {
  it('do not overtake what was sent before them', () => {
    expect(
      released([beat(1, at(7, 5)), beat(2, at(7, 9))], [at(7, 4), at(7, 5), at(7, 8), at(8, 0)]),
    ).toEqual([[], [1], [], [2]])
  })

  it('are handed on once, in order', () => {
    const same = beat(1, at(7, 5))
    expect(released([same, { ...same }, beat(2, at(7, 5))], [at(7, 5), at(7, 5)])).toEqual([[1, 2], []])
  })

  it('wait for what was never read', () => {
    expect(released([beat(1, at(7, 5))], [undefined, at(7, 6)])).toEqual([[], [1]])
  })

  it('of a channel that has published nothing are taken at once', () => {
    expect(released([beat(1, at(7, 0))], [undefined])).toEqual([[1]])
  })

  it('wait for every channel that is read, and for no other', () => {
    const beats = [beat(1, at(7, 5), at(7, 3))]
    const both = new HeldBeats(new Set([PRICES, BOOKS]))
    const one = new HeldBeats(new Set([PRICES]))
    for (const held of [both, one]) {
      held.note(beat(0, at(7, 0)))
      held.note(beats[0]!)
    }
    const positionOf = (source: string) => (source === PRICES ? at(7, 5) : at(7, 2))
    expect(both.release(positionOf)).toEqual([])
    expect(one.release(positionOf)).toEqual(beats)
  })

  it('that were there before we came prove no life', () => {
    const held = new HeldBeats(new Set([PRICES]))
    const old = beat(1, at(7, 1))
    held.note(old)
    held.note(old)
    expect(held.release(() => at(9, 9))).toEqual([])
  })

  it('are held in bounded number: the newest stay', () => {
    const beats = Array.from({ length: 500 }, (_, i) => beat(i + 1, at(7, 1)))
    expect(released(beats, [at(7, 1)])[0]).toEqual(Array.from({ length: 50 }, (_, i) => 451 + i))
  })
})
