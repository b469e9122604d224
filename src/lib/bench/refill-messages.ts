/** What the pulling process of the refill benchmark and its parent tell each other. */

import type { PublisherEndpoint } from '../bus/endpoints.js'

export type ToPuller =
  | {
      readonly type: 'pull'
      readonly endpoint: PublisherEndpoint
      readonly source: string
      readonly epoch: number
      /** Everything from 1 to here, over and over. */
      readonly last: number
    }
  | { readonly type: 'stop' }

export type FromPuller =
  | {
      readonly type: 'pulled'
      readonly messages: number
      readonly bytes: number
      /** Requests that had no answer in time. */
      readonly unanswered: number
      readonly perSecond: number
      readonly maxRssMib: number
    }
  | { readonly type: 'failed'; readonly message: string }
