/**
 * What a journal knows of its source's lives: when each began and ended, and which of its messages were never written.
 * Outlives the segments. Kept in the file `epochs`, a fact a line: crc32 in hex, a space, JSON.
 */

import { crc32 } from 'node:zlib'

/** Beyond so many, epochs whose messages are all gone are forgotten, the oldest first. */
const MAX_EPOCHS = 300

/** Messages of one epoch that were published and never written: the disk was full. */
export interface Lost {
  readonly epoch: number
  readonly from: number
  readonly to: number
}

/** One life of the source. */
export interface EpochEntry {
  readonly epoch: number
  /** The epoch before it; 0 when there was none. */
  readonly after: number
  /** Boot id of the machine when it began. */
  readonly boot: string
  /** Last seq known to have been published. */
  readonly last: number
  /** Whether `last` is the end; null while the epoch lives, or when nobody wrote its end down. */
  readonly end: 'known' | 'unknown' | null
  /** First message of its newest segment; 0 before the first one. */
  readonly newestSegment: number
  /** The latest time that a message is known to carry, publisher's wall clock. */
  readonly timestampMs: number
}

type Fact = ({ readonly k: 'epoch' } & EpochEntry) | ({ readonly k: 'lost' } & Lost)

export class EpochIndex {
  private readonly byEpoch = new Map<number, EpochEntry>()
  private holes: Lost[] = []

  private constructor(
    /** Lines that could not be read. */
    readonly damagedLines: number,
  ) {}

  static empty(): EpochIndex {
    return new EpochIndex(0)
  }

  /** Reads what `text` and `line` wrote; lines that are damaged are counted and left out, a torn last one is left out. */
  static parse(text: string): EpochIndex {
    const lines = text.split('\n')
    const facts = lines.map(readFact)
    const isDamaged = (line: string, i: number) =>
      line !== '' && i < lines.length - 1 && facts[i] === undefined
    const index = new EpochIndex(lines.filter(isDamaged).length)
    for (const fact of facts) {
      if (fact === undefined) continue
      if (fact.k === 'lost') index.holes.push(lostOf(fact))
      else index.byEpoch.set(fact.epoch, entryOf(fact))
    }
    return index
  }

  /** In order. */
  get epochs(): readonly EpochEntry[] {
    return [...this.byEpoch.values()].sort((a, b) => a.epoch - b.epoch)
  }

  /** In the order in which they were found. */
  get lost(): readonly Lost[] {
    return this.holes
  }

  get(epoch: number): EpochEntry | undefined {
    return this.byEpoch.get(epoch)
  }

  /** The first epoch behind `epoch`. */
  next(epoch: number): number | null {
    let next: number | null = null
    for (const each of this.byEpoch.keys()) {
      if (each > epoch && (next === null || each < next)) next = each
    }
    return next
  }

  /** Adds an epoch or what is now known of it. */
  set(entry: EpochEntry): void {
    this.byEpoch.set(entry.epoch, entry)
  }

  addLost(lost: Lost): void {
    this.holes.push(lost)
  }

  /** Forgets what nobody can ask for any more: `oldest` is the epoch of the oldest message kept. */
  compact(oldest: number): void {
    this.holes = this.holes.filter(({ epoch, from, to }) => epoch >= oldest && from <= to)
    const excess = this.byEpoch.size - MAX_EPOCHS
    const gone = this.epochs.slice(0, Math.max(0, excess)).filter(({ epoch }) => epoch < oldest)
    for (const { epoch } of gone) this.byEpoch.delete(epoch)
  }

  /** The whole file. */
  text(): string {
    return [
      ...this.epochs.map((entry) => lineOf({ k: 'epoch', ...entry })),
      ...this.holes.filter(({ from, to }) => from <= to).map((lost) => lineOf({ k: 'lost', ...lost })),
    ].join('')
  }

  /** The line that tells what is now known of `epoch`: a later line replaces an earlier one. */
  line(epoch: number): string {
    const entry = this.byEpoch.get(epoch)
    return entry === undefined ? '' : lineOf({ k: 'epoch', ...entry })
  }
}

function lineOf(fact: Fact): string {
  const json = JSON.stringify(fact)
  return `${crc32(json).toString(16).padStart(8, '0')} ${json}\n`
}

function readFact(line: string): Fact | undefined {
  const json = line.slice(9)
  if (line[8] !== ' ' || Number.parseInt(line.slice(0, 8), 16) !== crc32(json)) return undefined
  try {
    // The crc says that these are our own words.
    return JSON.parse(json) as Fact
  } catch {
    return undefined
  }
}

const entryOf = ({ epoch, after, boot, last, end, newestSegment, timestampMs }: EpochEntry): EpochEntry => ({
  epoch,
  after,
  boot,
  last,
  end,
  newestSegment,
  timestampMs,
})
const lostOf = ({ epoch, from, to }: Lost): Lost => ({ epoch, from, to })
