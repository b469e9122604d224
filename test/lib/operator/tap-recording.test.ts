import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { PastItem } from '../../../src/lib/history/past.js'
import { openRecording } from '../../../src/lib/history/recording/recording-past.js'
import { recordingFile } from '../../../src/lib/operator/replay-file.js'
import type { ReplaySink } from '../../../src/lib/operator/replay.js'
import { TapRecording } from '../../../src/lib/operator/tap-recording.js'
import { all, gap, past, told } from '../history/past-samples.js'
import { until } from '../poll.js'

let dir: string
let path: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'arbees-tap-'))
  path = join(dir, 'tape')
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

async function played(sinceMs = -Infinity): Promise<string[]> {
  const [open] = openRecording(path, { sinceMs, untilMs: Infinity })
  return told(await all(open!()))
}
const recording = (file: ReplaySink, extra = {}) => {
  const failures: unknown[] = []
  const tape = new TapRecording({ file, onFailure: (error) => failures.push(error), ...extra })
  return { tape, failures }
}

describe('what a tap records', () => {
  it('is played as it was shown, with its gaps', async () => {
    const { tape } = recording(recordingFile(path))
    const items: PastItem[] = [
      past(1),
      past(2),
      { kind: 'gap', gap: gap(3, 4), afterMs: 0, timestampMs: 1 },
      past(5),
    ]
    for (const item of items) tape.add(item)
    await tape.close()
    expect(await played()).toEqual(['7/1', '7/2', '7/3..4 missed', '7/5'])
    expect([tape.messages, tape.dropped]).toEqual([3, 0])
  })

  it('has a hole where messages are missing of a whole source, and none where they were left out', async () => {
    for (const isSelection of [false, true]) {
      rmSync(path, { force: true })
      const { tape } = recording(recordingFile(path, { isSelection }))
      tape.add(past(1))
      tape.add(past(5))
      tape.add({ kind: 'gap', gap: gap(7, 8), afterMs: 0, timestampMs: 1 })
      tape.add(past(9))
      await tape.close()
      expect(await played()).toEqual(
        isSelection
          ? ['7/1', '7/5', '7/7..8 missed', '7/9']
          : ['7/1', '7/2..4 missed', '7/5', '7/6..6 missed', '7/7..8 missed', '7/9'],
      )
      expect((await played(0))[0]).toBe('7/1')
    }
  })

  it('says in the file what the disk was too slow for', async () => {
    let release: () => void = () => undefined
    const held = new Promise<void>((resolve) => (release = resolve))
    const file = recordingFile(path, { isSelection: true })
    const slow: ReplaySink = {
      write: async (items, signal) => {
        await held
        await file.write(items, signal)
      },
      close: () => file.close(),
    }
    const { tape } = recording(slow, { maxBytes: 3 * past(1).data.length })
    for (let seq = 1; seq <= 10; seq++) tape.add(past(seq))
    release()
    let seq = 10
    await until(() => {
      tape.add(past(++seq))
      return tape.messages > 3
    }, 'there is room')
    await tape.close()
    expect(await played()).toEqual(['7/1', '7/2', '7/3', `7/4..${seq - 1} missed`, `7/${seq}`])
    expect(tape.dropped).toBe(seq - 4)
  })

  it('tells once when nothing can be written, and holds up nothing', async () => {
    const { tape, failures } = recording(recordingFile(join(dir, 'nowhere', 'tape')))
    for (let seq = 1; seq <= 10; seq++) tape.add(past(seq))
    await until(() => failures.length > 0, 'it failed')
    tape.add(past(11))
    await tape.close()
    expect(failures).toMatchObject([{ code: 'ENOENT' }])
  })
})
