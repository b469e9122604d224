import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Checkpoint, Position } from '../../../src/lib/bus/position.js'
import { NOWHERE, isBefore } from '../../../src/lib/bus/position.js'
import type { RangeReply } from '../../../src/lib/bus/range.js'
import { endOf } from '../../../src/lib/mirror/item.js'
import type { Item, MirrorRecord } from '../../../src/lib/mirror/item.js'
import { MirrorCore } from '../../../src/lib/mirror/mirror-core.js'
import type { WriteOutcome } from '../../../src/lib/mirror/mirror-core.js'
import { ModelStore } from '../../simulation/model-store.js'

const value = (bytes = 10): MirrorRecord => ({
  stream: 'sim:prices:kalshi',
  topic: 'prices.kalshi.T',
  data: Buffer.alloc(bytes),
})
const at = (epoch: number, seq: number, closed = false): Checkpoint => ({ epoch, seq, closed })
const beat = (epoch: number, seq: number, closing = false) => ({ epoch, seq, closing, journal: true })
const ok = (checkpoint: Checkpoint, written = 0, gaps = 0): WriteOutcome => ({
  status: 'OK',
  checkpoint,
  written,
  gaps,
})

function coreAt(checkpoint: Checkpoint, options: { maxBehind?: number } = {}) {
  const core = new MirrorCore({ maxBehind: 1_000_000, ...options })
  expect(core.nextAction(0)).toEqual({ kind: 'read' })
  core.onRead(checkpoint, 0)
  return core
}
function hear(core: MirrorCore, epoch: number, from: number, to: number, bytes?: number): void {
  for (let seq = from; seq <= to; seq++) core.receive({ epoch, seq, value: value(bytes) }, 0)
}
/** The next write, `r5` a record, `g3-4 why` a gap, `n10>20 why` another epoch, `c5` closed; or what else is next. */
function next(core: MirrorCore, nowMs = 0): string[] {
  const action = core.nextAction(nowMs)
  if (action?.kind !== 'write') return [action?.kind ?? 'nothing']
  return action.items.map(short)
}
function short(item: Item): string {
  switch (item.kind) {
    case 'record':
      return `r${item.seq}`
    case 'gap':
      return `g${item.from}-${item.to} ${item.reason}`
    case 'epoch':
      return `n${item.from}>${item.to}${item.reason === null ? '' : ` ${item.reason}`}`
    case 'closed':
      return `c${item.seq}`
  }
}
const reply = (part: Partial<RangeReply<MirrorRecord>> & Position): RangeReply<MirrorRecord> => ({
  from: part.seq,
  known: true,
  records: [],
  hole: null,
  last: 0,
  end: null,
  next: null,
  ...part,
})
const recordsFrom = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => ({ seq: from + i, value: value() }))

describe('a batch', () => {
  it('is smaller after one that was not answered in time, and grows again', () => {
    const core = coreAt(at(10, 0), { maxBehind: 1_000_000 })
    let nowMs = 0
    core.beat(beat(10, 400), 0)
    hear(core, 10, 1, 400, 8_192)
    const sizes: number[] = []
    const write = () => {
      const action = core.nextAction(nowMs)
      if (action?.kind !== 'write') return expect.fail(`next is ${action?.kind}`)
      sizes.push(action.items.length)
      return action
    }
    for (let i = 0; i < 2; i++) {
      write()
      core.onFailure(nowMs, true)
      nowMs += 1_000
      expect(core.nextAction(nowMs)).toEqual({ kind: 'read' })
      core.onRead(at(10, 0), nowMs)
      expect(core.nextAction(nowMs)).toBeUndefined()
      expect(core.nextRequest(nowMs)).toMatchObject({ epoch: 10, from: 1 })
      const records = Array.from({ length: 400 }, (_, j) => ({ seq: 1 + j, value: value(8_192) }))
      core.onReply(reply({ epoch: 10, seq: 1, records, last: 400 }), nowMs)
    }
    const { items } = write()
    core.onWritten(ok(at(10, items.length), items.length), nowMs)
    write()
    const [first, second, third, fourth] = sizes
    expect(second!).toBeLessThanOrEqual(Math.ceil(first! / 4) + 1)
    expect(third!).toBeLessThanOrEqual(Math.ceil(second! / 4) + 1)
    expect(fourth!).toBeGreaterThan(third!)
  })
})

