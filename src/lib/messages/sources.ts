/** Sources: the channels of the bus. A channel is one publisher and one family; its seq has no holes. */

import type { Venue } from '../model/venue.js'
import type { Family } from './topics.js'

const SOURCE = /^[a-z0-9.-]{1,64}$/
export const isSource = (text: string): boolean => SOURCE.test(text)

export const pricesSource = (venue: Venue): string => `${venue}.prices`
export const orderbookSource = (venue: Venue): string => `${venue}.orderbook`
export const GAMES_SOURCE = 'orchestrator.games'
export const signalsSource = (shard: number): string => `shard-${shard}.signals`
/** No family of the bus: the journal of what a shard took in. */
export const INPUTS = 'inputs'
export const inputsSource = (shard: number): string => `shard-${shard}.${INPUTS}`
export const ORDERS_SOURCE = 'exec.orders'
export const TRADES_SOURCE = 'exec.trades'

/** What the mirror and the shard call a sender of the first design, by the name of its endpoint. */
export const legacySource = (endpoint: string): string =>
  `legacy.${endpoint
    .toLowerCase()
    .replace(/^tcp:\/\//, '')
    .replace(/[^a-z0-9.-]+/g, '-')}`.slice(0, 64)

const RUN = /^[a-z0-9-]{1,32}$/
/** A replay's name, short enough for its sources. */
export const isRun = (text: string): boolean => RUN.test(text)
/** A source as a replay publishes it. */
export const replaySource = (run: string, source: string): string => `replay.${run}.${source}`
const REPLAYED = /^(replay\.[a-z0-9-]+\.)(.+)$/

/** The family of a source: its last segment. */
export const familyOfSource = (source: string): string => source.slice(source.lastIndexOf('.') + 1)

/** The topic prefix that covers everything a source publishes. */
export function topicPrefixOf(source: string): string {
  const [, run, original] = REPLAYED.exec(source) ?? []
  if (run !== undefined && original !== undefined) return run + topicPrefixOf(original)
  const publisher = source.slice(0, source.lastIndexOf('.'))
  const family = familyOfSource(source) as Family
  switch (family) {
    case 'prices':
    case 'orderbook':
      return `${family}.${publisher}.`
    case 'signals':
      return 'signals.trade.'
    case 'games':
    case 'orders':
    case 'trades':
      return `${family}.`
  }
}
