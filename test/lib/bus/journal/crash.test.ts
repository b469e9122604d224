import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseSegmentName, segmentName } from '../../../../src/lib/bus/journal/segment-name.js'
import { openJournalReader } from '../../../../src/lib/bus/journal/reader.js'
import { openJournal, publish, range, readEpoch, stage } from './journal-harness.js'
import { MemoryStorage } from './memory-storage.js'

const isSegment = (name: string): boolean => parseSegmentName(name) !== undefined

describe('after the process was killed', () => {
  it('cuts the torn tail at every byte offset of a record, and knows where the epoch ended', () => {
    const disk = new MemoryStorage()
    const { journal } = openJournal(disk)
    publish(journal, 1, 3)
    const before = disk.size(segmentName(journal.epoch, 1))
    publish(journal, 4, 4)
    const whole = disk.size(segmentName(journal.epoch, 1))
    for (let kept = 0; kept <= whole - before; kept++) {
      const storage = disk.copy()
      storage.files.get(segmentName(journal.epoch, 1))!.bytes = disk
        .read(segmentName(journal.epoch, 1))
        .subarray(0, before + kept)
      const last = kept === whole - before ? 4 : 3
      const expected = { seqs: range(1, last), holes: [], last, end: 'known' }
      const reopened = openJournal(storage)
      expect(reopened.notices).toHaveLength(kept === 0 || last === 4 ? 0 : 1)
      expect(readEpoch(reopened.journal, storage, journal.epoch)).toEqual(expected)
      publish(reopened.journal, 1, 2)
      expect(readEpoch(reopened.journal, storage, journal.epoch)).toEqual(expected)
      reopened.journal.close()
      expect(readEpoch(openJournal(storage).journal, storage, journal.epoch)).toEqual(expected)
    }
  })

  it('reads a torn journal without mending it', () => {
    const storage = new MemoryStorage()
    const { journal } = openJournal(storage)
    publish(journal, 1, 3)
    storage.kill(20)
    const bytes = storage.read(segmentName(journal.epoch, 1))
    const reader = openJournalReader(storage)
    expect(readEpoch(reader, storage, journal.epoch)).toMatchObject({ seqs: [1, 2], holes: [], last: 2 })
    expect(reader.damages).toMatchObject([{ isTorn: true, bytes: 20, from: 3, to: null }])
    expect(storage.read(segmentName(journal.epoch, 1))).toEqual(bytes)
  })

  it('goes on behind a torn first message and behind a segment without one', () => {
    const storage = new MemoryStorage()
    const first = openJournal(storage).journal
    storage.append(segmentName(first.epoch, 1), Buffer.from([1, 2, 3]))
    storage.kill()
    const second = openJournal(storage).journal
    expect(readEpoch(second, storage, first.epoch)).toEqual({ seqs: [], holes: [], last: 0, end: 'known' })
    storage.append(segmentName(second.epoch, 1), Buffer.alloc(0))
    storage.kill()
    expect(readEpoch(openJournal(storage).journal, storage, second.epoch)).toMatchObject({ end: 'known' })
    expect(storage.list().filter(isSegment)).toEqual([])
  })
})

describe('after the machine crashed', () => {
  it('does not know where the epoch ended, whatever was left of it', () => {
    const disk = new MemoryStorage()
    const { journal } = openJournal(disk)
    publish(journal, 1, 3)
    disk.syncNow()
    publish(journal, 4, 5)
    const unsynced =
      disk.size(segmentName(journal.epoch, 1)) - disk.files.get(segmentName(journal.epoch, 1))!.synced
    for (let kept = 0; kept <= unsynced; kept++) {
      const storage = disk.copy()
      storage.powerCut(() => kept)
      const { seqs, end } = readEpoch(
        openJournal(storage, { bootId: 'boot-2' }).journal,
        storage,
        journal.epoch,
      )
      expect(seqs).toEqual(range(1, 3 + Math.floor(kept / (unsynced / 2))))
      expect(end).toBe('unknown')
    }
  })

  it('knows the end of an epoch that was closed before', () => {
    const storage = new MemoryStorage()
    const { journal } = openJournal(storage)
    publish(journal, 1, 3)
    journal.close()
    storage.powerCut()
    const reopened = openJournal(storage, { bootId: 'boot-2' }).journal
    expect(readEpoch(reopened, storage, journal.epoch)).toEqual({
      seqs: [1, 2, 3],
      holes: [],
      last: 3,
      end: 'known',
    })
  })
})