describe('what the mirror does next', () => {
  it('reads the checkpoint before it writes, and writes only what that has not passed', () => {
    const core = new MirrorCore({ maxBehind: 1_000_000 })
    hear(core, 10, 1, 5)
    core.beat(beat(10, 5), 0)
    expect(next(core)).toEqual(['read'])
    expect(next(core)).toEqual(['nothing'])
    core.onRead(at(10, 3), 0)
    expect(core.nextAction(0)).toMatchObject({ kind: 'write', base: at(10, 3) })
    expect(core.lag).toBe(2)
    core.onWritten(ok(at(10, 5), 2), 0)
    expect([core.lag, core.isBehind]).toEqual([0, false])
  })

  it('has one call in flight, and what comes meanwhile is in the next one', () => {
    const core = coreAt(at(10, 0))
    hear(core, 10, 1, 1)
    expect(next(core)).toEqual(['r1'])
    hear(core, 10, 2, 600)
    expect(next(core)).toEqual(['nothing'])
    core.onWritten(ok(at(10, 1), 1), 0)
    expect(next(core)).toHaveLength(512)
    core.onWritten(ok(at(10, 513), 512), 0)
    expect(next(core)).toEqual(Array.from({ length: 87 }, (_, i) => `r${514 + i}`))
  })

  it('keeps a call within its bytes', () => {
    const core = coreAt(at(10, 0))
    hear(core, 10, 1, 30, 100_000)
    expect(next(core)).toHaveLength(6)
  })

  const cases: readonly [
    name: string,
    start: Checkpoint,
    happens: (core: MirrorCore) => void,
    write: string[],
  ][] = [
    [
      'the first message of a fresh store is no gap',
      NOWHERE,
      (core) => {
        hear(core, 10, 1, 1)
        core.beat(beat(10, 1), 0)
        core.nextRequest(0)
        core.onReply(reply({ epoch: 0, seq: 1, known: false, next: 10 }), 0)
      },
      ['n0>10', 'r1'],
    ],
    [
      'a hole is filled from the journal',
      at(10, 2),
      (core) => {
        hear(core, 10, 6, 6)
        core.beat(beat(10, 6), 0)
        expect(core.nextRequest(0)).toEqual({ epoch: 10, from: 3, to: 5 })
        core.onReply(reply({ epoch: 10, seq: 3, records: recordsFrom(3, 3), last: 6 }), 0)
      },
      ['r3', 'r4', 'r5', 'r6'],
    ],
    [
      'what the journal keeps no more is a gap',
      at(10, 2),
      (core) => {
        core.beat(beat(10, 6), 0)
        core.nextRequest(0)
        const hole = { to: 6, reason: 'retention' } as const
        core.onReply(reply({ epoch: 10, seq: 3, hole, last: 6 }), 0)
      },
      ['g3-6 retention'],
    ],
    [
      'a message that nobody can read is a gap of one',
      at(10, 2),
      (core) => {
        core.beat(beat(10, 4), 0)
        core.nextRequest(0)
        const records = [{ seq: 3, value: null }, ...recordsFrom(4, 1)]
        core.onReply(reply({ epoch: 10, seq: 3, records, last: 4 }), 0)
      },
      ['g3-3 illegible', 'r4'],
    ],
    [
      'the source was stopped in order and started again',
      at(10, 1),
      (core) => {
        core.beat(beat(10, 1, true), 0)
        core.receive({ epoch: 20, seq: 1, value: value() }, 0)
        core.beat(beat(20, 1), 0)
        core.nextRequest(0)
        core.onReply(reply({ epoch: 10, seq: 2, last: 1, end: 'known', next: 20 }), 0)
      },
      ['n10>20', 'r1'],
    ],
    ['an end that is said is kept', at(10, 4), (core) => core.beat(beat(10, 4, true), 0), ['c4']],
    [
      'an epoch before the one in the store is written never',
      at(20, 1),
      (core) => {
        hear(core, 10, 7, 8)
        core.beat(beat(10, 8), 0)
        expect(core.regressedEpoch).toBe(10)
      },
      ['nothing'],
    ],
  ]
  it.each(cases)('%s', (_, start, happens, write) => {
    const core = coreAt(start)
    happens(core)
    expect(next(core)).toEqual(write)
  })

  it('pulls the next chunk while the one before is being written', () => {
    const core = coreAt(at(10, 0))
    core.beat(beat(10, 9), 0)
    core.nextRequest(0)
    core.onReply(reply({ epoch: 10, seq: 1, records: recordsFrom(1, 3), last: 9 }), 0)
    expect(core.nextRequest(0)).toBeUndefined()
    expect(next(core)).toEqual(['r1', 'r2', 'r3'])
    expect(core.nextRequest(0)).toEqual({ epoch: 10, from: 4 })
  })

  it.each(['ERROR', 'BEHIND', 'MOVED', 'EPOCH_REGRESSED', 'BROKEN_BATCH'] as const)(
    'after %s it knows nothing: a read, a little later, and the journal has what is missing',
    (status) => {
      const core = coreAt(at(10, 0))
      hear(core, 10, 1, 3)
      core.beat(beat(10, 3), 0)
      core.nextAction(0)
      core.onWritten({ status, checkpoint: at(10, 1), written: 1, gaps: 0 }, 0)
      expect(next(core, 10)).toEqual(['nothing'])
      expect(next(core, 300)).toEqual(['read'])
      core.onRead(at(10, 1), 300)
      expect(next(core, 300)).toEqual(['nothing'])
      expect(core.nextRequest(300)).toEqual({ epoch: 10, from: 2 })
    },
  )

  it('counts what a call without an answer has written once the checkpoint says so', () => {
    const core = coreAt(at(10, 0))
    hear(core, 10, 1, 3)
    core.nextAction(0)
    core.onFailure(0)
    expect(next(core, 1_000)).toEqual(['read'])
    core.onFailure(1_000)
    expect(next(core, 2_000)).toEqual(['read'])
    expect(core.onRead(at(10, 2), 2_000)).toEqual({ written: 2, advanced: 2, gaps: [] })
    expect(core.position).toEqual(at(10, 2))
  })

  it('counts what the store got, whoever wrote it, once', () => {
    const core = coreAt(at(10, 0))
    const write = (outcome: WriteOutcome, nowMs: number) => {
      expect(next(core, nowMs)).not.toContain('read')
      return core.onWritten(outcome, nowMs).advanced
    }
    const look = (checkpoint: Checkpoint, nowMs: number) => {
      expect(next(core, nowMs)).toEqual(['read'])
      return core.onRead(checkpoint, nowMs).advanced
    }
    hear(core, 10, 1, 3)
    expect(write(ok(at(10, 3), 3), 0)).toBe(3)
    // Another mirror had these two already, and one more.
    hear(core, 10, 4, 5)
    expect(write(ok(at(10, 6)), 0)).toBe(3)
    expect(look(at(10, 26), 1_000)).toBe(20)
    hear(core, 10, 27, 29)
    const refused = { status: 'ERROR', checkpoint: NOWHERE, written: 1, gaps: 0 } as const
    expect(write(refused, 1_000)).toBe(0)
    expect(look(at(10, 27), 2_000)).toBe(1)
    expect(look(at(20, 8), 3_000)).toBe(8)
    // It was emptied, and filled again with the end of what there is.
    expect(look(NOWHERE, 4_000)).toBe(0)
    expect(look(at(20, 9_000), 5_000)).toBe(0)
    expect(look(at(20, 9_010), 6_000)).toBe(10)
  })

  it('believes no answer from before Redis was away', () => {
    const core = coreAt(at(10, 0))
    hear(core, 10, 1, 3)
    core.nextAction(0)
    core.forget()
    core.onWritten(ok(at(10, 3), 3), 0)
    expect(next(core)).toEqual(['read'])
    core.forget()
    core.onRead(at(10, 3), 0)
    expect(next(core)).toEqual(['read'])
    core.onRead(NOWHERE, 0)
    expect(core.position).toEqual(NOWHERE)
  })

  it('stands where another mirror went, and looks now and then whether the store is where it was', () => {
    const core = coreAt(at(10, 0))
    hear(core, 10, 1, 5)
    next(core)
    core.onWritten(ok(at(10, 4)), 0)
    expect(next(core)).toEqual(['nothing'])
    core.beat(beat(10, 5), 0)
    expect(core.nextRequest(0)).toEqual({ epoch: 10, from: 5 })
    expect(next(core, 900)).toEqual(['nothing'])
    expect(next(core, 1_100)).toEqual(['read'])
  })
})

