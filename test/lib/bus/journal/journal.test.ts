import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openJournalReader } from '../../../../src/lib/bus/journal/reader.js'
import { readRecords } from '../../../../src/lib/bus/journal/record.js'
import { parseSegmentName, segmentName } from '../../../../src/lib/bus/journal/segment-name.js'
import { ManualClock } from '../../../../src/lib/core/clock.js'
import { ask, openJournal, publish, range, readEpoch, stage, textOf } from './journal-harness.js'
import { MemoryStorage } from './memory-storage.js'

const isSegment = (name: string): boolean => parseSegmentName(name) !== undefined
const LIMITS = { records: 500, bytes: 256 * 1024 }

describe('an open journal', () => {
  it('answers with what it was given, from memory and from its files', () => {
    const storage = new MemoryStorage()
    const { journal } = openJournal(storage, { retainBytes: 40_000 })
    publish(journal, 1, 200)
    expect(storage.list().filter(isSegment).length).toBeGreaterThan(3)
    const told = { seqs: range(1, 200), holes: [], last: 200, end: null }
    expect(readEpoch(journal, storage, journal.epoch)).toEqual(told)
    expect(readEpoch(journal, storage, journal.epoch, { records: 1, bytes: 1 })).toEqual(told)
    expect(readEpoch(openJournalReader(storage), storage, journal.epoch)).toEqual(told)
    expect(journal.oldest).toEqual({ epoch: journal.epoch, seq: 1 })
  })

  it('gives out nothing before it was flushed, and not more than was asked for', () => {
    const storage = new MemoryStorage()
    const { journal } = openJournal(storage)
    const { epoch } = journal
    for (const seq of range(1, 5)) stage(journal, seq)
    expect(journal.oldest).toBeNull()
    expect(ask(journal, storage, { epoch, from: 1 })).toMatchObject({ count: 0, hole: null, last: 0 })
    expect(journal.flush()).toBe(true)
    expect(ask(journal, storage, { epoch, from: 2, to: 3 })).toMatchObject({ count: 2, last: 5, end: null })
    expect(ask(journal, storage, { epoch, from: 4, to: 9 })).toMatchObject({ count: 2 })
    expect(ask(journal, storage, { epoch, from: 6 })).toMatchObject({ count: 0, hole: null })
    expect(ask(journal, storage, { epoch, from: 1 }, { records: 3, bytes: 1e6 })).toMatchObject({ count: 3 })
    expect(ask(journal, storage, { epoch, from: 1 }, { records: 9, bytes: 1 })).toMatchObject({ count: 1 })
  })

  it('writes what was staged together with one call', () => {
    const storage = new MemoryStorage()
    const { journal } = openJournal(storage)
    let appends = 0
    const append = storage.append.bind(storage)
    storage.append = (name, bytes) => {
      if (isSegment(name)) appends++
      return append(name, bytes)
    }
    for (const seq of range(1, 50)) stage(journal, seq)
    journal.flush()
    journal.flush()
    expect(appends).toBe(1)
  })

  it('returns envelopes that stay as they are, however much follows', () => {
    const { journal } = openJournal(new MemoryStorage(), { retainBytes: 4_000 })
    const envelopes = range(1, 300).map((seq) => {
      const envelope = stage(journal, seq)
      journal.flush()
      return envelope
    })
    expect(envelopes.map(String)).toEqual(range(1, 300).map(textOf))
  })

  it('takes a message larger than a segment', () => {
    const storage = new MemoryStorage()
    const { journal } = openJournal(storage, { retainBytes: 80_000 })
    publish(journal, 1, 2)
    stage(journal, 3, 'ö'.repeat(30_000))
    journal.flush()
    publish(journal, 4, 4)
    const { bytes } = ask(journal, storage, { epoch: journal.epoch, from: 3 })
    expect(readRecords(bytes)?.[0]?.data.toString()).toBe('ö'.repeat(30_000))
    expect(ask(journal, storage, { epoch: journal.epoch, from: 4 }).count).toBe(1)
  })

  it('names the epochs it knows to those who ask for another', () => {
    const storage = new MemoryStorage()
    const first = openJournal(storage).journal
    publish(first, 1, 2)
    first.close()
    const second = openJournal(storage).journal
    const unknown = { known: false, count: 0, hole: null }
    expect(ask(second, storage, { epoch: 0, from: 1 })).toMatchObject({ ...unknown, next: first.epoch })
    expect(ask(second, storage, { epoch: first.epoch, from: 3 })).toMatchObject({
      ...{ known: true, last: 2, end: 'known', next: second.epoch },
    })
    expect(ask(second, storage, { epoch: second.epoch, from: 1 })).toMatchObject({ end: null, next: null })
    expect(ask(second, storage, { epoch: second.epoch + 1, from: 1 })).toMatchObject({
      ...unknown,
      next: null,
    })
  })
})

