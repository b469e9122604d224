import { describe, expect, it } from 'vitest'
import type { RangeReply, SnapshotReply } from '../../../src/lib/bus/range.js'
import { SnapshotReader } from '../../../src/lib/bus/snapshot-reader.js'
import type { SnapshotItem } from '../../../src/lib/bus/snapshot-reader.js'

interface Value {
  readonly topic: string
}
type Reader = SnapshotReader<Value>

const EPOCH = 10
const OUT_OF_REACH_MS = 500

const reader = (): Reader =>
  new SnapshotReader<Value>({
    maxWaiting: { records: 5_000, bytes: Infinity },
    outOfReachMs: OUT_OF_REACH_MS,
  })

const hear = (to: Reader, topic: string, seq: number, { epoch = EPOCH, nowMs = 0 } = {}) =>
  to.receive({ epoch, seq, value: { topic } }, 1, nowMs)
const beat = (to: Reader, seq: number, { epoch = EPOCH, nowMs = 0, journal = true } = {}) =>
  to.reached({ epoch, seq, closing: false, journal }, nowMs)

/** `values` as `a3`: topic and seq. */
const chunk = (seq: number, values: readonly string[], change: Partial<SnapshotReply<Value>> = {}) => ({
  epoch: EPOCH,
  seq,
  complete: true,
  values: values.map((text) => {
    const topic = text.slice(0, 1)
    return { topic, seq: Number(text.slice(1)), value: { topic } }
  }),
  next: null,
  ...change,
})
const range = (from: number, topics: string, change: Partial<RangeReply<Value>> = {}) => ({
  epoch: EPOCH,
  from,
  known: true,
  records: [...topics].map((topic, i) => ({ seq: from + i, value: { topic } })),
  hole: null,
  last: from + topics.length - 1,
  end: null,
  next: null,
  ...change,
})

const shown = (item: SnapshotItem<Value>): string => {
  switch (item.kind) {
    case 'value':
      return `=${item.topic}${item.seq}`
    case 'record':
      return `${item.value.topic}${item.seq}`
    case 'gap':
      return `${item.from}-${item.to} ${item.reason}`
    case 'epoch':
      return `${item.from}>${item.to}`
    case 'closed':
      return `${item.seq}.`
  }
}
const take = (from: Reader, nowMs = 0): string[] => from.take(10_000, nowMs).map(shown)

/** Joined at `seq` with what `values` says. */
function joined(seq: number, values: readonly string[]): Reader {
  const joining = reader()
  beat(joining, seq)
  joining.nextRequest(0)
  joining.onSnapshot(chunk(seq, values), 0)
  take(joining)
  return joining
}

