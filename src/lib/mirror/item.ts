/** What one call writes: an unbroken run of records, gaps and changes of epoch, as a channel's reader gives them. */

import type { ReaderItem } from '../bus/channel-reader.js'
import type { Position } from '../bus/position.js'

/** A message on its way into Redis; where it stands in its channel is said beside it. */
export interface MirrorRecord {
  /** Key of the stream that it goes to. */
  readonly stream: string
  readonly topic: string
  /** The envelope as it came. */
  readonly data: Buffer
  /** The string that holds the newest of this topic, and when it ends (Unix ms). */
  readonly snapshot?: { readonly key: string; readonly expireAtMs: number }
}

/** One step of a call. Each begins where the one before it ended. */
export type Item = ReaderItem<MirrorRecord>

/** A step that leaves a record in `arbees:gaps`. */
export type GapStep = Extract<Item, { readonly kind: 'gap' | 'epoch' }>

export const isGap = (item: Item): item is GapStep =>
  item.kind === 'gap' || (item.kind === 'epoch' && item.reason !== null)

/** Where the channel stands behind it. */
export function endOf(item: Item): Position {
  switch (item.kind) {
    case 'record':
    case 'closed':
      return { epoch: item.epoch, seq: item.seq }
    case 'gap':
      return { epoch: item.epoch, seq: item.to }
    case 'epoch':
      return { epoch: item.to, seq: 0 }
  }
}

/** What a message weighs while it waits: its envelope, its other fields and the objects around them. */
export const weightOf = (record: MirrorRecord): number => record.data.length + OVERHEAD_BYTES
const OVERHEAD_BYTES = 200
