/** The market channel's news of whole markets: that one is listed, and how one ended. */

import type { PolyMarket } from '../market.js'
import { priceText } from './text.js'

function eventMessage({ game, slug }: PolyMarket): unknown {
  const title = `${game.away.name} vs. ${game.home.name}`
  return { id: String(500_000 + game.index), ticker: slug, slug, title, description: '' }
}

export function newMarket(market: PolyMarket, timestamp: string): unknown {
  const { game, slug } = market
  return {
    event_type: 'new_market',
    id: String(900_000 + game.index),
    question: `${game.away.name} vs. ${game.home.name}`,
    market: market.id,
    slug,
    description: '',
    assets_ids: market.tokenIds,
    outcomes: [game.away.name, game.home.name],
    event_message: eventMessage(market),
    timestamp,
    tags: [game.league],
    condition_id: market.id,
    active: true,
    clob_token_ids: market.tokenIds,
    sports_market_type: 'moneyline',
    line: '',
    game_start_time: new Date(game.startMs).toISOString(),
    order_price_min_tick_size: priceText(market.tickE4),
    group_item_title: '',
    taker_base_fee: '1000',
    fees_enabled: true,
    fee_schedule: { exponent: 1, rate: 0.05, taker_only: true, rebate_rate: 0.15 },
  }
}

export function marketResolved(market: PolyMarket, timestamp: string): unknown {
  const winner = market.result === 'yes' ? 0 : 1
  const { game } = market
  return {
    event_type: 'market_resolved',
    id: String(900_000 + game.index),
    market: market.id,
    assets_ids: market.tokenIds,
    winning_asset_id: market.tokenIds[winner],
    winning_outcome: winner === 0 ? game.away.name : game.home.name,
    event_message: eventMessage(market),
    timestamp,
    tags: [game.league],
  }
}
