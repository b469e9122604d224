/**
 * Every name that arbees uses in Redis, as the first design names them. Outside prod each is prefixed by its env
 * (`sim:prices:kalshi`); orders and trades of paper mode also by `paper:`, after the env
 * (`demo:paper:orders:history`).
 */

import { ArbeesError } from '../core/errors.js'
import { MODES, VENUES, isVenue } from '../model/venue.js'
import type { Env, Mode, Venue } from '../model/venue.js'

/** Printable ASCII without space: a key ends up in terminals and logs. */
const PART = /^[\x21-\x7e]{1,200}$/

export interface RedisKeys {
  /** A stream a venue for prices and books, one each for the rest. */
  prices(venue: Venue): string
  orderbook(venue: Venue): string
  gameEvents(): string
  signals(): string
  orders(mode: Mode): string
  trades(mode: Mode): string
  /** Where messages of a source go: those of orders and trades by their mode; none for strangers. */
  streamsOf(source: string): readonly string[]
  /** Every stream of messages. */
  streams(): readonly string[]
  /** String: the newest envelope of a game. */
  game(league: string, gameId: string): string
  /** The game that a market pays on, by market id. */
  marketGame(marketId: string): string
  /** Hash `epoch, seq`, and `closed` once the source said that its epoch ends there. */
  checkpoint(source: string): string
  /** Stream of everything that is missing: `channel, epoch, from, to, reason`. */
  gaps(): string
  /** Of a publisher, or the mirror: the monitors are `monitor`, a shard's instance is its index. */
  health(publisher: string): string
  /** Pattern, not a key: the health of everyone. */
  everyHealth(): string
  halt(): string
  /** Channel, not a key: a market's bare price. Games and signals are published on the names of their keys. */
  priceChannel(venue: Venue, marketId: string): string
}

/** The keys of an env. Every function throws `BAD_KEY` for a part with whitespace or control characters. */
export function redisKeys(env: Env): RedisKeys {
  const prefix = env === 'prod' ? '' : `${env}:`
  const key = (...parts: readonly string[]): string => prefix + parts.map(checkedPart).join(':')
  const history = (mode: Mode, family: string): string =>
    mode === 'paper' ? key('paper', family, 'history') : key(family, 'history')
  return {
    prices: (venue) => key('prices', venue),
    orderbook: (venue) => key('orderbook', venue),
    gameEvents: () => key('games', 'events'),
    signals: () => key('signals', 'trades'),
    orders: (mode) => history(mode, 'orders'),
    trades: (mode) => history(mode, 'trades'),
    streamsOf: (source) => {
      const [publisher = '', family = ''] = source.split('.')
      switch (family) {
        case 'prices':
        case 'orderbook':
          return isVenue(publisher) ? [key(family, publisher)] : []
        case 'games':
          return [key('games', 'events')]
        case 'signals':
          return [key('signals', 'trades')]
        case 'orders':
        case 'trades':
          return MODES.map((mode) => history(mode, family))
        default:
          return []
      }
    },
    streams: () => [
      ...['prices', 'orderbook'].flatMap((family) => VENUES.map((venue) => key(family, venue))),
      key('signals', 'trades'),
      key('games', 'events'),
      ...['orders', 'trades'].flatMap((family) => MODES.map((mode) => history(mode, family))),
    ],
    game: (league, gameId) => key('games', league, gameId),
    marketGame: (marketId) => key('market', marketId, 'game_id'),
    checkpoint: (source) => key('arbees', 'checkpoint', source),
    gaps: () => key('arbees', 'gaps'),
    health: (publisher) => {
      if (isVenue(publisher)) return key('arbees', 'health', 'monitor', publisher)
      const shard = /^shard-(\d+)$/.exec(publisher)?.[1]
      return shard === undefined
        ? key('arbees', 'health', publisher, '0')
        : key('arbees', 'health', 'shard', shard)
    },
    everyHealth: () => key('arbees', 'health', '*'),
    halt: () => key('arbees', 'halt'),
    priceChannel: (venue, marketId) => key('prices', venue, marketId),
  }
}

function checkedPart(part: string): string {
  if (!PART.test(part)) {
    throw new ArbeesError('BAD_KEY', `not part of a Redis key: ${JSON.stringify(part.slice(0, 80))}`)
  }
  return part
}
