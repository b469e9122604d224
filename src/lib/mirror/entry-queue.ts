/** What waits to be written, in order and bounded: when it is full the oldest records go, and stay known as dropped. */

import type { Entry } from './batch.js'

export interface QueueLimits {
  readonly records: number
  readonly bytes: number
}

/** Adjacent pieces are one; this many apart are possible only with as many holes between them. */
const MAX_DROPPED_PIECES = 1_000
/** Fields of a message beside its envelope, and the object itself. */
const OVERHEAD_BYTES = 200

type Dropped = Extract<Entry, { readonly kind: 'dropped' }>

export class EntryQueue {
  private dropped: Dropped[] = []
  private entries: Entry[] = []
  private head = 0
  private heldBytes = 0
  private heldRecords = 0

  constructor(private readonly limits: QueueLimits) {}

  get length(): number {
    return this.dropped.length + this.entries.length - this.head
  }

  get bytes(): number {
    return this.heldBytes
  }

  /** Adds one at the end; returns how many records had to go for it. */
  push(entry: Entry): number {
    this.entries.push(entry)
    this.heldBytes += sizeOf(entry)
    if (entry.kind === 'record') this.heldRecords++
    let gone = 0
    while (this.heldRecords > this.limits.records || this.heldBytes > this.limits.bytes) {
      const oldest = this.shift()
      if (oldest === undefined) break
      if (oldest.kind === 'record') gone++
      this.remember(oldest)
    }
    return gone
  }

  /** Takes from the front, at least one and at most so much; what was dropped comes first. */
  take(limits: QueueLimits): Entry[] {
    const taken: Entry[] = this.dropped
    this.dropped = []
    let bytes = 0
    while (taken.length < limits.records && bytes < limits.bytes) {
      const entry = this.shift()
      if (entry === undefined) break
      taken.push(entry)
      bytes += sizeOf(entry)
    }
    return taken
  }

  private shift(): Entry | undefined {
    const entry = this.entries[this.head]
    if (entry === undefined) return undefined
    this.head++
    this.heldBytes -= sizeOf(entry)
    if (entry.kind === 'record') this.heldRecords--
    if (this.head > 1_024 && this.head * 2 > this.entries.length) {
      this.entries = this.entries.slice(this.head)
      this.head = 0
    }
    return entry
  }

  /** Keeps the place of a record that is thrown away. What a source `reached` needs none: what follows it says more. */
  private remember(entry: Entry): void {
    if (entry.kind !== 'record') return
    const { epoch, seq } = entry
    const last = this.dropped.at(-1)
    const joins = last?.epoch === epoch && (last.seq + 1 === seq || this.dropped.length >= MAX_DROPPED_PIECES)
    if (last !== undefined && joins) this.dropped[this.dropped.length - 1] = { ...last, seq }
    else this.dropped.push({ kind: 'dropped', epoch, from: seq, seq })
  }
}

function sizeOf(entry: Entry): number {
  return entry.kind === 'record' ? entry.data.length + OVERHEAD_BYTES : OVERHEAD_BYTES
}
