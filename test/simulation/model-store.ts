/**
 * What Redis holds of one channel, in memory: the mirror's script word for word in another language. A property test
 * holds it to the real script on a real Redis; the simulator uses it where a hundred thousand runs need a store.
 */

import { NOWHERE } from '../../src/lib/bus/position.js'
import type { Checkpoint, Position } from '../../src/lib/bus/position.js'
import type { Item } from '../../src/lib/mirror/item.js'
import type { WriteOutcome } from '../../src/lib/mirror/mirror-core.js'

export interface StoredEntry extends Position {
  readonly topic: string
  readonly data: Buffer
}

/** As `arbees:gaps` has them; `to` is null when the end is unknown. */
export interface StoredGap {
  readonly epoch: number
  readonly from: number
  readonly to: number | null
  readonly reason: string
}

export interface StoredString extends Position {
  readonly data: Buffer
  readonly expireAtMs: number
}

export interface StoreState {
  readonly checkpoint: Checkpoint
  readonly streams: ReadonlyMap<string, readonly StoredEntry[]>
  readonly strings: ReadonlyMap<string, StoredString>
  readonly gaps: readonly StoredGap[]
}

type RecordItem = Extract<Item, { readonly kind: 'record' }>
type Refusal = Exclude<WriteOutcome['status'], 'OK'>

export class ModelStore {
  protected checkpoint: Checkpoint = NOWHERE
  protected streams = new Map<string, StoredEntry[]>()
  protected strings = new Map<string, StoredString>()
  protected gaps: StoredGap[] = []
  private written = 0
  private gapsWritten = 0
  private stepsLeft = Infinity

  /** Streams keep exactly `maxLength` entries, where Redis keeps at least so many. */
  constructor(private readonly maxLength = Infinity) {}

  read(): Checkpoint {
    return this.checkpoint
  }

  /** The script's call. After `stepsLeft` records and gaps the next one is refused, as by a full memory. */
  write(base: Position, items: readonly Item[], stepsLeft = Infinity): WriteOutcome {
    this.written = 0
    this.gapsWritten = 0
    this.stepsLeft = stepsLeft
    if (this.isBehind(base)) return this.finish('BEHIND')
    for (const item of items) {
      const refusal = this.step(item)
      if (refusal !== undefined) return this.finish(refusal)
    }
    return this.finish('OK')
  }

  /** What it holds now; later writes do not change it. */
  capture(): StoreState {
    const streams = new Map([...this.streams].map(([key, entries]) => [key, [...entries]]))
    return { checkpoint: this.checkpoint, streams, strings: new Map(this.strings), gaps: [...this.gaps] }
  }

  /** Goes back to what it held; without a state to nothing. */
  restore(state?: StoreState): void {
    this.checkpoint = state?.checkpoint ?? NOWHERE
    this.streams = new Map([...(state?.streams ?? [])].map(([key, entries]) => [key, [...entries]]))
    this.strings = new Map(state?.strings)
    this.gaps = [...(state?.gaps ?? [])]
  }

  /** The gate: whether the caller believes more than there is. */
  protected isBehind(base: Position): boolean {
    const { epoch, seq } = this.checkpoint
    return epoch < base.epoch || (epoch === base.epoch && seq < base.seq)
  }

  /** The gate: whether the checkpoint has passed `seq` of its epoch. */
  protected hasPassed(seq: number): boolean {
    return seq <= this.checkpoint.seq
  }

  protected step(item: Item): Refusal | undefined {
    const { checkpoint: at } = this
    if (item.kind === 'epoch') {
      if (at.epoch >= item.to) return undefined
      if (at.epoch !== item.from) return 'MOVED'
      if (item.reason !== null) {
        const gap = { epoch: at.epoch, from: at.seq + 1, to: null, reason: item.reason }
        if (!this.addGap(gap)) return 'ERROR'
      }
      this.checkpoint = { epoch: item.to, seq: 0, closed: false }
      return undefined
    }
    if (item.epoch < at.epoch) return 'EPOCH_REGRESSED'
    if (item.epoch > at.epoch) return 'BROKEN_BATCH'
    const { epoch } = at
    switch (item.kind) {
      case 'record':
        if (this.hasPassed(item.seq)) return undefined
        if (item.seq > at.seq + 1) return 'BROKEN_BATCH'
        if (!this.addRecord(item)) return 'ERROR'
        this.checkpoint = { epoch, seq: item.seq, closed: false }
        return undefined
      case 'gap':
        if (item.from > at.seq + 1) return 'BROKEN_BATCH'
        if (this.hasPassed(item.to)) return undefined
        if (!this.addGap({ epoch, from: at.seq + 1, to: item.to, reason: item.reason })) return 'ERROR'
        this.checkpoint = { epoch, seq: item.to, closed: false }
        return undefined
      case 'closed':
        if (item.seq === at.seq) this.checkpoint = { ...at, closed: true }
        return undefined
    }
  }

  protected addRecord({ epoch, seq, value }: RecordItem): boolean {
    const { stream, topic, data, snapshot } = value
    if (snapshot !== undefined) {
      const held = this.strings.get(snapshot.key)
      const isNewer = held === undefined || epoch > held.epoch || (epoch === held.epoch && seq > held.seq)
      if (isNewer) this.strings.set(snapshot.key, { epoch, seq, data, expireAtMs: snapshot.expireAtMs })
    }
    // As in the script, a string is written before the record that is refused.
    if (this.stepsLeft-- <= 0) return false
    const entries = this.streams.get(stream) ?? []
    this.streams.set(stream, entries)
    entries.push({ epoch, seq, topic, data })
    if (entries.length > this.maxLength) entries.splice(0, entries.length - this.maxLength)
    this.written++
    return true
  }

  protected addGap(gap: StoredGap): boolean {
    if (this.stepsLeft-- <= 0) return false
    this.gaps.push(gap)
    this.gapsWritten++
    return true
  }

  private finish(status: WriteOutcome['status']): WriteOutcome {
    return { status, checkpoint: this.checkpoint, written: this.written, gaps: this.gapsWritten }
  }
}
