import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../../../src/lib/core/clock.js'
import { openJournal, publish, range, readEpoch } from './journal-harness.js'
import { MemoryStorage } from './memory-storage.js'

describe('a journal', () => {
  it('answers with what it was given, from memory and from its files', () => {
    const storage = new MemoryStorage()
    const { journal } = openJournal(storage, { retainBytes: 40_000 })
    publish(journal, 1, 200)
    expect(readEpoch(journal, storage, journal.epoch)).toEqual({
      seqs: range(1, 200),
      holes: [],
      last: 200,
      end: null,
    })
    expect(journal.oldest).toEqual({ epoch: journal.epoch, seq: 1 })
  })

  it('keeps an epoch and its end when it is closed and opened again', () => {
    const storage = new MemoryStorage()
    const clock = new ManualClock()
    const first = openJournal(storage, { clock }).journal
    publish(first, 1, 5, 7_000)
    first.close()
    clock.jumpTo(5)
    const second = openJournal(storage, { clock, bootId: 'boot-2' }).journal
    expect(second.epoch).toBe(first.epoch + 1)
    expect(second.lastTimestampMs).toBe(7_000)
    expect(readEpoch(second, storage, first.epoch)).toEqual({
      seqs: range(1, 5),
      holes: [],
      last: 5,
      end: 'known',
    })
  })
})
