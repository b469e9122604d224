/** A fault, as the runner takes it. */

import type { Family, Round, StageOptions } from './stage.js'
import { Stage } from './stage.js'
import type { ControlExpectation, Expectation, Outcome } from './verdict.js'

export interface FaultCase {
  /** `bus/reader-kill-burst`. */
  readonly name: string
  readonly family: Family | 'exec' | 'shard' | 'kalshi' | 'polymarket'
  /** About how long a round takes on a quiet machine: the longest begin first. */
  readonly aboutMs: number
  /** It measures: nothing runs beside it. */
  readonly alone?: boolean
  readonly needs?: 'network' | 'small-disk'
  readonly expected: Expectation
  readonly run: (round: Round) => Promise<Outcome>
}

export interface StagedCase {
  /** Without its family. */
  readonly name: string
  readonly aboutMs: number
  readonly alone?: boolean
  readonly control: ControlExpectation
  readonly atLeastSent: number
  /** 0 unless said. */
  readonly gapped?: Expectation['gapped']
  readonly stage?: StageOptions
  /** Begins after both sides hear the publisher. */
  readonly play: (stage: Stage) => Promise<Outcome>
}

/** A case that plays on a stage of its own. */
export function staged(family: Family, { name, aboutMs, alone, control, ...rest }: StagedCase): FaultCase {
  const { atLeastSent, gapped = 0, stage: options = {}, play } = rest
  return {
    name: `${family}/${name}`,
    family,
    aboutMs,
    ...(alone === undefined ? {} : { alone }),
    ...(options.network === true ? { needs: 'network' as const } : {}),
    ...(options.diskMegabytes === undefined ? {} : { needs: 'small-disk' as const }),
    expected: { control, atLeastSent, gapped },
    run: async (round) => {
      const stage = await Stage.set(family, round, options)
      try {
        await stage.begin()
        return await play(stage)
      } finally {
        await stage.close()
      }
    },
  }
}

/** Where in a second a fault strikes differs from round to round. */
export const jitter = (ms: number): number => Math.random() * ms
