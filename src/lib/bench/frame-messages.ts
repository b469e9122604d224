/** What a benchmark of frames and its reading process tell each other. */

export type ToFrameReader =
  | {
      readonly type: 'join'
      readonly url: string
      readonly publisher: string
      readonly prefixes: readonly string[]
    }
  | { readonly type: 'count' }

export type FromFrameReader =
  { readonly type: 'joined' } | { readonly type: 'counted'; readonly received: number }
