import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NOWHERE, endOf, isBefore, planBatch } from '../../../src/lib/mirror/batch.js'
import type { Checkpoint, Entry, Item, Knowledge, MirrorRecord } from '../../../src/lib/mirror/batch.js'
import { EntryQueue } from '../../../src/lib/mirror/entry-queue.js'

const data = Buffer.from('{}')
const record = (epoch: number, seq: number): MirrorRecord => ({
  kind: 'record',
  epoch,
  seq,
  stream: 'sim:prices:kalshi',
  topic: 'prices.kalshi.T',
  data,
})
const reached = (epoch: number, seq: number, closed = false): Entry => ({
  kind: 'reached',
  epoch,
  seq,
  closed,
})
const at = (epoch: number, seq: number, closed = false): Checkpoint => ({ epoch, seq, closed })
const NOTHING: Knowledge = { written: NOWHERE, contact: NOWHERE }

/** `r5` a record, `g3-4 why` a gap, `n10>20 why` another epoch, `c5` closed. */
const short = (items: readonly Item[]): string[] =>
  items.map((item) => {
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
  })

describe('planning a batch', () => {
  const cases: readonly [
    name: string,
    start: Checkpoint,
    entries: Entry[],
    knowledge: Partial<Knowledge>,
    plan: string[],
  ][] = [
    ['the first message of a fresh Redis is no gap', NOWHERE, [record(10, 1)], {}, ['n0>10', 'r1']],
    ['what Redis has is skipped', at(10, 2), [record(10, 1), record(10, 2), record(10, 3)], {}, ['r3']],
    ['a hole on the bus', at(10, 2), [record(10, 6)], {}, ['g3-5 missed', 'r6']],
    ['a tail that never came', at(10, 2), [reached(10, 4)], {}, ['g3-4 missed']],
    ['nothing new was said', at(10, 4), [reached(10, 4)], {}, []],
    ['the mirror was down', at(10, 2), [record(10, 6)], { contact: at(10, 5) }, ['g3-5 mirror_down', 'r6']],
    [
      'a publisher ran before the mirror of a fresh Redis',
      NOWHERE,
      [record(10, 4)],
      { contact: at(10, 3) },
      ['n0>10', 'g1-3 mirror_down', 'r4'],
    ],
    [
      'Redis came back empty',
      NOWHERE,
      [record(10, 6)],
      { written: at(10, 5), contact: at(10, 0) },
      ['n0>10', 'g1-5 redis_lost', 'r6'],
    ],
    [
      'Redis came back older, and more was missed since',
      at(10, 2),
      [record(10, 9)],
      { written: at(10, 5), contact: at(10, 0) },
      ['g3-5 redis_lost', 'g6-8 missed', 'r9'],
    ],
    [
      'the source was killed and started again',
      at(10, 2),
      [record(20, 1)],
      {},
      ['n10>20 epoch_end_unknown', 'r1'],
    ],
    [
      'the source was stopped in order and started again',
      at(10, 1),
      [record(10, 2), reached(10, 2, true), record(20, 1)],
      {},
      ['r2', 'c2', 'n10>20', 'r1'],
    ],
    ['an end that Redis remembers', at(10, 2, true), [reached(20, 0)], {}, ['n10>20']],
    [
      'an end that was said beyond what came',
      at(10, 2),
      [reached(10, 4, true), record(20, 2)],
      {},
      ['g3-4 missed', 'c4', 'n10>20', 'g1-1 missed', 'r2'],
    ],
    [
      'the queue overflowed across an epoch',
      at(10, 2),
      [
        { kind: 'dropped', epoch: 10, from: 3, seq: 5 },
        { kind: 'dropped', epoch: 20, from: 2, seq: 3 },
        record(20, 4),
      ],
      {},
      ['g3-5 overflow', 'n10>20 epoch_end_unknown', 'g1-1 missed', 'g2-3 overflow', 'r4'],
    ],
    ['an epoch before the one in Redis is refused', at(20, 1), [record(10, 7), record(10, 8)], {}, []],
  ]

  it.each(cases)('%s', (_, start, entries, knowledge, plan) => {
    expect(short(planBatch(start, entries, { ...NOTHING, ...knowledge }))).toEqual(plan)
  })

  it('covers every message once, by a record or a gap, whatever arrives', () => {
    const life = fc.record({
      arrived: fc.array(fc.boolean(), { maxLength: 12 }),
      beats: fc.array(fc.boolean(), { maxLength: 13 }),
      closed: fc.boolean(),
    })
    fc.assert(
      fc.property(
        fc.array(life, { minLength: 1, maxLength: 4 }),
        fc.nat({ max: 60 }),
        fc.nat({ max: 60 }),
        fc.nat({ max: 60 }),
        (lives, startAt, writtenAt, contactAt) => {
          const published: Checkpoint[] = [NOWHERE]
          const entries: Entry[] = []
          lives.forEach(({ arrived, beats, closed }, life) => {
            const epoch = (life + 1) * 10
            arrived.forEach((came, i) => {
              published.push(at(epoch, i + 1))
              if (came) entries.push(record(epoch, i + 1))
              if (beats[i] === true) entries.push(reached(epoch, i + 1))
            })
            if (closed) entries.push(reached(epoch, arrived.length, true))
          })
          const pick = (index: number) => published[index % published.length]!
          const start = pick(startAt)
          const items = planBatch(start, entries, { written: pick(writtenAt), contact: pick(contactAt) })

          let position = { epoch: start.epoch, seq: start.seq }
          const covered = new Set<string>()
          const cover = (epoch: number, seq: number) => {
            expect(covered).not.toContain(`${epoch}/${seq}`)
            covered.add(`${epoch}/${seq}`)
          }
          for (const item of items) {
            if (item.kind === 'epoch') {
              expect(item.from).toBe(position.epoch)
              expect(item.to).toBeGreaterThan(item.from)
            } else {
              expect(item.epoch).toBe(position.epoch)
            }
            if (item.kind === 'record') {
              expect(item.seq).toBe(position.seq + 1)
              cover(item.epoch, item.seq)
            } else if (item.kind === 'gap') {
              expect(item.from).toBe(position.seq + 1)
              for (let seq = item.from; seq <= item.to; seq++) cover(item.epoch, seq)
            }
            position = endOf(item)
          }
          const arrived = entries.filter((entry) => entry.kind === 'record' && isBefore(start, entry))
          const records = items.filter((item) => item.kind === 'record')
          expect(records).toEqual(arrived)
          // Between two known points of one epoch nothing is left out.
          for (const message of published.slice(1)) {
            const known = entries.some(({ epoch, seq }) => epoch === message.epoch && seq >= message.seq)
            if (known && isBefore(start, message))
              expect(covered).toContain(`${message.epoch}/${message.seq}`)
          }
        },
      ),
    )
  })
})