describe('a reader that comes late', () => {
  it('gives out nothing live before the snapshot, and then only what is behind it', () => {
    const late = reader()
    for (let seq = 4; seq <= 7; seq++) hear(late, 'a', seq)
    beat(late, 7)
    expect([late.position, late.hasHole, take(late)]).toEqual([undefined, true, []])
    expect(late.nextRequest(0)).toEqual({ kind: 'snapshot', cursor: 0 })
    expect(late.nextRequest(0)).toBeUndefined()
    expect(late.onSnapshot(chunk(5, ['b2', 'a5']), 0)).toBe(true)
    expect(take(late)).toEqual(['=b2', '=a5', 'a6', 'a7'])
    expect([late.position?.seq, late.hasHole]).toEqual([7, false])
    expect(late.passes(EPOCH, 8, 0)).toBe(true)
  })

  it('pulls what lies between the snapshot and the first live message', () => {
    const late = reader()
    hear(late, 'a', 9)
    beat(late, 9)
    late.nextRequest(0)
    late.onSnapshot(chunk(6, ['a6']), 0)
    expect(take(late)).toEqual(['=a6'])
    expect(late.nextRequest(0)).toEqual({ kind: 'range', epoch: EPOCH, from: 7, to: 8 })
    late.onReply(range(7, 'bc'), 0)
    expect(take(late)).toEqual(['b7', 'c8', 'a9'])
  })

  it('joins the first chunk, and gives out nothing older than a later chunk had', () => {
    const late = reader()
    beat(late, 5)
    late.nextRequest(0)
    late.onSnapshot(chunk(5, ['a4'], { next: 1 }), 0)
    for (const [topic, seq] of [
      ['b', 6],
      ['a', 7],
      ['b', 8],
      ['b', 9],
    ] as const)
      hear(late, topic, seq)
    expect(late.nextRequest(0)).toEqual({ kind: 'snapshot', cursor: 1 })
    late.onSnapshot(chunk(8, ['b8']), 0)
    expect(take(late)).toEqual(['=a4', '=b8', 'a7', 'b9'])
    expect(late.position?.seq).toBe(9)
  })

  it.each<[string, Partial<SnapshotReply<Value>>]>([
    ['is of a later life', { epoch: EPOCH + 1 }],
    ['is of a time before the first', { seq: 4 }],
    ['goes on where it came from', { next: 1 }],
  ])('begins again when a chunk %s', (_, change) => {
    const late = reader()
    beat(late, 5)
    late.nextRequest(0)
    late.onSnapshot(chunk(5, ['a4'], { next: 1 }), 0)
    late.nextRequest(0)
    expect(late.onSnapshot(chunk(6, ['b6'], change), 0)).toBe(false)
    expect(take(late)).toEqual([])
    expect(late.nextRequest(1_000)).toEqual({ kind: 'snapshot', cursor: 0 })
  })

  it('asks again when a snapshot is of an earlier life than the one that beats', () => {
    const late = reader()
    beat(late, 5)
    late.nextRequest(0)
    expect(late.onSnapshot(chunk(90, ['a90'], { epoch: EPOCH - 1 }), 0)).toBe(false)
    expect([take(late), late.position]).toEqual([[], undefined])
  })

  it('says which value it could not read', () => {
    const late = reader()
    beat(late, 5)
    late.nextRequest(0)
    late.onSnapshot(chunk(5, [], { values: [{ topic: 'a', seq: 3, value: null }] }), 0)
    expect(take(late)).toEqual(['3-3 illegible'])
  })
})

describe('a reader that has joined', () => {
  it('pulls a small hole', () => {
    const late = joined(5, ['a5'])
    hear(late, 'b', 7)
    expect(late.hasHole).toBe(true)
    expect(late.nextRequest(0)).toEqual({ kind: 'range', epoch: EPOCH, from: 6, to: 6 })
    late.onReply(range(6, 'c'), 0)
    expect(take(late)).toEqual(['c6', 'b7'])
  })

  it('takes a new snapshot instead of a large one, and is told nothing that it has', () => {
    const late = joined(5, ['a5', 'b3'])
    hear(late, 'b', 5_000)
    expect(late.nextRequest(0)).toEqual({ kind: 'snapshot', cursor: 0 })
    expect(late.position).toBeUndefined()
    late.onSnapshot(chunk(4_999, ['a5', 'b3', 'c70']), 0)
    expect(take(late)).toEqual(['=c70', 'b5000'])
  })

  it('takes a new snapshot instead of a gap', () => {
    const late = joined(5, ['a5'])
    hear(late, 'b', 8)
    late.nextRequest(0)
    late.onReply(range(6, '', { hole: { to: 7, reason: 'retention' } }), 0)
    expect(take(late)).toEqual([])
    expect(late.nextRequest(0)).toEqual({ kind: 'snapshot', cursor: 0 })
    late.onSnapshot(chunk(8, ['a5', 'c7', 'b8']), 0)
    expect(take(late)).toEqual(['=c7', '=b8'])
    expect(late.position?.seq).toBe(8)
  })

  it('begins again in a new epoch, and hears nothing more of the old one', () => {
    const late = joined(5, ['a5'])
    hear(late, 'a', 1, { epoch: 20 })
    expect(late.nextRequest(0)).toEqual({ kind: 'snapshot', cursor: 0 })
    late.onSnapshot(chunk(1, ['a1'], { epoch: 20 }), 0)
    expect(take(late)).toEqual(['=a1'])
    expect(hear(late, 'a', 6)).toBe('old_epoch')
    expect(beat(late, 6)).toBe('old_epoch')
    expect(late.position).toMatchObject({ epoch: 20, seq: 1 })
  })

  it('never goes back: a snapshot of before is asked for again', () => {
    const late = joined(5, ['a5'])
    for (let seq = 6; seq <= 20; seq++) late.passes(EPOCH, seq, 0)
    hear(late, 'b', 5_000)
    late.nextRequest(0)
    expect(late.onSnapshot(chunk(12, ['a12']), 0)).toBe(false)
    expect(take(late)).toEqual([])
  })
})

