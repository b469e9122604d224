import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { StreamBounds } from '../../../src/lib/operator/stream-bounds.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('the bounds of a stream', () => {
  it('end it after so many', async () => {
    const bounds = new StreamBounds({ count: 2, forMs: 1000 })
    bounds.tick()
    expect(bounds.isOver).toBe(false)
    bounds.tick()
    expect(bounds.isOver).toBe(true)
    expect(await bounds.ended).toBe('count')
    expect(vi.getTimerCount()).toBe(0)
  })

  it('end it after so long, however much comes', async () => {
    const bounds = new StreamBounds({ forMs: 1000, idleMs: 400 })
    for (let i = 0; i < 4; i++) {
      vi.advanceTimersByTime(250)
      bounds.tick()
    }
    expect(await bounds.ended).toBe('for')
  })

  it('end it after so long without anything', async () => {
    const bounds = new StreamBounds({ idleMs: 400 })
    vi.advanceTimersByTime(300)
    bounds.tick()
    vi.advanceTimersByTime(399)
    expect(bounds.isOver).toBe(false)
    vi.advanceTimersByTime(1)
    expect(await bounds.ended).toBe('idle')
  })

  it('end it when told to, also before it began', async () => {
    const stop = new AbortController()
    const bounds = new StreamBounds({ signal: stop.signal })
    stop.abort()
    expect(await bounds.ended).toBe('stopped')
    expect(await new StreamBounds({ signal: stop.signal }).ended).toBe('stopped')
  })
})
