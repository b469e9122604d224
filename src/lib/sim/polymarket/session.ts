/** One connection to Polymarket's market channel: which tokens it follows, and what it is sent. */

import { parseJson, recordOf } from '../http-host.js'
import type { Line } from '../line.js'
import type { Prng } from '../prng.js'
import type { StatsCounter } from '../stats.js'
import { frameEvents } from './framing.js'

export interface MarketSessionOptions {
  readonly line: Line
  readonly stats: StatsCounter
  readonly prng: Prng
  /** The `book` event of a token, as a subscription's initial dump holds it; undefined for unknown tokens. */
  readonly dump: (tokenId: string) => unknown
  /** Set when a tape plays instead of the scenario; called at the first subscription, returns what stops it. */
  readonly tape: ((send: (text: string) => void) => () => void) | undefined
}

/** Tokens of a connection that get a dump: those above it get changes alone. */
const MAX_DUMPED = 500

export class MarketSession {
  private readonly tokens = new Set<string>()
  private readonly waiting: unknown[] = []
  private customFeatures = false
  private isSubscribed = false
  private stopTape: (() => void) | undefined

  constructor(private readonly options: MarketSessionOptions) {}

  close(): void {
    this.stopTape?.()
    this.tokens.clear()
    this.waiting.length = 0
  }

  /** `best_bid_ask`, `new_market` and `market_resolved` go only to those who asked for them. */
  get wantsCustom(): boolean {
    return this.customFeatures
  }

  follows(tokenIds: readonly string[]): boolean {
    return this.options.tape === undefined && tokenIds.some((tokenId) => this.tokens.has(tokenId))
  }

  onText(text: string): void {
    if (text === 'PING') {
      this.options.line.reply('PONG')
      return
    }
    const raw = recordOf(parseJson(text))
    const ids: unknown = raw?.['assets_ids']
    if (raw === undefined || !isTextList(ids)) {
      this.options.stats.refuse('poly', 'ws_invalid')
      return
    }
    const { operation, type, custom_feature_enabled: custom } = raw
    const isFirst = operation === undefined && type === 'market' && !this.isSubscribed
    if (!isFirst && operation !== 'subscribe' && operation !== 'unsubscribe') {
      // A second first message is refused too.
      this.options.stats.refuse('poly', 'ws_operation')
      this.options.line.reply('INVALID OPERATION')
      return
    }
    if (isFirst) this.isSubscribed = true
    if (typeof custom === 'boolean') this.customFeatures = custom
    if (operation === 'unsubscribe') for (const id of ids) this.tokens.delete(id)
    else this.subscribe(ids, raw['initial_dump'] !== false)
  }

  /** Sends an event, with others of the same moment. */
  emit(event: unknown): void {
    this.waiting.push(event)
    if (this.waiting.length === 1) queueMicrotask(() => this.flush())
  }

  private subscribe(ids: readonly string[], initialDump: boolean): void {
    const dumped = ids.filter((id) => {
      this.tokens.add(id)
      return this.tokens.size <= MAX_DUMPED
    })
    if (this.options.tape !== undefined) {
      this.stopTape ??= this.options.tape((text) => this.send(text))
      return
    }
    // What waits was told of books as they were before.
    this.flush()
    const books = dumped.map((id) => this.options.dump(id)).filter((book) => book !== undefined)
    if (initialDump && books.length > 0) this.send(JSON.stringify(books))
  }

  private flush(): void {
    const frames = frameEvents(this.waiting.splice(0), this.options.prng)
    for (const frame of frames) this.send(JSON.stringify(frame))
  }

  private send(text: string): void {
    this.options.stats.countFrame()
    this.options.line.data(text)
  }
}

const isTextList = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string' && item !== '')