describe('the queue of a channel', () => {
  it('drops the oldest when it is full, and keeps their places', () => {
    const queue = new EntryQueue({ records: 3, bytes: 1e9 })
    const gone = [1, 2, 3, 4, 5].map((seq) => queue.push(record(10, seq)))
    expect(gone).toEqual([0, 0, 0, 1, 1])
    expect(queue.push(record(20, 1))).toBe(1)
    expect(queue.take({ records: 100, bytes: 1e9 })).toEqual([
      { kind: 'dropped', epoch: 10, from: 1, seq: 3 },
      record(10, 4),
      record(10, 5),
      record(20, 1),
    ])
    expect([queue.length, queue.bytes]).toEqual([0, 0])
  })

  it('is bounded in bytes too, and never takes less than one', () => {
    const large = (seq: number): MirrorRecord => ({ ...record(10, seq), data: Buffer.alloc(1_000) })
    const queue = new EntryQueue({ records: 1e6, bytes: 5_000 })
    for (let seq = 1; seq <= 100; seq++) queue.push(large(seq))
    expect(queue.bytes).toBeLessThanOrEqual(5_000)
    expect(queue.take({ records: 1, bytes: 1 })).toEqual([{ kind: 'dropped', epoch: 10, from: 1, seq: 96 }])
    expect(queue.take({ records: 100, bytes: 1 })).toEqual([large(97)])
  })

  it('gives out everything once and in order over many turns', () => {
    const queue = new EntryQueue({ records: 1e6, bytes: 1e9 })
    const seen: number[] = []
    let seq = 0
    for (let turn = 0; turn < 300; turn++) {
      for (let i = 0; i < (turn * 37) % 50; i++) queue.push(record(10, ++seq))
      seen.push(...queue.take({ records: (turn * 13) % 60, bytes: 1e9 }).map((entry) => entry.seq))
    }
    seen.push(...queue.take({ records: 1e6, bytes: 1e9 }).map((entry) => entry.seq))
    expect(seen).toEqual(Array.from({ length: seq }, (_, i) => i + 1))
  })
})
