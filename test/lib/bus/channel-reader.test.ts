import { describe, expect, it } from 'vitest'
import { ChannelReader } from '../../../src/lib/bus/channel-reader.js'
import type { ChannelReaderOptions, ReaderItem } from '../../../src/lib/bus/channel-reader.js'
import { NOWHERE } from '../../../src/lib/bus/position.js'
import type { Position } from '../../../src/lib/bus/position.js'
import type { RangeReply } from '../../../src/lib/bus/range.js'

type Reader = ChannelReader<string>

const EPOCH = 10
const at = (seq: number, epoch = EPOCH, closed = false) => ({ epoch, seq, closed })

function readerAt(position: Position | undefined, change: Partial<ChannelReaderOptions> = {}): Reader {
  const reader = new ChannelReader<string>({
    maxWaiting: { records: 100, bytes: 1_000 },
    outOfReachMs: 500,
    ...change,
  })
  if (position !== undefined) reader.startAt({ closed: false, ...position })
  return reader
}

const hear = (reader: Reader, seq: number, { epoch = EPOCH, nowMs = 0, bytes = 1 } = {}) =>
  reader.receive({ epoch, seq, value: `${epoch}/${seq}` }, bytes, nowMs)

const beat = (
  reader: Reader,
  seq: number,
  { epoch = EPOCH, nowMs = 0, closing = false, journal = true } = {},
) => reader.reached({ epoch, seq, closing, journal }, nowMs)

const answer = (
  from: number,
  count: number,
  change: Partial<RangeReply<string>> = {},
): RangeReply<string> => ({
  epoch: EPOCH,
  from,
  known: true,
  records: Array.from({ length: count }, (_, i) => ({ seq: from + i, value: `pulled ${from + i}` })),
  hole: null,
  last: from + count - 1,
  end: null,
  next: null,
  ...change,
})

/** `5` for a record, `6-7 why` for a gap, `10>20` for a change of epoch, `9.` for a clean end. */
function shown(item: ReaderItem<string>): string {
  switch (item.kind) {
    case 'record':
      return String(item.seq)
    case 'gap':
      return `${item.from}-${item.to} ${item.reason}`
    case 'epoch':
      return `${item.from}>${item.to}${item.reason === null ? '' : ` ${item.reason}`}`
    case 'closed':
      return `${item.seq}.`
  }
}
const take = (reader: Reader, nowMs = 0): string[] => reader.take(1_000, nowMs).map(shown)

describe('live messages', () => {
  it('pass the short way while they follow, and the position is behind them', () => {
    const reader = readerAt(at(4))
    expect([reader.passes(EPOCH, 5, 0), reader.passes(EPOCH, 6, 0)]).toEqual([true, true])
    expect(reader.position).toEqual(at(6))
    expect(reader.hasHole).toBe(false)
    expect(take(reader)).toEqual([])
  })

  it.each([
    ['again', EPOCH, 4],
    ['an earlier one', EPOCH, 3],
    ['one behind a hole', EPOCH, 6],
    ['one of an epoch before', EPOCH - 1, 5],
    ['one of a new epoch', EPOCH + 1, 1],
  ])('do not pass the short way: %s', (_, epoch, seq) => {
    const reader = readerAt(at(4))
    expect(reader.passes(epoch, seq, 0)).toBe(false)
    expect(reader.position).toEqual(at(4))
  })

  it('do not overtake what waits or what was pulled', () => {
    const reader = readerAt(at(4))
    hear(reader, 7)
    expect(reader.passes(EPOCH, 5, 0)).toBe(false)
    beat(reader, 7)
    expect(reader.nextRequest(0)).toEqual({ epoch: EPOCH, from: 5, to: 6 })
    reader.onReply(answer(5, 2), 0)
    expect(reader.passes(EPOCH, 5, 0)).toBe(false)
    expect(take(reader)).toEqual(['5', '6', '7'])
  })

  it('come once and in order, in whatever order and how often they are heard', () => {
    const reader = readerAt(at(0))
    const heard = [3, 1, 1, 5, 2, 3, 4, 5].map((seq) => hear(reader, seq))
    expect(heard.filter((reception) => reception === 'duplicate')).toHaveLength(3)
    expect(take(reader)).toEqual(['1', '2', '3', '4', '5'])
    expect(hear(reader, 4)).toBe('duplicate')
  })

  it('of an earlier life are refused', () => {
    const reader = readerAt(at(4))
    expect(hear(reader, 9, { epoch: EPOCH - 1 })).toBe('old_epoch')
    expect(beat(reader, 9, { epoch: EPOCH - 1 })).toBe('old_epoch')
    expect(reader.isRegressed).toBe(true)
    beat(reader, 4)
    expect(reader.isRegressed).toBe(false)
  })

  it.each([
    ['records', { maxWaiting: { records: 2, bytes: 1_000 } }, 1],
    ['bytes', { maxWaiting: { records: 100, bytes: 20 } }, 10],
  ])(
    'wait up to a bound of %s; the rest is pulled, and the very next is taken all the same',
    (_, change, bytes) => {
      const reader = readerAt(at(0), change)
      expect([2, 3, 4].map((seq) => hear(reader, seq, { bytes }))).toEqual(['taken', 'taken', 'full'])
      expect(hear(reader, 1, { bytes })).toBe('taken')
      expect(take(reader)).toEqual(['1', '2', '3'])
      beat(reader, 4)
      expect(reader.nextRequest(0)).toEqual({ epoch: EPOCH, from: 4 })
    },
  )

  it('are kept where no position is known, and those behind the one that comes are given out', () => {
    const reader = readerAt(undefined)
    for (const seq of [1, 2, 3, 4]) hear(reader, seq)
    expect(take(reader)).toEqual([])
    reader.startAt(at(2))
    expect(take(reader)).toEqual(['3', '4'])
  })

  it('are where it starts when only they are wanted', () => {
    const reader = readerAt(undefined)
    expect(reader.startLive()).toBe(false)
    hear(reader, 8)
    expect(reader.startLive()).toBe(true)
    expect(take(reader)).toEqual(['8'])
    const silent = readerAt(undefined)
    beat(silent, 8)
    expect(silent.startLive()).toBe(true)
    expect(silent.position).toEqual(at(8))
  })
})

