import { describe, expect, it } from 'vitest'
import { KalshiFrames } from '../../../src/lib/bench/pipeline-frames.js'
import { BENCH_GAMES } from '../../../src/lib/bench/pipeline-markets.js'
import { parseFrame } from '../../../src/lib/venues/kalshi/frames.js'
import { BookSession } from '../../../src/lib/venues/kalshi/session.js'

const NOW_MS = 1_769_500_000_000
const OPTIONS = {
  useYesPrice: true,
  snapshotTimeoutMs: 1e9,
  quietMs: 1e9,
  silenceAnswerMs: 1e9,
  commandTimeoutMs: 1e9,
}

/** The books that a session makes of frames, as asks of YES; what is not a live book is an error. */
function asksOf(session: BookSession, frames: readonly Buffer[]): number[] {
  return frames.flatMap((bytes, index) =>
    session.onFrame(parseFrame(bytes), 1_000 + index).flatMap((effect) => {
      if (effect.kind === 'proof' || effect.kind === 'notice') return []
      if (effect.kind !== 'book' || effect.state !== 'LIVE') throw new Error(JSON.stringify(effect))
      return [effect.book.best('ask')?.[0] ?? 0]
    }),
  )
}

describe('frames of the pipeline benchmark', () => {
  const session = new BookSession(OPTIONS)
  const venue = new KalshiFrames()
  const [subscribe] = session.follow(
    BENCH_GAMES.map(({ kalshi }) => kalshi.marketId),
    1,
  )
  const id = subscribe?.kind === 'send' ? subscribe.command.id : 0

  it('are a subscription, and a live book of every market', () => {
    expect(asksOf(session, venue.opening(id))).toEqual(BENCH_GAMES.map(() => 5_300))
  })

  it.each([
    [500, 100],
    [500, 10],
    [1_001, 50],
    [64, 9],
  ])('%i of them offer YES cheaply once in %i, for one frame of its market', (count, every) => {
    const frames = venue.take(count, every, NOW_MS)
    expect(frames).toHaveLength(count)
    const asks = asksOf(
      session,
      frames.map(({ bytes }) => bytes),
    )
    // The last one of a market may be taken back by its first frame of the next stretch.
    expect(asks.map((ask) => ask === 4_200)).toEqual(frames.map(({ isEdge }) => isEdge))
    const edges = frames.filter(({ isEdge }) => isEdge).length
    expect(edges).toBeGreaterThanOrEqual(Math.floor(count / every))
    expect(edges).toBeLessThanOrEqual(Math.ceil(count / every) + 1)
  })
})
