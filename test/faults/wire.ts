/** Reads an envelope without our codec: what a control understands, and what the harness believes. */

import type { Sighting } from './tally.js'

interface PriceEnvelope {
  readonly epoch: number
  readonly seq: number
  readonly payload: { readonly book_seq: number }
}

export function sightingOf(body: Buffer | string): Sighting {
  const { epoch, seq, payload } = JSON.parse(body.toString()) as PriceEnvelope
  return { epoch, seq, n: payload.book_seq }
}
