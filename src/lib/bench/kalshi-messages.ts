/** What `arbees bench kalshi` and its reading process tell each other. */

export type ToKalshiReader = { readonly type: 'join'; readonly url: string } | { readonly type: 'count' }

export type FromKalshiReader =
  { readonly type: 'joined' } | { readonly type: 'counted'; readonly received: number }