describe('a source that lives in an epoch before its latest', () => {
  it('is regressed, read or still joined, and gives nothing out until it lives in a later one', () => {
    const late = joined(5, ['a5'])
    hear(late, 'a', 1, { epoch: 20 })
    late.nextRequest(0)
    late.onSnapshot(chunk(1, ['a1'], { epoch: 20 }), 0)
    expect([take(late), late.isRegressed]).toEqual([['=a1'], false])
    beat(late, 3, { epoch: 15 })
    expect([late.isRegressed, late.latestEpoch]).toEqual([true, 20])
    expect(hear(late, 'a', 4, { epoch: 15 })).toBe('old_epoch')
    expect([take(late), late.isRegressed]).toEqual([[], true])
    hear(late, 'a', 2, { epoch: 21 })
    expect(late.isRegressed).toBe(false)
  })

  it('is regressed for one who has not read it yet, and has heard of the latest', () => {
    const late = reader()
    beat(late, 3, { epoch: 20 })
    expect(late.isRegressed).toBe(false)
    beat(late, 3, { epoch: 15 })
    expect([late.isRegressed, late.latestEpoch]).toEqual([true, 20])
    late.nextRequest(0)
    expect(late.onSnapshot(chunk(3, ['a3'], { epoch: 15 }), 0)).toBe(false)
    beat(late, 1, { epoch: 21 })
    late.nextRequest(200)
    late.onSnapshot(chunk(1, ['a1'], { epoch: 21 }), 200)
    expect([take(late), late.isRegressed, late.hasHole]).toEqual([['=a1'], false, false])
  })

  it.each<[string, (late: Reader) => unknown]>([
    ['a message', (late) => hear(late, 'a', 1, { epoch: 20 })],
    ['a snapshot', (late) => late.onSnapshot(chunk(1, ['a1'], { epoch: 20 }), 0)],
  ])('is none that %s of a new life is heard of before its first heartbeat', (_, tell) => {
    const late = reader()
    beat(late, 5)
    late.nextRequest(0)
    tell(late)
    expect([late.latestEpoch, late.isRegressed]).toEqual([20, false])
  })
})

describe('a source that cannot be asked', () => {
  it('without a journal is read from what is heard, and a hole is a gap at once', () => {
    const late = reader()
    hear(late, 'a', 5)
    expect(take(late)).toEqual([])
    beat(late, 5, { journal: false })
    expect(take(late)).toEqual(['a5'])
    hear(late, 'a', 8)
    expect(take(late)).toEqual(['6-7 no_journal', 'a8'])
  })

  it('that lives and does not answer is read from what is heard, and asked about once a second', () => {
    const late = reader()
    hear(late, 'a', 5)
    const taken: string[] = []
    const askedMs: number[] = []
    for (let nowMs = 0; nowMs <= 6_000; nowMs += 100) {
      beat(late, 5, { nowMs })
      taken.push(...take(late, nowMs))
      if (late.nextRequest(nowMs) === undefined) continue
      askedMs.push(nowMs)
      if (nowMs < 5_000) late.onNoReply(nowMs)
      else late.onSnapshot(chunk(5, ['b4', 'a5']), nowMs)
    }
    expect(taken).toEqual(['a5', '=b4', '=a5'])
    const later = askedMs.filter((ms) => ms > OUT_OF_REACH_MS && ms < 5_000)
    expect(later.length).toBeGreaterThanOrEqual(3)
    later.forEach((ms, i) => expect(ms - (later[i - 1] ?? ms - 1_000)).toBeGreaterThanOrEqual(1_000))
  })

  it('that is away is waited for', () => {
    const late = reader()
    hear(late, 'a', 5)
    beat(late, 5)
    for (let nowMs = 0; nowMs <= 20_000; nowMs += 2_000) {
      if (late.nextRequest(nowMs) !== undefined) late.onNoReply(nowMs)
      expect(take(late, nowMs + 1_900)).toEqual([])
    }
  })
})
