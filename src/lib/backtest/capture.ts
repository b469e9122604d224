/** What became of plans: counts, sizes x 100, micro-dollars. */

export interface Capture {
  signals: number
  /** The opening order would have come after the signal expired: it is not sent. */
  expired: number
  /** A plan of that pair and orientation was still open. */
  denied: number
  /** The opening leg found nothing. */
  missed: number
  /** Every leg filled, to the last share. */
  whole: number
  /** Something filled, and not all of it in every leg. */
  part: number
  /** Still under way when the data ended; in the figures below where something had filled, and counted above nowhere. */
  inFlight: number
  plannedE2: number
  hedgedE2: number
  /** Unhedged, and sold at the bid, at the end of the data at the latest. */
  closedE2: number
  /** Unhedged, and nobody bid for it: worth nothing. */
  writtenOffE2: number
  /** What the signals promised. */
  plannedMicros: number
  /** Worst payout and proceeds, less cost and fees. */
  pnlMicros: number
  feesMicros: number
  /** The part of `pnlMicros` that what stayed unhedged cost. */
  unhedgedMicros: number
}

export const noCapture = (): Capture => ({
  ...{ signals: 0, expired: 0, denied: 0, missed: 0, whole: 0, part: 0, inFlight: 0 },
  ...{ plannedE2: 0, hedgedE2: 0, closedE2: 0, writtenOffE2: 0 },
  ...{ plannedMicros: 0, pnlMicros: 0, feesMicros: 0, unhedgedMicros: 0 },
})

export function addCapture(sum: Capture, added: Capture): void {
  for (const name of Object.keys(sum) as (keyof Capture)[]) sum[name] += added[name]
}
