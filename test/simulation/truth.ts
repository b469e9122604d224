/**
 * What really happened on the channel, as nobody in it knows: every message that publish() accepted, which of them
 * somebody may have seen, and what was done to the journal. The oracle judges by it.
 */

import type { Position } from '../../src/lib/bus/position.js'

/** A message on its way. */
export interface Envelope extends Position {
  readonly topic: string
  readonly data: Buffer
}

export interface TrueMessage extends Position {
  readonly topic: string
  /** Its envelope ends so, and no other. */
  readonly mark: string
}

interface TrueEpoch {
  /** By seq - 1: accepted by publish(), in order. */
  readonly messages: TrueMessage[]
  /** Up to here a message was sent or is on disk: it must be accounted for. */
  certain: number
  /** Published and not written to disk. */
  readonly unwritten: Set<number>
  /** Nobody can know how far it got: a power cut, or the journal was lost. */
  endLost: boolean
}

export class Truth {
  private readonly epochs = new Map<number, TrueEpoch>()
  /** Somebody deleted the journal. */
  journalLost = false
  /** Bytes on the disk were changed. */
  diskDamaged = false

  openEpoch(epoch: number): void {
    this.epochs.set(epoch, { messages: [], certain: 0, unwritten: new Set(), endLost: false })
  }

  accept(message: TrueMessage): void {
    this.at(message.epoch).messages.push(message)
  }

  /** Refused after all: its number is free again. */
  retract(epoch: number, seq: number): void {
    this.at(epoch).messages.length = seq - 1
  }

  /** Sent, or on disk: up to `seq` nothing may go missing without a word. */
  makeCertain(epoch: number, seq: number): void {
    const known = this.at(epoch)
    known.certain = Math.max(known.certain, seq)
  }

  noteUnwritten(epoch: number, seq: number): void {
    this.at(epoch).unwritten.add(seq)
  }

  /** Nobody can know how far this one got. */
  loseEnd(epoch: number): void {
    this.at(epoch).endLost = true
  }

  /** The ends of all epochs so far are nobody's knowledge any more. */
  loseEnds(): void {
    for (const epoch of this.epochs.values()) epoch.endLost = true
  }

  knows(epoch: number): boolean {
    return this.epochs.has(epoch)
  }

  find({ epoch, seq }: Position): TrueMessage | undefined {
    return this.epochs.get(epoch)?.messages[seq - 1]
  }

  certain(epoch: number): number {
    return this.epochs.get(epoch)?.certain ?? 0
  }

  isEndLost(epoch: number): boolean {
    // One that nobody opened died while it began.
    return this.epochs.get(epoch)?.endLost ?? true
  }

  isUnwritten(epoch: number, seq: number): boolean {
    return this.epochs.get(epoch)?.unwritten.has(seq) ?? false
  }

  /**
   * Epochs between two others, of which something must be accounted for. Only those that were opened between them too:
   * after a lost journal a clock that was set back opens epochs of the past, which are red and taken by nobody.
   */
  epochsBetween(from: number, to: number): number[] {
    const opened = [...this.epochs.keys()]
    return opened
      .slice(opened.indexOf(from) + 1, opened.indexOf(to))
      .filter((epoch) => epoch > from && epoch < to && this.certain(epoch) > 0)
  }

  /** How many messages were published behind `position`, up to `head`. */
  countBehind(position: Position, head: Position): number {
    let count = 0
    for (const [epoch, { messages }] of this.epochs) {
      if (epoch < position.epoch || epoch > head.epoch) continue
      const last = epoch === head.epoch ? head.seq : messages.length
      count += last - (epoch === position.epoch ? position.seq : 0)
    }
    return count
  }

  /** The newest message of each topic of an epoch, up to `seq`. */
  newest(epoch: number, seq: number): Map<string, TrueMessage> {
    const values = new Map<string, TrueMessage>()
    for (const message of this.epochs.get(epoch)?.messages.slice(0, seq) ?? [])
      values.set(message.topic, message)
    return values
  }

  private at(epoch: number): TrueEpoch {
    const known = this.epochs.get(epoch)
    if (known === undefined) throw new Error(`no epoch ${epoch} was opened`)
    return known
  }
}