describe('a hole', () => {
  it('is not asked for before the source has said that it has a journal', () => {
    const reader = readerAt(at(4))
    hear(reader, 7)
    expect([reader.hasHole, reader.holeSize]).toEqual([true, 2])
    expect(reader.nextRequest(0)).toBeUndefined()
    expect(take(reader, 9_999)).toEqual([])
    beat(reader, 7)
    expect(reader.nextRequest(0)).toEqual({ epoch: EPOCH, from: 5, to: 6 })
    expect(reader.nextRequest(0)).toBeUndefined()
  })

  it('at the tail is seen by a heartbeat', () => {
    const reader = readerAt(at(4))
    beat(reader, 6)
    expect(reader.holeSize).toBe(2)
    expect(reader.nextRequest(0)).toEqual({ epoch: EPOCH, from: 5 })
  })

  it('is pulled chunk by chunk, and asked for again a little after no answer', () => {
    const reader = readerAt(at(4))
    hear(reader, 9)
    beat(reader, 9)
    reader.nextRequest(0)
    reader.onReply(answer(5, 2), 0)
    expect(take(reader)).toEqual(['5', '6'])
    expect(reader.nextRequest(0)).toEqual({ epoch: EPOCH, from: 7, to: 8 })
    reader.onNoReply(0)
    expect(reader.nextRequest(50)).toBeUndefined()
    expect(reader.nextRequest(100)).toEqual({ epoch: EPOCH, from: 7, to: 8 })
    reader.onReply(answer(7, 2), 100)
    expect(take(reader, 100)).toEqual(['7', '8', '9'])
    expect(reader.hasHole).toBe(false)
  })

  it.each<[string, Partial<RangeReply<string>>, string[]]>([
    ['retention', { records: [], hole: { to: 6, reason: 'retention' } }, ['5-6 retention', '7']],
    [
      'damage behind one record',
      { ...answer(5, 1), hole: { to: 6, reason: 'corrupt' } },
      ['5', '6-6 corrupt', '7'],
    ],
    [
      'a record that is no message',
      {
        records: [
          { seq: 5, value: null },
          { seq: 6, value: 'x' },
        ],
      },
      ['5-5 illegible', '6', '7'],
    ],
    ['more than is missing', { records: [], hole: { to: 50, reason: 'degraded' } }, ['5-6 degraded', '7']],
    [
      'an epoch that the journal does not know',
      { known: false, records: [], next: 20 },
      ['5-6 journal_lost', '7'],
    ],
    [
      'an end before what was heard',
      { records: [], last: 4, end: 'unknown', next: 20 },
      ['5-6 epoch_end_unknown', '7'],
    ],
    [
      'a hole without an end',
      { records: [], hole: { to: null, reason: 'degraded' }, next: 20 },
      ['5-6 degraded', '7'],
    ],
  ])('is a gap as far as what was heard: %s', (_, change, expected) => {
    const reader = readerAt(at(4))
    hear(reader, 7)
    beat(reader, 7)
    reader.nextRequest(0)
    expect(reader.onReply({ ...answer(5, 0), ...change }, 0)).toBe(true)
    expect(take(reader)).toEqual(expected)
    expect(reader.position).toEqual(at(7))
  })

  it.each<[string, Partial<RangeReply<string>>]>([
    ['another epoch', { epoch: EPOCH + 1 }],
    ['another place', { from: 6 }],
    [
      'records that do not follow',
      {
        records: [
          { seq: 5, value: '' },
          { seq: 7, value: '' },
        ],
      },
    ],
    ['a hole that ends before it begins', { records: [], hole: { to: 4, reason: 'retention' } }],
    ['a next epoch that is not later', { records: [], last: 4, end: 'known', next: EPOCH }],
    ['records of an epoch that is not known', { known: false, next: 20 }],
    [
      'a hole of an epoch that is not known',
      { known: false, records: [], hole: { to: 6, reason: 'retention' }, next: 20 },
    ],
  ])('is not moved by a reply of %s', (_, change) => {
    const reader = readerAt(at(4))
    beat(reader, 6)
    reader.nextRequest(0)
    expect(reader.onReply({ ...answer(5, 2), ...change }, 0)).toBe(false)
    expect(take(reader)).toEqual([])
    expect(reader.position).toEqual(at(4))
  })

  it('takes no reply that it did not ask for, or asked for elsewhere', () => {
    const reader = readerAt(at(4))
    beat(reader, 6)
    expect(reader.onReply(answer(5, 2), 0)).toBe(false)
    reader.nextRequest(0)
    reader.startAt(at(5))
    expect(reader.onReply(answer(5, 2), 0)).toBe(false)
    expect(take(reader)).toEqual([])
  })

  it('that was filled from elsewhere meanwhile is not filled twice', () => {
    const reader = readerAt(at(4))
    hear(reader, 7)
    beat(reader, 7)
    reader.nextRequest(0)
    hear(reader, 5)
    expect(take(reader)).toEqual(['5'])
    reader.onReply(answer(5, 2), 0)
    expect(take(reader)).toEqual(['6', '7'])
  })

  it('of a source without a journal is a gap at once', () => {
    const reader = readerAt(at(4))
    hear(reader, 7)
    beat(reader, 9, { journal: false })
    expect(take(reader)).toEqual(['5-6 no_journal', '7', '8-9 no_journal'])
  })

  it('is given up when a living source does not answer, not while it is away', () => {
    const ask = (reader: Reader, nowMs: number) => {
      if (reader.nextRequest(nowMs) !== undefined) reader.onNoReply(nowMs)
    }
    const living = readerAt(at(4))
    const away = readerAt(at(4))
    for (const reader of [living, away]) hear(reader, 7)
    for (const reader of [living, away]) beat(reader, 7)
    const [ofLiving, ofAway]: [string[], string[]] = [[], []]
    for (let nowMs = 0; nowMs < 5_000; nowMs += 100) {
      beat(living, 7, { nowMs })
      ofLiving.push(...take(living, nowMs))
      if (nowMs > 300) ofAway.push(...take(away, nowMs + 1_000))
      ask(living, nowMs)
      ask(away, nowMs + 1_000)
    }
    expect(ofLiving).toEqual(['5-6 out_of_reach', '7'])
    expect(ofAway).toEqual([])
  })

  it('is not given up for a pause of our own: the answer may lie in the socket', () => {
    const reader = readerAt(at(4))
    hear(reader, 7)
    beat(reader, 7)
    expect(reader.nextRequest(0)).toEqual({ epoch: EPOCH, from: 5, to: 6 })
    beat(reader, 7, { nowMs: 60_000 })
    expect(take(reader, 60_000)).toEqual([])
    expect(reader.onReply(answer(5, 2), 60_000)).toBe(true)
    expect(take(reader, 60_000)).toEqual(['5', '6', '7'])
  })

  it('is not given up while the source says to come again', () => {
    const reader = readerAt(at(4))
    for (let nowMs = 0; nowMs < 5_000; nowMs += 100) {
      beat(reader, 7, { nowMs })
      reader.onBusy()
      expect(take(reader, nowMs)).toEqual([])
      if (reader.nextRequest(nowMs) !== undefined) reader.onNoReply(nowMs)
    }
  })

  it.each([
    { head: 3, last: 100, trimmed: '5-93 trimmed', from: 94 },
    { head: 9, last: 100, trimmed: '5-99 trimmed', from: 100 },
    { head: 10, last: 100, trimmed: '5-100 trimmed', from: 101 },
    { head: 500, last: 100, trimmed: '5-100 trimmed', from: 101 },
    { head: 3, last: 9, trimmed: undefined, from: 6 },
  ])('over two epochs is trimmed alike: $last messages, then $head', ({ head, last, trimmed, from }) => {
    const reader = readerAt(at(4), { maxBehind: 10 })
    beat(reader, head, { epoch: EPOCH + 5 })
    expect(take(reader)).toEqual([])
    expect(reader.nextRequest(0)).toEqual({ epoch: EPOCH, from: 5 })
    reader.onReply(answer(5, 1, { last, end: 'known', next: EPOCH + 5 }), 0)
    // The chunk that told how far the epoch goes is taken first.
    const expected = trimmed === undefined ? ['5'] : ['5', trimmed.replace('5-', '6-')]
    expect(take(reader).slice(0, 2)).toEqual(expected)
    if (from <= last) expect(reader.nextRequest(1_000)).toEqual({ epoch: EPOCH, from })
  })

  it('further behind than is wanted is a gap of the exact length, the rest is pulled', () => {
    const reader = readerAt(at(4), { maxBehind: 10 })
    beat(reader, 100)
    expect(take(reader)).toEqual(['5-90 trimmed'])
    expect(reader.nextRequest(0)).toEqual({ epoch: EPOCH, from: 91 })
  })
})

