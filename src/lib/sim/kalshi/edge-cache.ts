/**
 * The cache before Kalshi's public reads: an answer may be 15 seconds old, and says how old in `Age`. Here before order
 * books alone, so that nobody takes one for a live price; another query is another answer.
 */

import { reply } from '../http-host.js'

const MAX_AGE_MS = 15_000

interface Cached {
  readonly atMs: number
  readonly body: unknown
}

export class EdgeCache {
  private readonly cached = new Map<string, Cached>()

  constructor(private readonly nowMs: () => number) {}

  reply(url: string, read: () => unknown): Response {
    const nowMs = this.nowMs()
    const known = this.cached.get(url)
    const isFresh = known !== undefined && nowMs - known.atMs < MAX_AGE_MS
    const entry = isFresh ? known : { atMs: nowMs, body: read() }
    this.cached.set(url, entry)
    return reply(200, entry.body, { age: String(Math.floor((nowMs - entry.atMs) / 1000)) })
  }
}
