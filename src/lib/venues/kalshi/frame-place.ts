/** Where a frame stands in its subscription, also when it maps to nothing. */

import { sanitize } from '../../core/sanitize.js'
import type { FrameVerdict } from '../ports.js'
import { integerOf, type JsonObject } from './wire.js'

/** Where a frame stands: its subscription, and its place in that subscription's sequence. */
export interface FramePlace {
  readonly sid: number | undefined
  readonly seq: number | undefined
}

/** A frame that maps to nothing. `type` is its own word for itself, where it could be read. */
export type PlacedVerdict = FrameVerdict & FramePlace & { readonly type: string | undefined }

export const idOf = (frame: JsonObject): number | undefined => integerOf(frame['id'], 0)
export const sidOf = (frame: JsonObject): number | undefined => integerOf(frame['sid'], 1)
export const seqOf = (frame: JsonObject): number | undefined => integerOf(frame['seq'], 0)

export function place(frame: JsonObject, type: string): FramePlace & { readonly type: string } {
  return { sid: sidOf(frame), seq: seqOf(frame), type: sanitize(type, 64) }
}

const NOWHERE = { sid: undefined, seq: undefined, type: undefined } as const

export function refused(
  reason: string,
  detail: string,
  at: FramePlace & { readonly type: string | undefined } = NOWHERE,
): PlacedVerdict {
  return { kind: 'refused', reason, detail: sanitize(detail, 120), sid: at.sid, seq: at.seq, type: at.type }
}
