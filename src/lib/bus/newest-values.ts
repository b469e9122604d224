/** The newest message of each topic of a channel: what `prev` refers to, and what a snapshot hands out in chunks. */

import { recordBytes, writeRecord } from './journal/record.js'
import type { ChunkLimits } from './journal/segment-index.js'
import type { Position } from './position.js'
import type { SnapshotChunk } from './recovery/recovery-server.js'

/** Texts kept; about 20 MB of prices. Where there are more topics, those quiet for longest are left out. */
const MAX_TEXTS = 20_000

export interface TopicState {
  /** Pre-encoded first frame: a third cheaper to send than the string. */
  readonly frame: Buffer
  /** Seq of its newest message; 0 before the first. */
  lastSeq: number
  timestampMs: number
  /** Its newest envelope; undefined when it was let go. */
  text: string | undefined
}

export class NewestValues {
  private readonly topics = new Map<string, TopicState>()
  /** In order of their first message, and only added to: a cursor is an index. */
  private readonly order: TopicState[] = []
  private texts = 0
  private complete = true

  constructor(private readonly maxTexts = MAX_TEXTS) {}

  of(topic: string): TopicState {
    let state = this.topics.get(topic)
    if (state === undefined) {
      state = { frame: Buffer.from(topic), lastSeq: 0, timestampMs: 0, text: undefined }
      this.topics.set(topic, state)
      this.order.push(state)
    }
    return state
  }

  set(state: TopicState, seq: number, timestampMs: number, text: string): void {
    if (state.text === undefined) this.texts++
    state.lastSeq = seq
    state.timestampMs = timestampMs
    state.text = text
    if (this.texts > this.maxTexts) this.dropQuietest()
  }

  /** The values from `cursor` on; the channel stands at `at`. */
  chunk(at: Position, cursor: number, limits: ChunkLimits): SnapshotChunk {
    const { order } = this
    const values: { readonly state: TopicState; readonly text: string }[] = []
    let size = 0
    let next = cursor
    for (; next < order.length && values.length < limits.records; next++) {
      const state = order[next]
      // A topic whose first message was refused has none.
      if (state?.text === undefined) continue
      const bytes = recordBytes(state.frame, Buffer.byteLength(state.text))
      if (values.length > 0 && size + bytes > limits.bytes) break
      values.push({ state, text: state.text })
      size += bytes
    }
    const bytes = Buffer.allocUnsafe(size)
    let offset = 0
    for (const { state, text } of values) {
      const { lastSeq: seq, timestampMs, frame } = state
      offset = writeRecord(bytes, offset, { epoch: at.epoch, seq, timestampMs, topic: frame, text }).end
    }
    const count = values.length
    return { ...at, complete: this.complete, count, next: next < order.length ? next : null, bytes }
  }

  /** A tenth at once, so that it is rare. */
  private dropQuietest(): void {
    const kept = this.order.filter(({ text }) => text !== undefined).sort((a, b) => a.lastSeq - b.lastSeq)
    for (const state of kept.slice(0, Math.ceil(this.maxTexts / 10))) {
      state.text = undefined
      this.texts--
    }
    this.complete = false
  }
}
