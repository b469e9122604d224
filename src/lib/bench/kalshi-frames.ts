/** A Kalshi connection without its socket: the monitor's own parser, session and book. */

import { systemClock } from '../core/clock.js'
import { ArbeesError } from '../core/errors.js'
import { parseFrame } from '../venues/kalshi/frames.js'
import { BookSession } from '../venues/kalshi/session.js'
import type { FrameSource } from './frame-runs.js'
import { KalshiFrames } from './pipeline-frames.js'
import { BENCH_GAMES } from './pipeline-markets.js'

/** One in so many makes an edge, as in the pipeline. */
const EDGE_EVERY = 50

export function kalshiSource(): FrameSource {
  const frames = new KalshiFrames()
  const session = new BookSession({
    useYesPrice: true,
    snapshotTimeoutMs: 2_000,
    quietMs: 5_000,
    silenceAnswerMs: 2_000,
    commandTimeoutMs: 5_000,
  })
  const markets = new Map(BENCH_GAMES.map(({ kalshi }) => [kalshi.marketId, kalshi]))
  return {
    opening: () => {
      const subscribe = session
        .follow(markets.keys(), systemClock.monoUs())
        .find(({ kind }) => kind === 'send')
      if (subscribe?.kind !== 'send') throw new ArbeesError('BENCH_FAILED', 'nothing was subscribed to')
      return frames.opening(subscribe.command.id)
    },
    take: (count) => frames.take(count, EDGE_EVERY, systemClock.nowMs()).map(({ bytes }) => bytes),
    onFrame: (bytes, recvUs, announce) => {
      for (const effect of session.onFrame(parseFrame(bytes), recvUs)) {
        const market = effect.kind === 'book' ? markets.get(effect.ticker) : undefined
        if (effect.kind !== 'book' || market === undefined) {
          if (effect.kind === 'proof' || effect.kind === 'notice') continue
          throw new ArbeesError('BENCH_FAILED', `unexpected: ${JSON.stringify(effect)}`)
        }
        const { book, state, venueMs } = effect
        announce({ market, book, state, recvUs, ...(venueMs === undefined ? {} : { venueMs }) })
      }
    },
  }
}
