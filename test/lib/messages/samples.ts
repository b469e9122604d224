/** One valid payload of each kind, for tests. */

import type {
  GamesPayload,
  OrderbookPayload,
  OrdersPayload,
  PricesPayload,
  SignalsPayload,
  TradesPayload,
} from '../../../src/lib/messages/payloads.js'

export const prices: PricesPayload = {
  venue: 'kalshi',
  market_id: 'KXNBAGAME-26NOV22GSWUTA-UTA',
  selection: 'UTA',
  state: 'LIVE',
  yes_bid: 0.47,
  yes_ask: 0.52,
  yes_bid_size: 3,
  yes_ask_size: 2.5,
  book_seq: 7,
}

export const orderbook: OrderbookPayload = {
  venue: 'poly',
  market_id: '0xabc',
  state: 'EMPTY',
  bids: [[0.47, 3]],
  asks: [],
  book_seq: 7,
}

export const games: GamesPayload = {
  league: 'nba',
  game_id: '401',
  home: { code: 'UTAH', name: 'Utah Jazz', score: 90 },
  away: { code: 'GS', name: 'Golden State Warriors', score: 88 },
  status: 'live',
  period: 4,
  clock_s: 61.5,
  situation: { possession: 'home', yard_line: 34 },
  home_win_ppm: 612_000,
  start_ms: 1_769_500_000_000,
  markets: [
    {
      venue: 'poly',
      market_id: '0xabc',
      kind: 'moneyline',
      selection: 'GS',
      venue_selection: 'GSW',
      settlement: { overtime: 'included', tie: 'impossible', postponed: 'stays', canceled: 'half' },
      tick: 0.001,
      size_step: 0.01,
      min_size: 5,
      fee: { rate_ppm: 50_000, round_up_micros: 10 },
      taker_delay_ms: 1000,
      token_ids: ['1', '2'],
      neg_risk: false,
    },
    {
      venue: 'kalshi',
      market_id: 'KXNBAGAME-26NOV22GSWUTA-UTA',
      kind: 'moneyline',
      selection: 'UTAH',
      tick: 0.01,
      price_ranges: [
        [0, 0.1, 0.001],
        [0.1, 0.9, 0.01],
        [0.9, 1, 0.001],
      ],
      size_step: 0.01,
      min_size: 0.01,
      fee: { rate_ppm: 70_000, round_up_micros: 100 },
      taker_delay_ms: 0,
      exchange_index: 3,
    },
  ],
  shard: 0,
  shard_before: 1,
  shard_from_ms: 1_769_500_002_000,
  provider: 'espn',
  fetched_ms: 1_769_500_000_000,
}

export const signals: SignalsPayload = {
  id: 'abc',
  kind: 'cross-venue',
  game_id: '401',
  pair: 'p',
  legs: [{ venue: 'poly', market_id: '0xabc', outcome: 'yes', side: 'buy', limit: 0.45, size: 10 }],
  size: 10,
  gross_edge_micros: 100,
  fees_micros: 50,
  net_edge_micros: 50,
  worst_payout_micros: 10_000_000,
  inputs: [{ source: 'kalshi.prices', epoch: 1, seq: 2, age_us: 3 }],
  valid_ms: 1500,
}

export const orders: OrdersPayload = {
  mode: 'live',
  order_id: 'o',
  signal_id: 's',
  leg: 0,
  attempt: 0,
  venue: 'kalshi',
  market_id: 'T',
  outcome: 'no',
  side: 'buy',
  limit: 0.5,
  size: 10,
  state: 'denied',
  reason: 'ORDER_LIMIT',
  checks: [{ name: 'order_usd', value: 300, limit: 200 }],
}

export const trades: TradesPayload = {
  mode: 'paper',
  order_id: 'o',
  signal_id: 's',
  leg: 1,
  status: 'partial',
  filled_size: 3.5,
  cash_micros: 1_750_000,
  fees_micros: 1,
  venue_trade_ids: ['t'],
  latency_ms: 12.5,
}