interface Life {
  readonly count: number
  readonly closed: boolean
  readonly kept: number
}

describe('whatever happens between a mirror, its source and its store', () => {
  const life = fc.record<Life>({
    count: fc.integer({ min: 0, max: 12 }),
    closed: fc.boolean(),
    kept: fc.integer({ min: 0, max: 12 }),
  })
  const events = fc.array(
    fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom('publish', 'publish', 'lose', 'beat', 'act', 'act', 'ask') },
      {
        weight: 1,
        arbitrary: fc.constantFrom('live', 'fail', 'lost answer', 'half', 'away', 'empty', 'no reply'),
      },
    ),
    { maxLength: 120 },
  )

  it('every message is stored once and in order, or covered by a gap record that is true', () => {
    fc.assert(
      fc.property(fc.array(life, { minLength: 1, maxLength: 4 }), events, (lives, happenings) => {
        const source = new Source(lives)
        const store = new ModelStore()
        const core = new MirrorCore({ maxBehind: 1_000_000, outOfReachMs: Infinity })
        let nowMs = 0
        const act = (how: string): void => {
          nowMs += 250
          const action = core.nextAction(nowMs)
          if (action === undefined) return
          if (how === 'fail') core.onFailure(nowMs)
          else if (action.kind === 'read') core.onRead(store.read(), nowMs)
          else {
            const outcome = store.write(action.base, action.items, how === 'half' ? 1 : Infinity)
            if (how === 'lost answer') core.onFailure(nowMs)
            else core.onWritten(outcome, nowMs)
          }
        }
        const ask = (answered: boolean): void => {
          const request = core.nextRequest(nowMs)
          if (request === undefined) return
          if (answered) core.onReply(source.answer(request), nowMs)
          else core.onNoReply(nowMs)
        }
        const happen = (what: string): void => {
          switch (what) {
            case 'publish':
            case 'lose': {
              const position = source.publish()
              if (position !== undefined && what === 'publish')
                core.receive({ ...position, value: value() }, nowMs)
              break
            }
            case 'live':
              source.nextLife()
              break
            case 'beat':
              core.beat(source.beat(), nowMs)
              break
            case 'ask':
            case 'no reply':
              ask(what === 'ask')
              break
            case 'empty':
              store.restore()
              break
            case 'away':
              core.forget()
              break
            default:
              act(what)
          }
        }
        for (const what of happenings) happen(what)
        // Everything is reachable again: it comes to rest at the source's head.
        while (source.nextLife()) continue
        for (let round = 0; round < 200; round++)
          for (const what of ['beat', 'act', 'ask', 'act']) happen(what)
        const head = source.beat()
        expect(store.read()).toEqual({ epoch: head.epoch, seq: head.seq, closed: head.closing })
        expect(core.isBehind).toBe(false)
        source.judge(store)
      }),
    )
  })
})

