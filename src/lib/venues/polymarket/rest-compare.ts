/**
 * When the books of a connection are compared with REST, and how: in one `POST /books`, and one by one where that is
 * refused or leaves a book out. At most one compare is under way.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { sanitize } from '../../core/sanitize.js'
import type { BookEvent } from './events.js'
import type { PolymarketMapper } from './mapper.js'
import { MAX_BOOKS, type BookAnswer, type PolymarketRest } from './rest.js'

export interface CompareTimings {
  /** When not every book was proved for this long, REST is asked for all of them. */
  readonly proofAfterMs: number
  /** Least time between the starts of two compares of one book. */
  readonly compareGapMs: number
  /** Least often that all books are compared: one alone may have gone silent. */
  readonly auditEveryMs: number
}

export interface CompareOptions {
  readonly timings: CompareTimings
  readonly mapper: PolymarketMapper
  readonly rest: Pick<PolymarketRest, 'book' | 'books'>
  readonly nowUs: () => number
  /** Books that were asked for at `askedUs`, our monotonic clock. */
  readonly onBooks: (books: readonly BookEvent[], askedUs: number) => void
  readonly onFailure: (text: string) => void
}

/** Between two `GET /book`: the venue allows 1,500 in ten seconds, and there may be several connections. */
const ONE_BY_ONE_GAP_MS = 25

export class RestCompare {
  private running: AbortController | undefined
  private startedUs = -Infinity
  private allStartedUs = -Infinity
  /** Why the last compare failed, so that the same reason is told once. */
  private failure = ''

  constructor(private readonly options: CompareOptions) {}

  /** Call a few times a second while the socket is open. */
  tick(unprovedUs: number): void {
    const { timings, mapper, nowUs } = this.options
    const [askedUs, gapUs] = [nowUs(), timings.compareGapMs * 1000]
    const sinceAllUs = askedUs - this.allStartedUs
    const isDue = unprovedUs >= timings.proofAfterMs * 1000 || sinceAllUs >= timings.auditEveryMs * 1000
    const all = isDue && sinceAllUs >= gapUs
    const doubted = mapper.doubts > 0 && askedUs - this.startedUs >= gapUs
    if (this.running !== undefined || !(all || doubted)) return
    const tokenIds = mapper.toCompare(all)
    if (tokenIds.length === 0) return
    this.startedUs = askedUs
    if (all) this.allStartedUs = askedUs
    void this.run(tokenIds)
  }

  /** An answer that comes after it is thrown away. */
  abort(): void {
    this.running?.abort()
    this.running = undefined
  }

  private async run(tokenIds: readonly string[]): Promise<void> {
    const controller = new AbortController()
    this.running = controller
    const failure = await this.askAll(tokenIds, controller.signal)
    if (this.running !== controller) return
    this.running = undefined
    if (failure !== '' && failure !== this.failure) this.options.onFailure(sanitize(failure, 200))
    this.failure = failure
  }

  /** Why books could not be had; empty when all were. */
  private async askAll(tokenIds: readonly string[], signal: AbortSignal): Promise<string> {
    const { rest } = this.options
    const missing = new Set(tokenIds)
    const reasons = new Set<string>()
    for (let from = 0; from < tokenIds.length; from += MAX_BOOKS) {
      const some = tokenIds.slice(from, from + MAX_BOOKS)
      const answer = await this.ask(() => rest.books(some, signal), missing, signal)
      if (answer.kind !== 'books') reasons.add(`POST /books: ${answer.reason}`)
      if (answer.kind === 'failed') return [...reasons].join(', ')
    }
    for (const tokenId of missing) {
      const answer = await this.ask(() => rest.book(tokenId, signal), missing, signal)
      if (answer.kind !== 'books') reasons.add(`GET /book: ${answer.reason}`)
      if (answer.kind === 'failed') break
      await sleep(ONE_BY_ONE_GAP_MS, undefined, { ref: false })
    }
    return [...reasons].join(', ')
  }

  private async ask(
    send: () => Promise<BookAnswer>,
    missing: Set<string>,
    signal: AbortSignal,
  ): Promise<BookAnswer> {
    if (signal.aborted) return { kind: 'failed', reason: 'given up' }
    const askedUs = this.options.nowUs()
    const answer = await send()
    if (signal.aborted || answer.kind !== 'books') return answer
    // What was not asked for proves nothing as of the question, nor does a second word on one book.
    const books = answer.books.filter(({ assetId }) => missing.delete(assetId))
    this.options.onBooks(books, askedUs)
    return answer
  }
}
