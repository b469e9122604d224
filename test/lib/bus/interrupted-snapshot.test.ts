import { expect, it } from 'vitest'
import { SnapshotReader } from '../../../src/lib/bus/snapshot-reader.js'

it('gives out nothing of a snapshot that was never finished: what comes live may be older', () => {
  const reader = new SnapshotReader<{ readonly topic: string }>({
    maxWaiting: { records: 100, bytes: Infinity },
    outOfReachMs: 1_000,
  })
  const live = (seq: number) => reader.receive({ epoch: 10, seq, value: { topic: 'a' } }, 1, 0)
  live(5)
  live(6)
  reader.reached({ epoch: 10, seq: 6, closing: false, journal: true }, 0)
  expect(reader.nextRequest(0)).toEqual({ kind: 'snapshot', cursor: 0 })
  const values = [{ topic: 'a', seq: 6, value: { topic: 'a' } }]
  reader.onSnapshot({ epoch: 10, seq: 6, complete: true, values, next: 1 }, 0)
  const taken = reader.take(10, 0)
  for (let nowMs = 0; nowMs <= 2_000; nowMs += 200) {
    reader.reached({ epoch: 10, seq: 6, closing: false, journal: true }, nowMs)
    if (reader.nextRequest(nowMs) !== undefined) reader.onNoReply(nowMs)
    taken.push(...reader.take(10, nowMs))
  }
  expect(taken.map((item) => item.kind === 'record' && item.seq)).toEqual([5, 6])
})
