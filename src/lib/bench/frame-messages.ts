/** What a benchmark of frames and its reading process tell each other. */

import type { Venue } from '../model/venue.js'

export type ToFrameReader =
  { readonly type: 'join'; readonly url: string; readonly publisher: Venue } | { readonly type: 'count' }

export type FromFrameReader =
  { readonly type: 'joined' } | { readonly type: 'counted'; readonly received: number }
