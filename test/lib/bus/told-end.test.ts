import { describe, expect, it } from 'vitest'
import { ChannelReader } from '../../../src/lib/bus/channel-reader.js'

const END = { epoch: 7, seq: 3 }

/** At the end of an epoch, with the next one's first message waiting behind it and nobody to ask. */
function waiting() {
  const reader = new ChannelReader<string>({
    maxWaiting: { records: 10, bytes: 1_000 },
    outOfReachMs: 1_000,
  })
  reader.startAt({ ...END, closed: false })
  reader.reached({ ...END, closing: false, journal: true }, 0)
  reader.receive({ epoch: 8, seq: 1, value: 'first' }, 1, 0)
  expect(reader.take(9, 0)).toEqual([])
  return reader
}

describe('a reader that is told of the end of an epoch by who has the channel whole', () => {
  it('goes on into the next one without a gap', () => {
    const reader = waiting()
    reader.onEnd(END, 8)
    expect(reader.take(9, 0)).toEqual([
      { kind: 'epoch', from: 7, to: 8, reason: null },
      { kind: 'record', epoch: 8, seq: 1, value: 'first' },
    ])
  })

  it('does so before it has heard of the source, too', () => {
    const reader = new ChannelReader<string>({
      maxWaiting: { records: 10, bytes: 1_000 },
      outOfReachMs: 1_000,
    })
    reader.startAt({ ...END, closed: false })
    reader.onEnd(END, 8)
    reader.receive({ epoch: 8, seq: 1, value: 'first' }, 1, 0)
    reader.receive({ epoch: 8, seq: 3, value: 'third' }, 1, 0)
    expect(reader.take(9, 9_000)).toEqual([
      { kind: 'epoch', from: 7, to: 8, reason: null },
      { kind: 'record', epoch: 8, seq: 1, value: 'first' },
    ])
  })

  it('does not believe it while it is elsewhere: something of the old one is still missing', () => {
    const reader = waiting()
    reader.onEnd({ epoch: 7, seq: 4 }, 8)
    expect(reader.take(9, 0)).toEqual([])
  })

  it('forgets it where more of the old one comes after all', () => {
    const reader = waiting()
    reader.onEnd(END, 8)
    reader.receive({ epoch: 7, seq: 4, value: 'last' }, 1, 0)
    expect(reader.take(9, 0)).toEqual([{ kind: 'record', epoch: 7, seq: 4, value: 'last' }])
  })
})
