import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { PastItem } from '../../../../src/lib/history/past.js'
import { record } from '../../../../src/lib/history/recording/recorder.js'
import { RecordingFolder } from '../../../../src/lib/history/recording/recording-folder.js'
import { openRecording } from '../../../../src/lib/history/recording/recording-past.js'
import { SmallDisk, smallDiskRefusal } from '../../../faults/small-disk.js'
import { until } from '../../poll.js'
import { LivePublisher } from '../live-publisher.js'
import { SOURCE, all, told } from '../past-samples.js'

let dir: string
let publisher: LivePublisher
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'arbees-recorder-'))
  publisher = await LivePublisher.start()
})
afterEach(() => {
  publisher.remove()
  rmSync(dir, { recursive: true, force: true })
})

function start({ segmentMs = 1e9, count }: { segmentMs?: number; count?: number } = {}) {
  const stop = new AbortController()
  const got: PastItem[] = []
  const failures: unknown[] = []
  const ended = record(
    {
      folder: new RecordingFolder(dir),
      limits: { segmentBytes: 1e9, segmentMs, retainBytes: 1e9 },
      live: { transport: 'zmq', reader: publisher.reader },
      count,
      onRecorded: (items) => got.push(...items),
      onFailure: (error) => failures.push(error),
    },
    stop.signal,
  )
  ended.catch(() => undefined)
  const end = async () => {
    stop.abort()
    await ended
  }
  return { got, failures, ended, end }
}

const read = async () => {
  const items: PastItem[] = []
  for (const open of openRecording(dir, { sinceMs: -Infinity, untilMs: Infinity }))
    items.push(...(await all(open())))
  return told(items)
}
const span = (epoch: number, from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => `${epoch}/${from + i}`)

/** Publishes until it is heard: only what comes then is recorded. */
async function begun(got: readonly PastItem[]): Promise<number> {
  await until(() => {
    publisher.publish(1)
    return got.length > 0
  }, 'it records')
  const [first] = got
  return first?.kind === 'message' ? first.seq : 0
}

describe('a recorder', () => {
  it('goes on where the one before it ended, with all that was published meanwhile', async () => {
    const { epoch } = publisher
    const one = start()
    const first = await begun(one.got)
    await one.end()
    publisher.publish(50)
    publisher.stop()
    await publisher.start()
    publisher.publish(10)
    const two = start()
    await until(() => told(two.got).at(-1) === `${publisher.epoch}/10`, 'it has all')
    publisher.publish(5)
    await until(() => told(two.got).at(-1) === `${publisher.epoch}/15`, 'it goes on')
    await two.end()
    const lines = await read()
    const old = lines.filter((place) => place.startsWith(String(epoch)))
    expect(old).toEqual(span(epoch, first, first + old.length - 1))
    expect(old.length).toBeGreaterThan(50)
    expect(lines).toEqual([...old, ...span(publisher.epoch, 1, 15)])
  })

  it('ends behind as many messages as it was told, and goes on from there', async () => {
    const { epoch } = publisher
    const one = start({ count: 5 })
    const timer = setInterval(() => publisher.publish(20), 10)
    await one.ended
    clearInterval(timer)
    const [head] = one.got
    const first = head?.kind === 'message' ? head.seq : 0
    expect(await read()).toEqual(span(epoch, first, first + 4))
    const two = start({ count: 3 })
    await two.ended
    expect(await read()).toEqual(span(epoch, first, first + 7))
  })

  it('loses nothing while it cannot write, and says so', async () => {
    const { epoch } = publisher
    const { got, failures, end } = start({ segmentMs: 1 })
    const first = await begun(got)
    const folder = join(dir, SOURCE)
    await until(() => readdirSync(folder).length > 0, 'a file is there')
    const kept = join(dir, 'kept')
    // A file where the folder should be: nothing can be made in it.
    renameSync(folder, kept)
    writeFileSync(folder, '')
    publisher.publish(20)
    await until(() => {
      publisher.publish(1)
      return failures.length > 0
    }, 'it fails')
    rmSync(folder)
    renameSync(kept, folder)
    const { lastSeq } = publisher
    await until(() => told(got).at(-1) === `${epoch}/${lastSeq}`, 'it has all')
    await end()
    expect(await read()).toEqual(span(epoch, first, lastSeq))
  })

  it.skipIf(smallDiskRefusal() !== undefined)('tells nothing twice that a full disk lost', async () => {
    const disk = new SmallDisk(dir, 2)
    try {
      const { epoch } = publisher
      const { got, failures, end } = start()
      const first = await begun(got)
      disk.fill()
      await until(() => {
        publisher.publish(1)
        return failures.length > 1
      }, 'it fails, and fails again')
      disk.free()
      const { lastSeq } = publisher
      await until(() => told(got).at(-1) === `${epoch}/${lastSeq}`, 'it has all')
      await end()
      expect(told(got)).toEqual(span(epoch, first, lastSeq))
      expect(await read()).toEqual(span(epoch, first, lastSeq))
    } finally {
      disk.remove()
    }
  })

  it('ends with what keeps it from writing, where it ends so', async () => {
    const { got, failures, ended, end } = start({ segmentMs: 1 })
    ended.catch(() => undefined)
    await begun(got)
    rmSync(join(dir, SOURCE), { recursive: true })
    writeFileSync(join(dir, SOURCE), '')
    await until(() => {
      publisher.publish(1)
      return failures.length > 0
    }, 'it fails')
    await expect(end()).rejects.toBe(failures.at(-1))
  })

  it('that is stopped before it has written what it could not write says so', async () => {
    const { got, failures, ended, end } = start({ segmentMs: 1 })
    await begun(got)
    const folder = join(dir, SOURCE)
    await until(() => readdirSync(folder).length > 0, 'a file is there')
    const kept = join(dir, 'kept')
    renameSync(folder, kept)
    writeFileSync(folder, '')
    await until(() => {
      publisher.publish(1)
      return failures.length > 0
    }, 'it fails')
    // It can write again, and there is nobody to pull from what it could not.
    publisher.stop()
    rmSync(folder)
    renameSync(kept, folder)
    await new Promise((resolve) => setTimeout(resolve, 1_300))
    expect(failures).toHaveLength(1)
    await expect(end()).rejects.toBe(failures[0])
    await expect(ended).rejects.toBe(failures[0])
  })

  it('fails at once where it never could write', async () => {
    writeFileSync(join(dir, SOURCE), '')
    const { got, ended } = start()
    const failed = expect(ended).rejects.toMatchObject({ code: 'EEXIST' })
    const timer = setInterval(() => publisher.publish(1), 10)
    await failed
    clearInterval(timer)
    expect(got).toEqual([])
  })
})