describe('damage', () => {
  /** Three small segments, closed or not. */
  function small(closed: boolean): { disk: MemoryStorage; epoch: number } {
    const disk = new MemoryStorage()
    const { journal } = openJournal(disk, { retainBytes: 8 * 256 })
    publish(journal, 1, 7)
    if (closed) journal.close()
    else disk.kill()
    return { disk, epoch: journal.epoch }
  }

  it.each([true, false])(
    'of any bit of a segment costs one message, and says which (closed: %s)',
    (closed) => {
      const { disk, epoch } = small(closed)
      for (const name of disk.list().filter(isSegment)) {
        for (let byte = 0; byte < disk.size(name); byte++) {
          const storage = disk.copy()
          storage.flipBit(name, byte, byte % 8)
          const { journal } = openJournal(storage)
          const { seqs, holes, last, end } = readEpoch(journal, storage, epoch)
          if (holes.length > 0) {
            const [{ from, to, reason }] = holes as [(typeof holes)[0]]
            expect({ count: holes.length, size: to - from, reason }).toEqual({
              count: 1,
              size: 0,
              reason: 'corrupt',
            })
            expect(seqs).toEqual(range(1, 7).filter((seq) => seq !== from))
            expect(last).toBe(7)
            expect(end).toBe('known')
          } else {
            // The last record, and nobody wrote down that it was there.
            expect(closed).toBe(false)
            expect({ seqs, last, end }).toEqual({ seqs: range(1, 6), last: 6, end: 'unknown' })
          }
        }
      }
    },
  )

  it('of any bit of the index makes an end unknown at worst, never a wrong one', () => {
    for (const closed of [true, false]) {
      const { disk, epoch } = small(closed)
      for (let byte = 0; byte < disk.size('epochs'); byte++) {
        const storage = disk.copy()
        storage.flipBit('epochs', byte, byte % 8)
        const { journal } = openJournal(storage)
        const { seqs, holes, last } = readEpoch(journal, storage, epoch)
        expect({ seqs, holes, last }).toEqual({ seqs: range(1, 7), holes: [], last: 7 })
        expect(journal.epoch).toBeGreaterThan(epoch)
      }
    }
  })

  it('of the last message is not forgotten by a start that dies once it has cut it off', () => {
    const storage = new MemoryStorage()
    const { journal } = openJournal(storage)
    publish(journal, 1, 7)
    storage.kill()
    const name = segmentName(journal.epoch, 1)
    storage.flipBit(name, storage.size(name) - 5, 0)
    const truncate = storage.truncate.bind(storage)
    storage.truncate = (...cut) => {
      truncate(...cut)
      throw new Error('killed')
    }
    expect(() => openJournal(storage)).toThrow('killed')
    storage.truncate = truncate
    storage.kill()
    expect(readEpoch(openJournal(storage).journal, storage, journal.epoch)).toMatchObject({
      seqs: range(1, 6),
      end: 'unknown',
    })
  })

  it('of many kinds at once never throws, and what is read is what was written', () => {
    const harm = fc.record({
      at: fc.double({ min: 0, max: 0.999_999, noNaN: true }),
      file: fc.nat(9),
      kind: fc.constantFrom('flip', 'cut', 'zero', 'remove', 'garbage' as const),
    })
    fc.assert(
      fc.property(fc.array(harm, { minLength: 1, maxLength: 6 }), fc.boolean(), (harms, closed) => {
        const { disk: storage, epoch } = small(closed)
        for (const { at, file, kind } of harms) {
          const names = storage.list().sort()
          const name = names[file % Math.max(1, names.length)]
          if (name === undefined) continue
          const { bytes } = storage.files.get(name)!
          const place = Math.floor(at * bytes.length)
          if (kind === 'remove') storage.remove(name)
          else if (kind === 'cut') storage.truncate(name, place)
          else if (kind === 'zero') bytes.fill(0, place)
          else if (kind === 'garbage') storage.append(name, Buffer.alloc(40, place))
          else if (bytes.length > 0) storage.flipBit(name, place, file % 8)
        }
        const { journal } = openJournal(storage)
        const { seqs, holes } = readEpoch(journal, storage, epoch)
        const missing = holes.flatMap(({ from, to }) => range(from, to))
        expect([...seqs, ...missing].sort((a, b) => a - b)).toEqual(range(1, seqs.length + missing.length))
        publish(journal, 1, 3)
        expect(readEpoch(journal, storage, journal.epoch).seqs).toEqual([1, 2, 3])
      }),
      { numRuns: 300 },
    )
  })
})

describe('a journal whose files are gone', () => {
  it('starts anew when all of them are', () => {
    const storage = new MemoryStorage()
    const first = openJournal(storage).journal
    publish(first, 1, 5)
    first.close()
    storage.files.clear()
    const second = openJournal(storage, {}).journal
    expect(second.answer({ epoch: first.epoch - 1, from: 3 }, { records: 1, bytes: 1 })).toMatchObject({
      known: false,
      next: second.epoch,
    })
  })

  it('does not claim to know an end when the newest segment is', () => {
    const storage = new MemoryStorage()
    const { journal } = openJournal(storage, { retainBytes: 8 * 256 })
    publish(journal, 1, 7)
    storage.kill()
    storage.remove(storage.list().filter(isSegment).sort().at(-1)!)
    const told = readEpoch(openJournal(storage).journal, storage, journal.epoch)
    expect(told.end).toBe('unknown')
    expect(told.seqs).toEqual(range(1, told.seqs.length))
  })

  it('knows its epochs without the index, and no end of theirs', () => {
    const storage = new MemoryStorage()
    const { journal } = openJournal(storage)
    publish(journal, 1, 3)
    journal.close()
    storage.remove('epochs')
    const reopened = openJournal(storage).journal
    expect(reopened.epoch).toBeGreaterThan(journal.epoch)
    expect(readEpoch(reopened, storage, journal.epoch)).toEqual({
      seqs: [1, 2, 3],
      holes: [],
      last: 3,
      end: 'unknown',
    })
  })
})

describe('a message that cannot be staged', () => {
  it('is one that does not follow the last', () => {
    const { journal } = openJournal(new MemoryStorage())
    stage(journal, 1)
    expect(() => stage(journal, 3)).toThrow(expect.objectContaining({ code: 'JOURNAL_SEQ' }))
  })
})
