/** Sources: the channels of the bus. A channel is one publisher and one family; its seq has no holes. */

import type { Venue } from '../model/venue.js'
import type { Family } from './topics.js'

const SOURCE = /^[a-z0-9.-]{1,64}$/
export const isSource = (text: string): boolean => SOURCE.test(text)

export const pricesSource = (venue: Venue): string => `${venue}.prices`
export const orderbookSource = (venue: Venue): string => `${venue}.orderbook`
export const GAMES_SOURCE = 'orchestrator.games'
export const signalsSource = (shard: number): string => `shard-${shard}.signals`
/** No channel: the journal of what a shard took in. */
export const inputsSource = (shard: number): string => `shard-${shard}.inputs`
export const ORDERS_SOURCE = 'exec.orders'
export const TRADES_SOURCE = 'exec.trades'

/** What the mirror and the shard call a sender of the first design, by the name of its endpoint. */
export const legacySource = (endpoint: string): string =>
  `legacy.${endpoint
    .toLowerCase()
    .replace(/^tcp:\/\//, '')
    .replace(/[^a-z0-9.-]+/g, '-')}`.slice(0, 64)

/** The family of a source: its last segment. */
export const familyOfSource = (source: string): string => source.slice(source.lastIndexOf('.') + 1)

/** The topic prefix that covers everything a source publishes. */
export function topicPrefixOf(source: string): string {
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