describe('epochs and times', () => {
  it('rise when the clock was set back, and times do not fall', () => {
    const storage = new MemoryStorage()
    const clock = new ManualClock()
    const first = openJournal(storage, { clock }).journal
    publish(first, 1, 5, 7_000)
    first.close()
    clock.jumpTo(5)
    const second = openJournal(storage, { clock, bootId: 'boot-2' }).journal
    expect(second.epoch).toBe(first.epoch + 1)
    expect(second.lastTimestampMs).toBe(7_000)
    storage.kill()
    const third = openJournal(storage, { clock }).journal
    expect(third.epoch).toBe(first.epoch + 2)
    expect(third.lastTimestampMs).toBe(7_000)
    third.close()
    expect(openJournal(storage, { clock, epochFloor: first.epoch + 77 }).journal.epoch).toBe(first.epoch + 77)
  })

  it('are known of a killed process too', () => {
    const storage = new MemoryStorage()
    const { journal } = openJournal(storage)
    publish(journal, 1, 5, 7_000)
    publish(journal, 6, 6, 7_001)
    storage.kill()
    expect(openJournal(storage).journal.lastTimestampMs).toBe(7_001)
  })

  it('are forgotten only where nothing is left of them, and only the oldest', () => {
    const storage = new MemoryStorage()
    const clock = new ManualClock(1_000)
    const first = openJournal(storage, { clock }).journal
    publish(first, 1, 1)
    first.close()
    for (let start = 0; start < 400; start++) openJournal(storage, { clock }).journal.close()
    const { journal } = openJournal(storage, { clock })
    expect(openJournalReader(storage).epochs).toHaveLength(402)
    expect(ask(journal, storage, { epoch: first.epoch, from: 1 })).toMatchObject({ count: 1 })
    journal.close()
    storage.remove(segmentName(first.epoch, 1))
    openJournal(storage, { clock })
    const { epochs } = openJournalReader(storage)
    expect(epochs).toHaveLength(301)
    expect(epochs.at(-1)?.epoch).toBe(first.epoch + 402)
  })
})

