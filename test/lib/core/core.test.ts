import { describe, expect, it } from 'vitest'
import { Backoff, sleep } from '../../../src/lib/core/backoff.js'
import { parseDurationMs } from '../../../src/lib/core/duration.js'
import { hashId } from '../../../src/lib/core/ids.js'
import { Lifecycle } from '../../../src/lib/core/lifecycle.js'
import { sanitize } from '../../../src/lib/core/sanitize.js'

describe('durations', () => {
  it.each([
    ['250ms', 250],
    ['5s', 5000],
    ['1.5s', 1500],
    ['10m', 600_000],
    ['1h', 3_600_000],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDurationMs(text)).toBe(ms)
  })

  it.each(['5', 's', '-5s', '5 s', '1d', '', 'Infinitys'])('refuses %j as a usage error', (text) => {
    expect(() => parseDurationMs(text)).toThrowError(
      expect.objectContaining({ code: 'BAD_DURATION', exit: 2 }),
    )
  })
})

describe('sanitizer', () => {
  it.each([
    ['escape codes', '\u001b[31mred\u001b[0m', '\\u001b[31mred\\u001b[0m'],
    ['a forged line', 'a\r\nb', 'a\\u000d\\u000ab'],
    ['C1 controls', 'a\u009bb', 'a\\u009bb'],
    ['bidi overrides', 'a\u202eb', 'a\\u202eb'],
    ['zero-width characters', 'a\u200bb\ufeff', 'a\\u200bb\\ufeff'],
    ['plain text and accents', 'Montréal 3–2', 'Montréal 3–2'],
  ])('makes %s visible', (_, text, shown) => {
    expect(sanitize(text)).toBe(shown)
  })

  it('cuts what is too long', () => {
    expect(sanitize('x'.repeat(20), 10)).toBe(`${'x'.repeat(9)}…`)
  })
})

describe('ids', () => {
  it('tell lists apart that would join to the same text', () => {
    expect(hashId(['ab', 'c'])).not.toBe(hashId(['a', 'bc']))
    expect(hashId(['a', 1])).toMatch(/^[0-9a-f]{32}$/)
  })
})

describe('backoff', () => {
  it('stays within its bounds, grows, and starts again after a reset', () => {
    const backoff = new Backoff({ minMs: 100, maxMs: 5000, random: () => 0.999 })
    const delays = Array.from({ length: 10 }, () => backoff.nextMs())
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(100)
    expect(Math.max(...delays)).toBeLessThanOrEqual(5000)
    expect(delays[5]!).toBeGreaterThan(delays[0]!)
    backoff.reset()
    expect(backoff.nextMs()).toBe(delays[0])
  })

  it('sleeps longer than a timer can', async () => {
    const controller = new AbortController()
    const sleeping = sleep(2 ** 31 + 5_000, controller.signal)
    expect(await Promise.race([sleeping, sleep(50).then(() => 'asleep')])).toBe('asleep')
    controller.abort()
    expect(await sleeping).toBe('aborted')
  })

  it('wakes a sleeper at once when aborted', async () => {
    const controller = new AbortController()
    const sleeping = sleep(60_000, controller.signal)
    controller.abort()
    expect(await sleeping).toBe('aborted')
  })
})

describe('lifecycle', () => {
  it('cleans up in reverse, past a failure and past a step that hangs, and names both', async () => {
    const lifecycle = new Lifecycle()
    const ran: string[] = []
    lifecycle.defer('first', () => void ran.push('first'))
    lifecycle.defer('hangs', () => new Promise(() => undefined))
    lifecycle.defer('fails', () => {
      ran.push('fails')
      throw new Error('broken')
    })
    lifecycle.defer('last', () => void ran.push('last'))
    const failures = await lifecycle.close(50)
    expect(ran).toEqual(['last', 'fails', 'first'])
    expect(failures).toEqual(['fails: broken', 'hangs: hangs did not finish within 50 ms'])
    expect(lifecycle.signal.aborted).toBe(true)
    expect(await lifecycle.close()).toBe(failures)
  })
})
