import { describe, expect, it } from 'vitest'
import { EpochIndex } from '../../../../src/lib/bus/journal/epoch-index.js'
import type { EpochEntry } from '../../../../src/lib/bus/journal/epoch-index.js'
import { EPOCHS_FILE, surveyJournal } from '../../../../src/lib/bus/journal/survey.js'
import { openJournal, publish } from './journal-harness.js'
import { MemoryStorage } from './memory-storage.js'

const entry = (epoch: number, change: Partial<EpochEntry> = {}): EpochEntry => ({
  ...{ epoch, after: epoch - 10, boot: 'boot-1', last: 3, end: 'known', newestSegment: 1, timestampMs: 5 },
  ...change,
})

/** As an index writes it: two lives, and what was lost of the first. */
const LINES = (() => {
  const index = EpochIndex.empty()
  index.set(entry(20))
  index.set(entry(30))
  index.addLost({ epoch: 20, from: 2, to: 2 })
  return index.text().trimEnd().split('\n')
})()
const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('')
const harm: readonly [string, (line: string) => string][] = [
  ['with another digit', (line) => line.replace('"last":3', '"last":9')],
  ['with a wrong crc', (line) => `00000000${line.slice(8)}`],
  ['cut in the middle', (line) => line.slice(0, 30)],
  ['without its space', (line) => line.replace(' ', '')],
  ['that is no fact', () => 'nothing that anybody wrote'],
]

describe('an index of epochs', () => {
  it('reads what it wrote, and of an epoch the last word', () => {
    const index = EpochIndex.parse(textOf(LINES) + textOf([LINES[0]!]))
    expect([index.epochs, index.lost]).toEqual([[entry(20), entry(30)], [{ epoch: 20, from: 2, to: 2 }]])
    expect(index.damagedLines).toBe(0)
    index.set(entry(30, { last: 8 }))
    expect(EpochIndex.parse(textOf(LINES) + index.line(30)).get(30)).toEqual(entry(30, { last: 8 }))
  })

  it.each(harm)('counts a line %s, leaves it out, and reads the others', (_, damage) => {
    const index = EpochIndex.parse(textOf([damage(LINES[0]!), LINES[1]!, LINES[2]!]))
    expect([index.epochs, index.lost, index.damagedLines]).toEqual([
      [entry(30)],
      [{ epoch: 20, from: 2, to: 2 }],
      1,
    ])
  })

  it('takes a last line without its end for one that was being written, at every offset', () => {
    for (let length = 1; length < LINES[1]!.length; length++) {
      const index = EpochIndex.parse(`${LINES[0]}\n${LINES[1]!.slice(0, length)}`)
      expect([index.epochs, index.damagedLines]).toEqual([[entry(20)], 0])
    }
  })
})

describe('a journal with a damaged line in its index', () => {
  /** Two lives, both closed. */
  function twoLives(): { storage: MemoryStorage; epochs: readonly [number, number] } {
    const storage = new MemoryStorage()
    const first = openJournal(storage).journal
    publish(first, 1, 3)
    first.close()
    const second = openJournal(storage).journal
    publish(second, 1, 2)
    second.close()
    return { storage, epochs: [first.epoch, second.epoch] }
  }

  const damageLineOf = (storage: MemoryStorage, epoch: number): void => {
    const lines = storage.read(EPOCHS_FILE).toString('utf8').trimEnd().split('\n')
    const harmed = lines.map((line) => (line.includes(`"epoch":${epoch},`) ? line.replace('{', '[') : line))
    expect(harmed).not.toEqual(lines)
    storage.truncate(EPOCHS_FILE, 0)
    storage.append(EPOCHS_FILE, Buffer.from(textOf(harmed)))
  }

  const ends = (storage: MemoryStorage, isLive = false) =>
    surveyJournal(storage, 'boot-1', { isLive }).epochs.epochs.map(({ epoch, last, end }) => [
      epoch,
      last,
      end,
    ])

  it('knows both ends while nothing is damaged', () => {
    const { storage, epochs } = twoLives()
    expect(ends(storage)).toEqual([
      [epochs[0], 3, 'known'],
      [epochs[1], 2, 'known'],
    ])
  })

  it.each([0, 1])('finds life %i in its segments, and claims to know no end that it cannot', (which) => {
    const { storage, epochs } = twoLives()
    damageLineOf(storage, epochs[which]!)
    const found = ends(storage)
    expect(found.map(([epoch, last]) => [epoch, last])).toEqual([
      [epochs[0], 3],
      [epochs[1], 2],
    ])
    // The line may have been all that told of a still later life.
    expect(found.at(-1)).toEqual([epochs[1], 2, 'unknown'])
    expect(found[which]?.[2]).toBe('unknown')
  })

  it('says of the life that goes on that it does', () => {
    const { storage, epochs } = twoLives()
    damageLineOf(storage, epochs[0])
    const third = openJournal(storage).journal
    publish(third, 1, 1)
    expect(ends(storage, true).at(-1)).toEqual([third.epoch, 1, null])
  })
})
