/** What a tap shows, into a file as well. A disk that is slow holds up nothing: what does not fit is a gap in the file. */

import { isUnguarded } from '../history/past.js'
import type { PastItem, PastMessage } from '../history/past.js'
import type { ReplaySink } from './replay.js'

export interface TapRecordingOptions {
  readonly file: ReplaySink
  /** Nothing can be written any more; once. */
  readonly onFailure: (error: unknown) => void
  /** What may wait for the disk; 16 MiB when not said. */
  readonly maxBytes?: number
}

const MAX_BYTES = 16 * 1024 * 1024

interface Hole {
  readonly source: string
  readonly epoch: number
  readonly from: number
  to: number
  timestampMs: number
}

export class TapRecording {
  private waiting: PastItem[] = []
  private bytes = 0
  private writing: Promise<void> | undefined
  private readonly holes = new Map<string, Hole>()
  private readonly stop = new AbortController()
  private recorded = 0
  private left = 0

  constructor(private readonly options: TapRecordingOptions) {}

  /** Messages in the file, or on their way. */
  get messages(): number {
    return this.recorded
  }

  /** Messages that the disk was too slow for. */
  get dropped(): number {
    return this.left
  }

  add(item: PastItem): void {
    if (this.stop.signal.aborted) return
    const { maxBytes = MAX_BYTES } = this.options
    if (item.kind === 'message') {
      if (this.bytes >= maxBytes) return this.skip(item)
      this.bytes += item.data.length
      this.recorded++
      this.closeHole(item.source)
    }
    this.waiting.push(item)
    this.writing ??= this.write()
  }

  /** Everything is in the file when this resolves, unless writing has failed. */
  async close(): Promise<void> {
    for (const source of [...this.holes.keys()]) this.closeHole(source)
    if (this.waiting.length > 0) this.writing ??= this.write()
    await this.writing
    await this.options.file.close().catch((error: unknown) => this.fail(error))
  }

  private async write(): Promise<void> {
    try {
      while (this.waiting.length > 0) {
        const items = this.waiting
        this.waiting = []
        await this.options.file.write(items, this.stop.signal)
        for (const item of items) if (item.kind === 'message') this.bytes -= item.data.length
      }
    } catch (error) {
      this.fail(error)
    }
    this.writing = undefined
  }

  private fail(error: unknown): void {
    if (this.stop.signal.aborted) return
    this.stop.abort()
    this.waiting = []
    this.options.onFailure(error)
  }

  private skip(message: PastMessage): void {
    this.left++
    // Nothing numbers it: no file could say that it is missing.
    if (isUnguarded(message)) return
    const { source, epoch, seq, timestampMs } = message
    const hole = this.holes.get(source)
    if (hole?.epoch === epoch) {
      hole.to = seq
      hole.timestampMs = timestampMs
      return
    }
    this.closeHole(source)
    this.holes.set(source, { source, epoch, from: seq, to: seq, timestampMs })
  }

  private closeHole(source: string): void {
    const hole = this.holes.get(source)
    if (hole === undefined) return
    this.holes.delete(source)
    const { timestampMs, ...range } = hole
    this.waiting.push({ kind: 'gap', gap: { ...range, reason: 'missed' }, afterMs: -Infinity, timestampMs })
  }
}
