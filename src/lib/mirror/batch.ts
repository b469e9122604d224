/**
 * What one call writes, planned without I/O: from the position that Redis holds and what waits in the queue to an
 * unbroken run of records, gaps and changes of epoch. A hole is derived here, from what Redis has and what comes next,
 * so a message is either written or covered by a gap record, whatever went wrong on the way.
 */

/** How far a channel got. */
export interface Position {
  readonly epoch: number
  readonly seq: number
}

/** What the checkpoint says. */
export interface Checkpoint extends Position {
  /** The source said that its epoch ends at `seq`. */
  readonly closed: boolean
}

/** No checkpoint: before every epoch. */
export const NOWHERE: Checkpoint = { epoch: 0, seq: 0, closed: false }

export const isBefore = (a: Position, b: Position): boolean =>
  a.epoch < b.epoch || (a.epoch === b.epoch && a.seq < b.seq)
export const laterOf = <T extends Position>(a: T, b: T): T => (isBefore(a, b) ? b : a)

/** A message to write. */
export interface MirrorRecord extends Position {
  readonly kind: 'record'
  /** Key of the stream that it goes to. */
  readonly stream: string
  readonly topic: string
  /** The envelope as it came. */
  readonly data: Buffer
  /** The string that holds the newest of this topic, and when it ends (Unix ms). */
  readonly snapshot?: { readonly key: string; readonly expireAtMs: number }
}

/** What waits in the queue, in order. */
export type Entry =
  | MirrorRecord
  /** The source says that it got so far: what has not come by now will not. */
  | (Position & { readonly kind: 'reached'; readonly closed: boolean })
  /** Thrown away here, `from` to `seq`. */
  | (Position & { readonly kind: 'dropped'; readonly from: number })

/**
 * Why something is missing: never came over the bus; the mirror was not there; the queue overflowed; Redis lost what it
 * had; the source was restarted and nobody knows how far it got.
 */
type GapReason = 'missed' | 'mirror_down' | 'overflow' | 'redis_lost' | 'epoch_end_unknown'

/** A hole within an epoch, from `from` to `to`. */
interface GapItem {
  readonly kind: 'gap'
  readonly epoch: number
  readonly from: number
  readonly to: number
  readonly reason: GapReason
}

/** One step of a call. Each begins where the one before it ended. */
export type Item =
  | MirrorRecord
  | GapItem
  /** Leaves epoch `from`; with a reason when its end beyond the position is unknown: a gap without an end. */
  | { readonly kind: 'epoch'; readonly from: number; readonly to: number; readonly reason: GapReason | null }
  /** The source said that its epoch ends here. */
  | (Position & { readonly kind: 'closed' })

/** What this life of the mirror knows about holes. */
export interface Knowledge {
  /** The furthest that Redis ever confirmed to us. */
  readonly written: Position
  /** Where the channel stood when we first heard of it. */
  readonly contact: Position
}

/** Plans the call that moves `start` past every entry; entries at or before it add nothing. */
export function planBatch(start: Checkpoint, entries: readonly Entry[], knowledge: Knowledge): Item[] {
  const items: Item[] = []
  let at: Checkpoint = start
  for (const entry of entries) {
    if (entry.epoch < at.epoch) continue
    if (entry.epoch > at.epoch) {
      items.push({ kind: 'epoch', from: at.epoch, to: entry.epoch, reason: endReason(at, knowledge) })
      at = { epoch: entry.epoch, seq: 0, closed: false }
    }
    const { epoch } = entry
    const skipTo = (seq: number, reason?: GapReason) => {
      if (seq <= at.seq) return
      items.push(
        ...(reason === undefined
          ? explainHole(epoch, at.seq + 1, seq, knowledge)
          : [{ kind: 'gap' as const, epoch, from: at.seq + 1, to: seq, reason }]),
      )
      at = { epoch, seq, closed: false }
    }
    switch (entry.kind) {
      case 'record':
        if (entry.seq <= at.seq) break
        skipTo(entry.seq - 1)
        items.push(entry)
        at = { epoch, seq: entry.seq, closed: false }
        break
      case 'dropped':
        skipTo(entry.from - 1)
        skipTo(entry.seq, 'overflow')
        break
      case 'reached':
        skipTo(entry.seq)
        if (entry.closed && !at.closed && at.seq === entry.seq) {
          items.push({ kind: 'closed', epoch, seq: entry.seq })
          at = { ...at, closed: true }
        }
        break
    }
  }
  return items
}

/** Where a planned call ends. */
export function endOf(item: Item): Position {
  switch (item.kind) {
    case 'record':
    case 'closed':
      return item
    case 'gap':
      return { epoch: item.epoch, seq: item.to }
    case 'epoch':
      return { epoch: item.to, seq: 0 }
  }
}

/** Why the end of the epoch at `at` is unknown; null when it is known, or when there was none before. */
function endReason(at: Checkpoint, { written }: Knowledge): GapReason | null {
  if (at.epoch === 0 || at.closed) return null
  return isBefore(at, written) ? 'redis_lost' : 'epoch_end_unknown'
}

/** Cuts the hole where its reason changes: what Redis had, what passed before we listened, what never came. */
function explainHole(epoch: number, from: number, to: number, knowledge: Knowledge): GapItem[] {
  const lastWithin = ({ epoch: limitEpoch, seq }: Position): number =>
    limitEpoch > epoch ? to : limitEpoch === epoch ? Math.min(seq, to) : 0
  const gaps: GapItem[] = []
  let next = from
  const cover = (last: number, reason: GapReason) => {
    if (last < next) return
    gaps.push({ kind: 'gap', epoch, from: next, to: last, reason })
    next = last + 1
  }
  cover(lastWithin(knowledge.written), 'redis_lost')
  cover(lastWithin(knowledge.contact), 'mirror_down')
  cover(to, 'missed')
  return gaps
}
