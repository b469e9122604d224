/** Reads a range of what crossed the bus through `GamesScorer`. */

import { setImmediate } from 'node:timers/promises'
import type { LoadedSettings } from '../core/config.js'
import { formatCount } from '../view/units.js'
import { GamesScorer } from './games-score.js'
import type { GamesScore } from './games-score.js'
import { openOrigin } from './run-replay.js'
import type { ReplayFrom } from './run-replay.js'

export interface ScoreGamesOptions {
  readonly loaded: LoadedSettings
  readonly from: ReplayFrom['kind']
  /** With `file`: its path. */
  readonly file: string | undefined
  readonly league: string | undefined
  readonly sinceMs: number | undefined
  readonly untilMs: number | undefined
  /** One line, without its newline. */
  readonly talk: (line: string) => void
  /** Ends it early, with what was read. */
  readonly signal: AbortSignal
}

/** Streams of Redis that are read. */
const STREAMS = ['games:events', 'prices:kalshi', 'prices:poly']

const PROGRESS_MS = 2_000

/** Throws what the origin throws. */
export async function scoreGames({
  loaded,
  from,
  file,
  league,
  sinceMs,
  untilMs,
  talk,
  signal,
}: ScoreGamesOptions): Promise<GamesScore> {
  const names = from === 'redis' ? STREAMS : file === undefined ? [] : [file]
  let refused = 0
  const origin = openOrigin({ kind: from, names, sinceMs, untilMs, follow: false }, loaded, {
    onProblem: () => (refused += 1),
    talk,
  })
  const scorer = new GamesScorer(loaded.settings.env)
  let read = 0
  const progress = setInterval(() => talk(`${formatCount(read)} messages read`), PROGRESS_MS)
  try {
    for await (const page of origin(signal)) {
      if (signal.aborted) break
      scorer.apply(page)
      read += page.length
      // Journals are read without a pause: signals and progress have their turn.
      await setImmediate()
    }
  } finally {
    clearInterval(progress)
  }
  if (refused > 0) talk(`${formatCount(refused)} entries could not be read and were left out`)
  return scorer.score(league)
}