describe('retention', () => {
  it('removes the oldest files and says exactly what is gone', () => {
    const storage = new MemoryStorage()
    const { journal } = openJournal(storage, { retainBytes: 8_000 })
    const { epoch } = journal
    publish(journal, 1, 500)
    const first = Math.min(...storage.list().flatMap((name) => parseSegmentName(name)?.first ?? []))
    expect(first).toBeGreaterThan(1)
    expect(journal.oldest).toEqual({ epoch, seq: first })
    expect(journal.bytes).toBeLessThanOrEqual(8_000)
    expect(journal.bytes).toBeGreaterThan(6_000)
    const told = {
      seqs: range(first, 500),
      holes: [{ from: 1, to: first - 1, reason: 'retention' }],
      last: 500,
    }
    expect(readEpoch(journal, storage, epoch)).toEqual({ ...told, end: null })
    journal.close()
    const reopened = openJournal(storage, { retainBytes: 8_000 }).journal
    expect(reopened.oldest).toEqual({ epoch, seq: first })
    expect(readEpoch(reopened, storage, epoch)).toEqual({ ...told, end: 'known' })
    publish(reopened, 1, 500)
    expect(readEpoch(reopened, storage, epoch)).toEqual({
      seqs: [],
      holes: [{ from: 1, to: 500, reason: 'retention' }],
      last: 500,
      end: 'known',
    })
  })

  it('tells a hole, when asked for no further than the reader needs', () => {
    const storage = new MemoryStorage()
    const { journal } = openJournal(storage, { retainBytes: 8_000 })
    publish(journal, 1, 500)
    expect(ask(journal, storage, { epoch: journal.epoch, from: 3, to: 9 }).hole).toEqual({
      to: 9,
      reason: 'retention',
    })
  })

  it('shrinks what is there when less is to be kept', () => {
    const storage = new MemoryStorage()
    const first = openJournal(storage, { retainBytes: 40_000 }).journal
    publish(first, 1, 400)
    first.close()
    expect(openJournal(storage, { retainBytes: 8_000 }).journal.bytes).toBeLessThanOrEqual(8_000)
  })

  it('answers for a segment that is removed while it is being loaded', async () => {
    const storage = new MemoryStorage()
    const { journal } = openJournal(storage, { retainBytes: 8_000 })
    publish(journal, 1, 60)
    const { epoch } = journal
    const asked = journal.answer({ epoch, from: 1 }, LIMITS)
    if (asked.kind !== 'load') throw new Error('it was in memory')
    publish(journal, 61, 500)
    await journal.load(asked.segment)
    expect(journal.answer({ epoch, from: 1 }, LIMITS)).toMatchObject({ hole: { reason: 'retention' } })
  })

  it('reports a file that somebody removed as corrupt, no more than that file', async () => {
    const storage = new MemoryStorage()
    const { journal } = openJournal(storage, { retainBytes: 8_000 })
    publish(journal, 1, 60)
    const [, second, third] = storage.list().filter(isSegment).sort()
    storage.remove(second!)
    const asked = journal.answer({ epoch: journal.epoch, from: parseSegmentName(second!)!.first }, LIMITS)
    expect(asked).toEqual({ kind: 'load', segment: second })
    await journal.load(second!)
    const { holes } = readEpoch(journal, storage, journal.epoch)
    expect(holes).toEqual([
      { from: parseSegmentName(second!)!.first, to: parseSegmentName(third!)!.first - 1, reason: 'corrupt' },
    ])
  })
})

