/**
 * Kalshi WebSocket commands, checked in the venue's order, with its error codes. Not told here: 9 (every handshake is
 * signed), 18 (nothing takes long), 19-23 (requests for quotes), 26 (500,000 markets: more than the simulator has); 6, 16
 * and 17 are retired. Markets by `market_id` are refused.
 */

import { parseJson, recordOf } from '../http-host.js'

/** Channels that carry a sequence number on their subscription. */
const SEQUENCED = new Set(['orderbook_delta', 'trade', 'market_lifecycle_v2', 'order_group_updates'])
const CHANNELS = new Set([
  ...SEQUENCED,
  'ticker',
  'fill',
  'user_orders',
  'market_positions',
  'multivariate_market_lifecycle',
  'communications',
])
/** Known channels that need parameters this simulator has no data for. */
const NEEDS_IDS: ReadonlyMap<string, ErrorCode> = new Map([
  ['cfbenchmarks_value', 24],
  ['cfbenchmarks_value_5hz', 24],
  ['pyth_value', 28],
])

export const isSequenced = (channel: string): boolean => SEQUENCED.has(channel)

const ERROR_TEXT = {
  1: 'Unable to process message',
  2: 'Params required',
  3: 'Channels required',
  4: 'Subscription IDs required',
  5: 'Unknown command',
  7: 'Unknown subscription ID',
  8: 'Unknown channel name',
  10: 'Channel error',
  11: 'Invalid parameter',
  12: 'Exactly one subscription ID is required',
  13: 'Unsupported action',
  14: 'Market Ticker required',
  15: 'Action required',
  24: 'Index IDs required',
  25: 'Subscription buffer overflow',
  27: 'Command rate limit exceeded',
  28: 'Underlying tickers required',
} as const
export type ErrorCode = keyof typeof ERROR_TEXT

export interface CommandError {
  readonly kind: 'error'
  readonly id: number | undefined
  readonly code: ErrorCode
  /** The subscription it was about, where that is known. */
  readonly sid?: number
}

export type Command =
  | {
      readonly kind: 'subscribe'
      readonly id: number | undefined
      readonly channels: readonly string[]
      /** Absent: every market. */
      readonly tickers: readonly string[] | undefined
      readonly useYesPrice: boolean
      readonly initialSnapshot: boolean
    }
  | {
      readonly kind: 'update'
      readonly id: number | undefined
      readonly sid: number
      readonly action: 'add_markets' | 'delete_markets' | 'get_snapshot'
      readonly tickers: readonly string[]
    }
  | { readonly kind: 'unsubscribe'; readonly id: number | undefined; readonly sids: readonly number[] }
  | { readonly kind: 'list'; readonly id: number | undefined }
  | CommandError

type Params = Readonly<Record<string, unknown>>

export const errorText = (code: ErrorCode): string => ERROR_TEXT[code]

/** One frame from a client. Whether sids and tickers exist is the session's to say. */
export function parseCommand(text: string): Command {
  const raw = recordOf(parseJson(text))
  if (raw === undefined) return { kind: 'error', id: undefined, code: 1 }
  const id = typeof raw['id'] === 'number' && Number.isSafeInteger(raw['id']) ? raw['id'] : undefined
  const command = raw['cmd']
  if (command === 'list_subscriptions') return { kind: 'list', id }
  if (command !== 'subscribe' && command !== 'update_subscription' && command !== 'unsubscribe') {
    return { kind: 'error', id, code: 5 }
  }
  const params = recordOf(raw['params'])
  if (params === undefined) return { kind: 'error', id, code: 2 }
  if (command === 'subscribe') return parseSubscribe(id, params)
  return command === 'unsubscribe' ? parseUnsubscribe(id, params) : parseUpdate(id, params)
}

function parseSubscribe(id: number | undefined, params: Params): Command {
  const error = (code: ErrorCode): CommandError => ({ kind: 'error', id, code })
  const channels = params['channels']
  if (channels === undefined || channels === null) return error(3)
  if (!isTextList(channels)) return error(11)
  if (channels.length === 0) return error(3)
  for (const channel of channels) {
    const needs = NEEDS_IDS.get(channel)
    if (needs !== undefined) return error(needs)
    if (!CHANNELS.has(channel)) return error(8)
  }
  const tickers = tickersOf(params)
  if (tickers === 'invalid') return error(11)
  const byId = params['market_id'] !== undefined || params['market_ids'] !== undefined
  if (byId) return error(11)
  if (channels.includes('orderbook_delta') && (tickers === undefined || tickers.length === 0))
    return error(14)
  if (channels.includes('market_lifecycle_v2') && tickers !== undefined) return error(11)
  const useYesPrice = params['use_yes_price'] ?? false
  const initialSnapshot = params['send_initial_snapshot'] ?? false
  if (typeof useYesPrice !== 'boolean' || typeof initialSnapshot !== 'boolean') return error(11)
  return { kind: 'subscribe', id, channels, tickers, useYesPrice, initialSnapshot }
}

function parseUnsubscribe(id: number | undefined, params: Params): Command {
  const sids = params['sids']
  if (sids === undefined || sids === null) return { kind: 'error', id, code: 4 }
  if (!isNumberList(sids)) return { kind: 'error', id, code: 11 }
  if (sids.length === 0) return { kind: 'error', id, code: 4 }
  return { kind: 'unsubscribe', id, sids }
}

function parseUpdate(id: number | undefined, params: Params): Command {
  const single = params['sid']
  const sids: unknown = params['sids'] ?? (single === undefined ? undefined : [single])
  if (sids === undefined || sids === null) return { kind: 'error', id, code: 4 }
  if (!isNumberList(sids)) return { kind: 'error', id, code: 11 }
  const [sid] = sids
  if (sid === undefined || sids.length !== 1 || (single !== undefined && params['sids'] !== undefined)) {
    return { kind: 'error', id, code: sids.length === 0 ? 4 : 12 }
  }
  const error = (code: ErrorCode): CommandError => ({ kind: 'error', id, code, sid })
  const action = params['action']
  if (action === undefined || action === null || action === '') return error(15)
  if (action !== 'add_markets' && action !== 'delete_markets' && action !== 'get_snapshot') return error(13)
  const tickers = tickersOf(params)
  if (tickers === 'invalid') return error(11)
  if (tickers === undefined || tickers.length === 0) return error(14)
  return { kind: 'update', id, sid, action, tickers }
}

function tickersOf(params: Params): readonly string[] | undefined | 'invalid' {
  const one = params['market_ticker']
  const many = params['market_tickers']
  if (one !== undefined && many !== undefined) return 'invalid'
  if (one !== undefined) return typeof one === 'string' && one !== '' ? [one] : 'invalid'
  if (many === undefined) return undefined
  return isTextList(many) ? many : 'invalid'
}

const isTextList = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string' && item !== '')

const isNumberList = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every((item) => Number.isSafeInteger(item))
