/** One connection to Polymarket's market channel: which tokens it follows, and what it is sent. */

import type { WebSocket } from 'ws'
import { parseJson, recordOf } from '../http-host.js'
import type { StatsCounter } from '../stats.js'

export interface MarketSessionOptions {
  readonly socket: WebSocket
  readonly stats: StatsCounter
  /** The `book` event of a token, as a subscription's initial dump holds it; undefined for unknown tokens. */
  readonly dump: (tokenId: string) => unknown
  /** Set when a tape plays instead of the scenario; called at the first subscription, returns what stops it. */
  readonly tape: ((send: (text: string) => void) => () => void) | undefined
}

export class MarketSession {
  private readonly tokens = new Set<string>()
  private customFeatures = false
  private stopTape: (() => void) | undefined

  constructor(private readonly options: MarketSessionOptions) {}

  close(): void {
    this.stopTape?.()
    this.tokens.clear()
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
      this.send('PONG')
      return
    }
    const raw = recordOf(parseJson(text))
    const ids: unknown = raw?.['assets_ids']
    if (raw === undefined || !isTextList(ids)) {
      this.options.stats.refuse('poly', 'ws_invalid')
      return
    }
    if (typeof raw['custom_feature_enabled'] === 'boolean')
      this.customFeatures = raw['custom_feature_enabled']
    if (raw['operation'] === 'unsubscribe') {
      for (const id of ids) this.tokens.delete(id)
    } else if (raw['operation'] === 'subscribe' || raw['type'] === 'market') {
      this.subscribe(ids, raw['initial_dump'] !== false)
    } else {
      this.options.stats.refuse('poly', 'ws_invalid')
    }
  }

  /** One frame: an object, or an array of objects. */
  emit(message: unknown): void {
    this.emitText(JSON.stringify(message))
  }

  private subscribe(ids: readonly string[], initialDump: boolean): void {
    for (const id of ids) this.tokens.add(id)
    if (this.options.tape !== undefined) {
      this.stopTape ??= this.options.tape((text) => this.emitText(text))
      return
    }
    if (!initialDump) return
    const books = ids.map((id) => this.options.dump(id)).filter((book) => book !== undefined)
    if (books.length > 0) this.emit(books)
  }

  private emitText(text: string): void {
    this.options.stats.countFrame()
    this.send(text)
  }

  private send(text: string): void {
    const { socket } = this.options
    if (socket.readyState === socket.OPEN) socket.send(text)
  }
}

const isTextList = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string' && item !== '')
