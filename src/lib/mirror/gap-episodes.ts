/**
 * One alarm for a run of gaps on a channel, however many records it makes: the first is told at once, the others are
 * counted until the channel has been quiet. Pure.
 */

import type { GapStep } from './item.js'

export interface GapEpisode {
  readonly source: string
  readonly gaps: number
  /** Messages that are missing for certain; an unknown end adds none. */
  readonly messages: number
  readonly isExact: boolean
  /** From its first gap to its last. */
  readonly lastedMs: number
}

interface OpenEpisode extends Omit<GapEpisode, 'lastedMs'> {
  readonly firstMs: number
  readonly lastMs: number
}

/** A channel without a new gap for so long has come to the end of its episode. */
const QUIET_MS = 5_000

export class GapEpisodes {
  private readonly open = new Map<string, OpenEpisode>()

  /** True for the gap that begins an episode. */
  note(source: string, gap: GapStep, nowMs: number): boolean {
    const before = this.open.get(source)
    const messages = missingIn(gap)
    this.open.set(source, {
      source,
      gaps: (before?.gaps ?? 0) + 1,
      messages: (before?.messages ?? 0) + (messages ?? 0),
      isExact: (before?.isExact ?? true) && messages !== undefined,
      firstMs: before?.firstMs ?? nowMs,
      lastMs: nowMs,
    })
    return before === undefined
  }

  /** Episodes that are over by now, each given out once. */
  takeEnded(nowMs: number): GapEpisode[] {
    const ended = [...this.open.values()].filter(({ lastMs }) => nowMs - lastMs >= QUIET_MS)
    for (const { source } of ended) this.open.delete(source)
    return ended.map(({ firstMs, lastMs, ...episode }) => ({ ...episode, lastedMs: lastMs - firstMs }))
  }
}

/** Undefined where nobody knows how far it goes. */
const missingIn = (gap: GapStep): number | undefined =>
  gap.kind === 'gap' ? gap.to - gap.from + 1 : undefined
