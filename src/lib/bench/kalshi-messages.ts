/** What `arbees bench kalshi` and its processes tell each other. */

/** Starts the simulated venue: every account has the largest usage tier that the venue knows. */
export interface ToKalshiVenue {
  readonly type: 'start'
  readonly keys: readonly { readonly keyId: string; readonly publicKey: string }[]
}

/** It stands, and this market is open there. */
export interface FromKalshiVenue {
  readonly type: 'listening'
  readonly baseUrl: string
  readonly marketId: string
  readonly exchangeIndex: number
}
