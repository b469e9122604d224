import { describe, expect, it } from 'vitest'
import { evictOldest } from '../../../src/lib/core/evict-oldest.js'

describe('a bounded memory', () => {
  it('forgets what was added first, and nothing within its limit', () => {
    const memory = new Set([1, 2, 3, 4])
    evictOldest(memory, 4)
    expect([...memory]).toEqual([1, 2, 3, 4])
    evictOldest(memory, 2)
    expect([...memory]).toEqual([3, 4])
  })
})
