/**
 * What a publisher was given in one turn: journaled with one write per channel, then sent in the order it was given.
 * Nobody can have heard a message that the journal lacks after a crash of the process.
 */

/** The two frames of a message. */
export type Frames = [topic: Buffer, body: Buffer | string]

/** A journal, as far as it matters here. */
export interface Flushable {
  flush(): unknown
}

/** A turn that publishes more than this is journaled and sent in parts. */
const MAX_WAITING = 1_000

export class Outbox {
  private waiting: Frames[] = []
  private readonly dirty = new Set<Flushable>()
  private isScheduled = false
  private closed = false

  constructor(private readonly send: (frames: Frames) => void) {}

  /** Nothing goes out any more. */
  get isClosed(): boolean {
    return this.closed
  }

  /** Goes out at the end of the synchronous stretch that runs, or with the next `flush`. */
  add(frames: Frames, journal: Flushable | undefined): void {
    this.waiting.push(frames)
    if (journal !== undefined) this.dirty.add(journal)
    if (this.waiting.length >= MAX_WAITING) this.flush()
    else if (!this.isScheduled) {
      this.isScheduled = true
      queueMicrotask(() => {
        this.isScheduled = false
        this.flush()
      })
    }
  }

  /** Writes and sends what waits. */
  flush(): void {
    for (const journal of this.dirty) journal.flush()
    this.dirty.clear()
    const frames = this.waiting
    this.waiting = []
    for (const message of frames) this.send(message)
  }

  /** Sends what waits, and nothing after it. */
  close(): void {
    this.flush()
    this.closed = true
  }
}