describe('a full disk', () => {
  it.each([0, 1, 33, 34, 70, 100])(
    'with room for %i bytes: memory alone, then a hole and a new file',
    (room) => {
      const storage = new MemoryStorage()
      const clock = new ManualClock()
      const { journal, notices } = openJournal(storage, { clock, retainBytes: 4_000 })
      const { epoch } = journal
      expect(publish(journal, 1, 3)).toEqual([true, true, true])
      const size = storage.size(segmentName(epoch, 1))
      storage.fill(room)
      const inRoom = Math.floor(room / (size / 3))
      expect(publish(journal, 4, 8)).toEqual(range(4, 8).map((seq) => seq <= 3 + inRoom))
      expect(journal.state).toBe('degraded')
      expect(storage.size(segmentName(epoch, 1))).toBe((size / 3) * (3 + inRoom))
      expect(readEpoch(journal, storage, epoch)).toEqual({ seqs: range(1, 8), holes: [], last: 8, end: null })
      storage.free()
      expect(publish(journal, 9, 9)).toEqual([false])
      clock.advanceMs(1_000)
      expect(publish(journal, 10, 10)).toEqual([false])
      expect(journal.state).toBe('on')
      expect(publish(journal, 11, 12)).toEqual([true, true])
      expect(notices).toHaveLength(2)
      const onDisk = [...range(1, 3 + inRoom), 11, 12]
      const hole = { from: 4 + inRoom, to: 10, reason: 'degraded' }
      storage.kill()
      const reopened = openJournal(storage, { clock }).journal
      expect(readEpoch(reopened, storage, epoch)).toEqual({
        seqs: onDisk,
        holes: [hole],
        last: 12,
        end: 'known',
      })
    },
  )

  it('forgets from memory what it never wrote, and then says that it is lost', () => {
    const storage = new MemoryStorage()
    const clock = new ManualClock()
    const { journal } = openJournal(storage, { clock, retainBytes: 4_000 })
    publish(journal, 1, 3)
    storage.fill()
    publish(journal, 4, 100)
    const { seqs, holes } = readEpoch(journal, storage, journal.epoch)
    const [hole] = holes
    expect(holes).toEqual([{ from: 4, to: hole!.to, reason: 'degraded' }])
    expect(hole!.to).toBeGreaterThan(4)
    expect(seqs).toEqual([1, 2, 3, ...range(hole!.to + 1, 100)])
  })

  it('makes the end unknown when the process dies meanwhile', () => {
    const storage = new MemoryStorage()
    const { journal } = openJournal(storage)
    publish(journal, 1, 3)
    storage.fill()
    publish(journal, 4, 5)
    storage.kill()
    storage.free()
    expect(readEpoch(openJournal(storage).journal, storage, journal.epoch)).toEqual({
      seqs: [1, 2, 3],
      holes: [],
      last: 3,
      end: 'unknown',
    })
  })

  it('that is back at the end leaves the hole and the end on record', () => {
    const storage = new MemoryStorage()
    const { journal } = openJournal(storage)
    publish(journal, 1, 3)
    storage.fill()
    publish(journal, 4, 5)
    storage.free()
    journal.close()
    expect(readEpoch(openJournal(storage).journal, storage, journal.epoch)).toEqual({
      seqs: [1, 2, 3],
      holes: [{ from: 4, to: 5, reason: 'degraded' }],
      last: 5,
      end: 'known',
    })
  })

  it('gives a message that was not sent to nobody, and leaves its number unused', () => {
    const storage = new MemoryStorage()
    const clock = new ManualClock()
    const { journal } = openJournal(storage, { clock })
    publish(journal, 1, 2)
    storage.fill(20)
    expect(publish(journal, 3, 3)).toEqual([false])
    journal.discard()
    const told = { seqs: [1, 2], holes: [{ from: 3, to: 3, reason: 'degraded' }], last: 3 }
    expect(readEpoch(journal, storage, journal.epoch)).toEqual({ ...told, end: null })
    expect(journal.flush()).toBe(false)
    storage.free()
    clock.advanceMs(1_000)
    expect(journal.flush()).toBe(true)
    publish(journal, 4, 4)
    storage.kill()
    expect(readEpoch(openJournal(storage).journal, storage, journal.epoch)).toEqual({
      ...told,
      seqs: [1, 2, 4],
      last: 4,
      end: 'known',
    })
  })

  it('takes nothing from the segments before when a message is given to nobody', () => {
    const storage = new MemoryStorage()
    // Two segments of five messages or so, both in memory, the second one with room.
    const { journal } = openJournal(storage, { retainBytes: 4_000 })
    publish(journal, 1, 8)
    storage.fill()
    expect(publish(journal, 9, 9)).toEqual([false])
    journal.discard()
    expect(readEpoch(journal, storage, journal.epoch)).toEqual({
      seqs: range(1, 8),
      holes: [{ from: 9, to: 9, reason: 'degraded' }],
      last: 9,
      end: null,
    })
  })

  it('at the start is refused with the next step', () => {
    const storage = new MemoryStorage()
    storage.fill(10)
    expect(() => openJournal(storage)).toThrow(
      expect.objectContaining({
        code: 'JOURNAL_UNUSABLE',
        exit: 4,
        hint: expect.stringContaining('data_dir'),
      }),
    )
    storage.free()
    expect(openJournal(storage).journal.state).toBe('on')
  })
})

describe('a disk that fails', () => {
  it('while it syncs degrades the journal until it is mended', async () => {
    const storage = new MemoryStorage()
    const clock = new ManualClock()
    const { journal, notices } = openJournal(storage, { clock })
    publish(journal, 1, 2)
    storage.break()
    await journal.sync()
    expect(journal.state).toBe('degraded')
    expect(publish(journal, 3, 3)).toEqual([false])
    storage.mend()
    clock.advanceMs(1_000)
    journal.flush()
    expect(journal.state).toBe('on')
    publish(journal, 4, 4)
    expect(notices).toHaveLength(2)
    expect(readEpoch(journal, storage, journal.epoch).seqs).toEqual([1, 2, 3, 4])
  })
})

