import { expect, it } from 'vitest'
import { unknownOutcomeDrill } from './unknown-outcome-drill.js'

it('an order whose answer went astray is found by its hash, in the next life too, and never posted again', async () => {
  const report = await unknownOutcomeDrill({ orders: 20, parallel: 4, naive: 4, speed: 10, lives: 2 })
  expect(report.problems).toEqual([])
  expect(report).toMatchObject({ orders: 20, found: 20, kept: report.taken })
  expect(report).toMatchObject({ doubled: 0, reposted: 0, legsReposted: 0 })
  // On a busy machine one may not leave in time, and then it certainly did not.
  expect(report.taken).toBeGreaterThan(10)
  expect(report.filled).toBeGreaterThan(5)
  // A client that takes silence for a no has each of its orders twice.
  expect(report.naiveDoubled).toBeGreaterThan(0)
})