/** Lives of a channel one after the other; each life's journal answers, but for its first messages. */
class Source {
  private life = 0
  private seq = 0

  constructor(private readonly lives: readonly Life[]) {}

  publish(): Position | undefined {
    if (this.seq >= this.lives[this.life]!.count) return undefined
    return { epoch: this.epoch, seq: ++this.seq }
  }

  /** Publishes the rest unheard, and begins the next life; false when there is none. */
  nextLife(): boolean {
    this.seq = this.lives[this.life]!.count
    if (this.life + 1 === this.lives.length) return false
    this.life++
    this.seq = 0
    return true
  }

  beat() {
    const { count, closed } = this.lives[this.life]!
    return { epoch: this.epoch, seq: this.seq, closing: closed && this.seq === count, journal: true }
  }

  answer({ epoch, from }: { epoch: number; from: number }): RangeReply<MirrorRecord> {
    const index = epoch / 10 - 1
    const life = this.lives[index]
    const isLive = index === this.life
    const next = index < this.life ? (index + 2) * 10 : null
    if (life === undefined) return reply({ epoch, seq: from, known: false, next })
    const last = isLive ? this.seq : life.count
    const end = isLive ? null : 'known'
    const removed = Math.min(life.count - life.kept, last)
    if (from <= removed) {
      return reply({ epoch, seq: from, hole: { to: removed, reason: 'retention' }, last, end, next })
    }
    const records = recordsFrom(from, Math.max(0, Math.min(4, last - from + 1)))
    return reply({ epoch, seq: from, records, last, end, next })
  }

  judge(store: ModelStore): void {
    const { streams, gaps } = store.capture()
    const entries = [...streams.values()].flat()
    entries.reduce<Position>((before, entry) => {
      expect(isBefore(before, entry)).toBe(true)
      return entry
    }, NOWHERE)
    const stored = entries.map(({ epoch, seq }) => `${epoch}/${seq}`)
    const covered = new Set(stored)
    for (const { epoch, from, to } of gaps) {
      const { count, kept } = this.lives[epoch / 10 - 1]!
      expect(to).toBeLessThanOrEqual(count - kept)
      for (let seq = from; seq <= (to ?? 0); seq++) {
        expect(covered).not.toContain(`${epoch}/${seq}`)
        covered.add(`${epoch}/${seq}`)
      }
    }
    const published = this.lives.flatMap(({ count }, i) =>
      Array.from({ length: count }, (_, seq) => `${(i + 1) * 10}/${seq + 1}`),
    )
    expect([...covered].sort()).toEqual(published.sort())
  }

  private get epoch(): number {
    return (this.life + 1) * 10
  }
}

describe('where a step ends', () => {
  it.each<[Item, Position]>([
    [
      { kind: 'record', epoch: 1, seq: 2, value: value() },
      { epoch: 1, seq: 2 },
    ],
    [
      { kind: 'closed', epoch: 1, seq: 2 },
      { epoch: 1, seq: 2 },
    ],
    [
      { kind: 'gap', epoch: 1, from: 2, to: 4, reason: 'retention' },
      { epoch: 1, seq: 4 },
    ],
    [
      { kind: 'epoch', from: 1, to: 5, reason: null },
      { epoch: 5, seq: 0 },
    ],
  ])('%o', (item, end) => {
    expect(endOf(item)).toEqual(end)
  })
})