describe('a disk that cannot be cut back', () => {
  it('does not look whole to the next life', () => {
    const storage = new MemoryStorage()
    const { journal } = openJournal(storage)
    publish(journal, 1, 10)
    const refuse = () => {
      throw Object.assign(new Error('EIO'), { code: 'EIO' })
    }
    const append = storage.append.bind(storage)
    const truncate = storage.truncate.bind(storage)
    storage.append = refuse
    storage.truncate = refuse
    expect(publish(journal, 11, 12)).toEqual([false, false])
    Object.assign(storage, { append, truncate })
    storage.kill()
    expect(readEpoch(openJournal(storage).journal, storage, journal.epoch)).toMatchObject({
      seqs: range(1, 10),
      end: 'unknown',
    })
  })

  it('loses the mark of being whole as soon as that can be taken away', () => {
    const storage = new MemoryStorage()
    const { journal } = openJournal(storage)
    publish(journal, 1, 10)
    storage.break()
    publish(journal, 11, 11)
    storage.mend()
    publish(journal, 12, 12)
    storage.kill()
    expect(readEpoch(openJournal(storage).journal, storage, journal.epoch)).toMatchObject({ end: 'unknown' })
  })
})

describe('two writers', () => {
  it('are refused, until the first is closed', () => {
    const storage = new MemoryStorage()
    const { journal } = openJournal(storage)
    expect(() => openJournal(storage)).toThrow(expect.objectContaining({ code: 'JOURNAL_LOCKED' }))
    publish(journal, 1, 2)
    journal.close()
    expect(openJournal(storage).journal.state).toBe('on')
  })
})

describe('whatever happens', () => {
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant('publish' as const), count: fc.integer({ min: 1, max: 12 }) }),
    },
    fc.record({ kind: fc.constant('kill' as const), keeps: fc.nat(60) }),
    fc.record({ kind: fc.constant('fill' as const), room: fc.nat(900) }),
    fc.record({ kind: fc.constant('power' as const), keeps: fc.nat(400) }),
    fc.record({ kind: fc.constantFrom('free' as const, 'close' as const, 'sync' as const) }),
  )

  it('every message that was sent is read, or is in a hole, or behind an end that is unknown', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 40 }), (steps) => {
        const storage = new MemoryStorage()
        const clock = new ManualClock()
        const sent = new Map<number, number>()
        let boot = 1
        let { journal } = openJournal(storage, { clock, retainBytes: 8_000, bootId: 'boot-1' })
        const reopen = () => {
          storage.free()
          clock.advanceMs(10)
          journal = openJournal(storage, { clock, retainBytes: 8_000, bootId: `boot-${boot}` }).journal
        }
        for (const each of steps) {
          clock.advanceMs(400)
          if (each.kind === 'publish') {
            const from = (sent.get(journal.epoch) ?? 0) + 1
            for (const seq of range(from, from + each.count - 1)) stage(journal, seq)
            journal.flush()
            sent.set(journal.epoch, from + each.count - 1)
          } else if (each.kind === 'kill') {
            // The last message was being written and is not sent.
            const seq = (sent.get(journal.epoch) ?? 0) + 1
            stage(journal, seq)
            storage.kill(journal.flush() ? each.keeps : Infinity)
            reopen()
          } else if (each.kind === 'power') {
            storage.powerCut((unsynced) => Math.min(unsynced, each.keeps))
            boot++
            reopen()
          } else if (each.kind === 'close') {
            journal.close()
            reopen()
          } else if (each.kind === 'fill') storage.fill(each.room)
          else if (each.kind === 'free') storage.free()
          else storage.syncNow()
        }
        journal.close()
        storage.free()
        const last = openJournal(storage, { clock, retainBytes: 8_000, bootId: `boot-${boot}` }).journal
        for (const [epoch, count] of sent) {
          const told = readEpoch(last, storage, epoch)
          const missing = told.holes.flatMap(({ from, to }) => range(from, to))
          const accounted = [...told.seqs, ...missing].sort((a, b) => a - b)
          expect(accounted).toEqual(range(1, told.last))
          expect(told.end === 'unknown' || told.last >= count).toBe(true)
        }
      }),
      { numRuns: 150 },
    )
  })
})
