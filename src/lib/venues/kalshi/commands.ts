/** What we send on the Kalshi WebSocket. `id` is ours and only echoed; every update names exactly one sid. */

export type ClientCommand =
  | {
      readonly id: number
      readonly cmd: 'subscribe'
      readonly params: {
        readonly channels: readonly ['orderbook_delta']
        readonly market_tickers: readonly string[]
        readonly use_yes_price: boolean
      }
    }
  | {
      readonly id: number
      readonly cmd: 'subscribe'
      readonly params: { readonly channels: readonly ['market_lifecycle_v2'] }
    }
  | {
      readonly id: number
      readonly cmd: 'update_subscription'
      readonly params: {
        readonly sids: readonly [number]
        readonly market_tickers: readonly string[]
        readonly action: UpdateAction
      }
    }
  | {
      readonly id: number
      readonly cmd: 'unsubscribe'
      readonly params: { readonly sids: readonly number[] }
    }

export type UpdateAction = 'add_markets' | 'delete_markets' | 'get_snapshot'

/** The book channel. `use_yes_price` is always said, because the venue announced that its default will flip. */
export function subscribeBooks(id: number, tickers: readonly string[], useYesPrice: boolean): ClientCommand {
  return {
    id,
    cmd: 'subscribe',
    params: { channels: ['orderbook_delta'], market_tickers: tickers, use_yes_price: useYesPrice },
  }
}

/** Changes of every market and event: the channel takes no list. */
export function subscribeCatalog(id: number): ClientCommand {
  return { id, cmd: 'subscribe', params: { channels: ['market_lifecycle_v2'] } }
}

export function updateSubscription(
  id: number,
  sid: number,
  action: UpdateAction,
  tickers: readonly string[],
): ClientCommand {
  return { id, cmd: 'update_subscription', params: { sids: [sid], market_tickers: tickers, action } }
}

export function unsubscribe(id: number, sids: readonly number[]): ClientCommand {
  return { id, cmd: 'unsubscribe', params: { sids } }
}
