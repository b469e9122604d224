import { setImmediate } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { Conflater } from '../../../src/lib/bus/conflater.js'
import { ManualClock } from '../../../src/lib/core/clock.js'

/** Delivers into `seen`; each delivery takes `eachMs` of a clock that stands still otherwise. */
function conflate(eachMs = 0) {
  const clock = new ManualClock()
  const seen: string[] = []
  const replaced: string[] = []
  const conflater = new Conflater<{ readonly topic: string; readonly n: number }>(
    clock,
    ({ topic, n }) => {
      clock.advanceMs(eachMs)
      seen.push(`${topic}${n}`)
    },
    ({ topic, n }) => replaced.push(`${topic}${n}`),
  )
  const offer = (...texts: string[]) => {
    for (const text of texts) conflater.offer({ topic: text.slice(0, 1), n: Number(text.slice(1)) })
  }
  return { conflater, seen, replaced, offer }
}

it('gives out the newest of each topic in the order of the newest, and tells of the others', () => {
  const { conflater, seen, replaced, offer } = conflate()
  offer('a1', 'b2', 'a3', 'c4', 'b5')
  expect(seen).toEqual([])
  conflater.flush()
  expect(seen).toEqual(['a3', 'c4', 'b5'])
  expect(replaced).toEqual(['a1', 'b2'])
})

it('ends a long stretch, and what comes meanwhile takes the place of what waits', async () => {
  const { conflater, seen, offer } = conflate(5)
  offer('a1', 'b2', 'c3', 'd4')
  conflater.flush()
  expect(seen).toEqual(['a1', 'b2'])
  offer('c5')
  conflater.flush()
  expect(seen).toEqual(['a1', 'b2'])
  await setImmediate()
  expect(seen).toEqual(['a1', 'b2', 'd4', 'c5'])
})

it('gives out everything when nothing may wait', () => {
  const { conflater, seen, offer } = conflate(5)
  offer('a1', 'b2', 'c3', 'd4')
  conflater.flushAll()
  expect(seen).toEqual(['a1', 'b2', 'c3', 'd4'])
})

it('gives out nothing once it is closed', async () => {
  const { conflater, seen, offer } = conflate(20)
  offer('a1', 'b2')
  conflater.flush()
  conflater.close()
  await setImmediate()
  expect(seen).toEqual(['a1'])
})
