import { describe, expect, it } from 'vitest'
import { ChannelReader } from '../../../src/lib/bus/channel-reader.js'

/** A reader that has all of epoch 10, which ended cleanly, and hears epoch 30; the journal does not answer. */
function readerBehindAClosedEpoch(): ChannelReader<string> {
  const reader = new ChannelReader<string>({
    maxWaiting: { records: 100, bytes: Infinity },
    outOfReachMs: 1_500,
  })
  reader.startAt({ epoch: 10, seq: 5, closed: true })
  return reader
}

/** Heard and asked in vain for two seconds. */
function waitInVain(reader: ChannelReader<string>, journal: boolean): unknown[] {
  const items: unknown[] = []
  for (let nowMs = 0; nowMs <= 2_000; nowMs += 200) {
    reader.reached({ epoch: 30, seq: 0, closing: false, journal }, nowMs)
    items.push(...reader.take(10, nowMs))
    if (reader.nextRequest(nowMs) !== undefined) reader.onNoReply(nowMs)
  }
  return items
}

describe('an epoch that ended cleanly, and a journal out of reach', () => {
  it('is left with a gap: a whole epoch may have been between', () => {
    expect(waitInVain(readerBehindAClosedEpoch(), true)).toEqual([
      { kind: 'epoch', from: 10, to: 30, reason: 'out_of_reach' },
    ])
  })

  it('is left without a gap where no journal could tell', () => {
    expect(waitInVain(readerBehindAClosedEpoch(), false)).toEqual([
      { kind: 'epoch', from: 10, to: 30, reason: null },
    ])
  })
})