describe('the end of an epoch', () => {
  it('is told when the source said it, and after the last message', () => {
    const reader = readerAt(at(4))
    hear(reader, 5)
    beat(reader, 5, { closing: true })
    expect(take(reader)).toEqual(['5', '5.'])
    expect(reader.position).toEqual(at(5, EPOCH, true))
    expect(take(reader)).toEqual([])
  })

  it.each<[string, Partial<RangeReply<string>>, string]>([
    ['known', { last: 4, end: 'known', next: 20 }, '10>20'],
    ['not known', { last: 4, end: 'unknown', next: 20 }, '10>20 epoch_end_unknown'],
    ['of a journal that is gone', { known: false, next: 20 }, '10>20 journal_lost'],
    ['degraded', { hole: { to: null, reason: 'degraded' }, next: 20 }, '10>20 degraded'],
  ])('is left as the journal says: %s', (_, change, expected) => {
    const reader = readerAt(at(4))
    beat(reader, 0, { epoch: 20 })
    reader.nextRequest(0)
    reader.onReply({ ...answer(5, 0), ...change }, 0)
    expect(take(reader)).toEqual([expected])
    expect(reader.position).toEqual(at(0, 20))
  })

  it('is reached chunk by chunk before it is left, and no epoch between is left out', () => {
    const reader = readerAt(at(4))
    hear(reader, 1, { epoch: 30 })
    beat(reader, 1, { epoch: 30 })
    const old = { last: 6, end: 'known', next: 20 } as const
    expect(reader.nextRequest(0)).toEqual({ epoch: 10, from: 5 })
    reader.onReply(answer(5, 1, old), 0)
    expect(take(reader)).toEqual(['5'])
    expect(reader.nextRequest(0)).toEqual({ epoch: 10, from: 6 })
    reader.onReply(answer(6, 1, old), 0)
    expect(take(reader)).toEqual(['6', '10>20'])
    expect(reader.nextRequest(0)).toEqual({ epoch: 20, from: 1 })
    reader.onReply(answer(1, 2, { epoch: 20, end: 'known', next: 30 }), 0)
    expect(take(reader)).toEqual(['1', '2', '20>30', '1'])
  })

  it('before every epoch is the oldest that is kept, without a gap', () => {
    const reader = readerAt(NOWHERE)
    beat(reader, 3)
    expect(reader.nextRequest(0)).toEqual({ epoch: 0, from: 1 })
    reader.onReply(answer(1, 0, { epoch: 0, known: false, last: 0, next: EPOCH }), 0)
    expect(take(reader)).toEqual(['0>10'])
    expect(reader.nextRequest(0)).toEqual({ epoch: EPOCH, from: 1 })
  })

  it('is not left for an epoch that is only heard of in the journal as older', () => {
    const reader = readerAt(at(4))
    beat(reader, 0, { epoch: 20 })
    reader.nextRequest(0)
    expect(reader.onReply(answer(5, 0, { last: 4, end: 'known', next: 9 }), 0)).toBe(false)
    expect(reader.position).toEqual(at(4))
  })
})
