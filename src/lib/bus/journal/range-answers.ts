/**
 * Answers to range requests, from the segments and the index of epochs. Knows no disk: a segment that is not in memory
 * is named, and whoever asked brings its bytes.
 */

import type { Position } from '../position.js'
import type { HoleReason, RangeReply, RangeRequest } from '../range.js'
import type { EpochIndex } from './epoch-index.js'
import { indexSegment } from './segment-index.js'
import type { ChunkLimits, SegmentContent } from './segment-index.js'
import type { Segment } from './segments.js'

/** A range reply whose records are still bytes: `count` whole ones, one behind the other. Records or a hole, never both. */
export interface RangeAnswer extends Omit<RangeReply<never>, 'records'> {
  readonly kind: 'answer'
  readonly count: number
  readonly bytes: Buffer
}

/** The segment must be brought first (`loaded`). */
export interface LoadFirst {
  readonly kind: 'load'
  readonly segment: string
}

/** Segments that were read from disk are kept for the next request, so many. */
const MAX_LOADED = 2

const NOTHING = Buffer.alloc(0)

export class RangeAnswers {
  private readonly loads = new Map<string, SegmentContent>()

  constructor(
    private readonly epochs: EpochIndex,
    /** In order of positions; the owner adds and removes. */
    private readonly segments: readonly Segment[],
  ) {}

  /** The oldest message that is kept. */
  get oldest(): Position | null {
    const [oldest] = this.segments
    if (oldest === undefined || oldest.first > (this.epochs.get(oldest.epoch)?.last ?? 0)) return null
    return { epoch: oldest.epoch, seq: oldest.first }
  }

  answer(request: RangeRequest, limits: ChunkLimits): RangeAnswer | LoadFirst {
    const { epoch, from } = request
    const entry = this.epochs.get(epoch)
    const { last, end } = entry ?? { last: 0, end: null }
    const base = {
      kind: 'answer',
      ...{ epoch, from, known: entry !== undefined, last, end, next: this.epochs.next(epoch) },
    } as const
    const to = Math.min(request.to ?? last, last)
    if (from > to) return { ...base, count: 0, bytes: NOTHING, hole: null }
    const segment = this.segments.findLast((each) => each.epoch === epoch && each.first <= from)
    let resumesAt: number | null = null
    if (segment !== undefined) {
      const content = segment.content ?? this.loads.get(segment.name)
      if (content === undefined) return { kind: 'load', segment: segment.name }
      const chunk = content.read(from, to, limits)
      if (chunk.count > 0) return { ...base, count: chunk.count, bytes: chunk.bytes, hole: null }
      resumesAt = chunk.resumesAt
    }
    resumesAt ??= this.segments.find((each) => each.epoch === epoch && each.first > from)?.first ?? last + 1
    const hole = this.holeReason({ epoch, seq: from }, Math.min(to, resumesAt - 1))
    return { ...base, count: 0, bytes: NOTHING, hole }
  }

  /** The bytes of a segment that an answer asked for. */
  loaded(name: string, bytes: Buffer): void {
    const segment = this.segments.find((each) => each.name === name)
    if (segment === undefined) return
    this.loads.delete(name)
    for (const oldest of [...this.loads.keys()].slice(0, Math.max(0, this.loads.size - MAX_LOADED + 1))) {
      this.loads.delete(oldest)
    }
    this.loads.set(name, indexSegment(bytes, { epoch: segment.epoch, seq: segment.first }))
  }

  /** Why the messages from `at` on are missing, and how far that reason holds, at most to `to`. */
  private holeReason(
    { epoch, seq }: Position,
    to: number,
  ): { readonly to: number; readonly reason: HoleReason } {
    const lost = this.epochs.lost.filter((each) => each.epoch === epoch && each.to >= seq && each.from <= to)
    const here = lost.find(({ from }) => from <= seq)
    if (here !== undefined) return { to: Math.min(to, here.to), reason: 'degraded' }
    const until = Math.min(to, ...lost.map(({ from }) => from - 1))
    const [oldest] = this.segments
    const isOlder =
      oldest === undefined || epoch < oldest.epoch || (epoch === oldest.epoch && seq < oldest.first)
    return { to: until, reason: isOlder ? 'retention' : 'corrupt' }
  }
}
