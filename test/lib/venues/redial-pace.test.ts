/** How often a venue is dialed that will not have us, counted over a virtual minute. */

import { describe, expect, it } from 'vitest'

import { Backoff } from '../../../src/lib/core/backoff.js'
import { RedialPace } from '../../../src/lib/venues/redial-pace.js'

/** Attempts within a minute; each lasts `lastsMs` and gives a book after `bookMs`, if it lasts so long. */
function attempts(random: () => number, lastsMs: number, { isRefused = false, bookMs = Infinity }): number[] {
  const pace = new RedialPace(new Backoff({ minMs: 100, maxMs: 5000, random }))
  const at: number[] = []
  for (let ms = 0; ms < 60_000;) {
    at.push(ms)
    if (bookMs < lastsMs) pace.live((ms + bookMs) * 1000)
    ms += lastsMs
    ms += pace.ended(ms * 1000, { isRefused })
  }
  return at
}

const inFirstSecond = (at: readonly number[]): number => at.filter((ms) => ms < 1000).length

describe('redialing a venue', () => {
  it.each([
    ['accepts and closes at once', 1, {}, 75],
    ['gives every book and closes at once', 30, { bookMs: 20 }, 75],
    ['refuses with a status (401, 429, 503)', 20, { isRefused: true }, 50],
    ['does not answer the handshake', 5000, {}, 12],
    ['is not there', 0, {}, 75],
  ])('a venue that %s is not flooded', (_, lastsMs, how, most) => {
    for (let seed = 1; seed <= 50; seed++) {
      let state = seed
      const random = () => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647
      const at = attempts(random, lastsMs, how)
      expect(at.length).toBeLessThanOrEqual(most)
      expect(at.length).toBeGreaterThan(3)
      expect(inFirstSecond(at)).toBeLessThanOrEqual(9)
    }
  })

  it('two of many differ: nobody comes back in step with others', () => {
    const dials = [1, 2, 3].map((seed) => {
      let state = seed * 7919
      return attempts(() => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647, 1, {})
    })
    expect(new Set(dials.map((at) => at[3])).size).toBe(3)
  })

  it('a good connection that is cut is dialed again at once', () => {
    const pace = new RedialPace(new Backoff({ minMs: 100, maxMs: 5000, random: () => 0.99 }))
    for (let failed = 0; failed < 6; failed++) pace.ended(0, { isRefused: false })
    pace.live(0)
    expect(pace.ended(1_000_000, { isRefused: false })).toBeGreaterThan(4000)
    pace.live(2_000_000)
    expect(pace.ended(7_100_000, { isRefused: false })).toBeLessThanOrEqual(300)
  })
})
