import { describe, expect, it } from 'vitest'
import { launch } from '../e2e/launch.js'

interface Case {
  readonly case: string
  readonly key?: string
  readonly n: number
  readonly p50_us: number
  readonly p99_us: number
  readonly ratio_to_bare_post?: number | null
}

describe('arbees bench kalshi', () => {
  it('measures frames and orders by both kinds of key, each beside what it is compared with', async () => {
    const run = launch(['bench', 'kalshi', '--rounds', '1', '--for', '100ms', '--json'], {})
    expect(await run.ended).toBe(0)
    const { summary } = JSON.parse(run.stdout()) as {
      summary: { dropped: number; order_ratio_to_bare_post: number; cases: readonly Case[] }
    }
    expect(summary.dropped).toBe(0)
    expect(summary.order_ratio_to_bare_post).toBeGreaterThan(0)
    const parts = ['bare POST', 'bare POST, signed', 'order']
    parts.push('order, its text', 'order, to its bytes', 'signature alone')
    expect(summary.cases.map((each) => [each.case, each.key])).toEqual([
      ['frame to quote', undefined],
      ['JSON.parse alone', undefined],
      ...['rsa-2048', 'ed25519'].flatMap((key) => parts.map((part) => [part, key])),
    ])
    for (const { n, p50_us: p50, p99_us: p99 } of summary.cases) {
      expect(n).toBeGreaterThan(0)
      expect(p50).toBeGreaterThan(0)
      expect(p99).toBeGreaterThanOrEqual(p50)
    }
  })
})
