/**
 * What was accepted against what arrived, message by message. Pure: the harness reads both from what the processes
 * left behind, so nobody's own counters are believed.
 */

/** A place in a channel. */
export interface Place {
  readonly epoch: number
  readonly seq: number
}

/** One message as its publisher accepted it, or as a reader got it; `n` is a number that the payload carries. */
export interface Sighting extends Place {
  readonly n: number
}

/** A gap record: `to` is null where nobody knows how far it goes. */
export interface GapSighting {
  readonly epoch: number
  readonly from: number
  readonly to: number | null
  readonly reason: string
}

export interface Arrivals {
  readonly messages: readonly Sighting[]
  readonly gaps: readonly GapSighting[]
}

export interface Tally {
  /** Accepted by publish. */
  readonly sent: number
  /** Of these, arrived at least once. */
  readonly received: number
  /** Neither arrived nor covered by a gap record. */
  readonly lost: number
  /** Did not arrive, and a gap record says so. */
  readonly gapped: number
  /** Arrivals of what had arrived. */
  readonly duplicated: number
  /** Arrivals behind something later, duplicates aside. */
  readonly outOfOrder: number
  /** Arrived, though nobody published it, or with other contents. */
  readonly foreign: number
  /** Covered by a gap record and arrived, or never published: the record is not exact. */
  readonly overclaimed: number
}

/**
 * A publisher killed between its send and its note has sent up to so many more than it noted. They count as sent when
 * they arrive.
 */
const UNNOTED = 512

interface Epoch {
  /** `n` by seq; undefined where nothing was noted. */
  readonly sent: (number | undefined)[]
  readonly arrived: number[]
  noted: number
}

/** `since`: what was sent before is not counted; a control that joined late has not lost it. */
export function tally(
  sent: readonly Sighting[],
  { messages, gaps }: Arrivals,
  since: Place = { epoch: 0, seq: 0 },
): Tally {
  const epochs = new Map<number, Epoch>()
  for (const { epoch, seq, n } of sent) {
    let known = epochs.get(epoch)
    if (known === undefined) epochs.set(epoch, (known = { sent: [], arrived: [], noted: 0 }))
    known.sent[seq] = n
    known.noted = Math.max(known.noted, seq)
  }
  let duplicated = 0
  let outOfOrder = 0
  let foreign = 0
  let latest = { epoch: 0, seq: 0 }
  for (const { epoch, seq, n } of messages) {
    const known = epochs.get(epoch)
    const expected = known?.sent[seq]
    const isUnnoted = known !== undefined && expected === undefined && isInReach(known, seq)
    if (known === undefined || (expected !== n && !isUnnoted)) {
      foreign++
      continue
    }
    if (isUnnoted) known.sent[seq] = n
    const before = known.arrived[seq] ?? 0
    known.arrived[seq] = before + 1
    if (before > 0) duplicated++
    else if (isBefore({ epoch, seq }, latest)) outOfOrder++
    if (isBefore(latest, { epoch, seq })) latest = { epoch, seq }
  }
  let count = 0
  let received = 0
  let gapped = 0
  for (const [epoch, known] of epochs) {
    const covered = coverage(gaps, epoch, known.sent.length - 1)
    for (let seq = 1; seq < known.sent.length; seq++) {
      if (known.sent[seq] === undefined) continue
      if (isBefore({ epoch, seq }, since)) continue
      count++
      if ((known.arrived[seq] ?? 0) > 0) received++
      else if (covered[seq] === 1) gapped++
    }
  }
  return {
    sent: count,
    received,
    lost: count - received - gapped,
    gapped,
    duplicated,
    outOfOrder,
    foreign,
    overclaimed: overclaimed(gaps, epochs),
  }
}

const isInReach = ({ noted }: Epoch, seq: number): boolean => seq > noted && seq <= noted + UNNOTED

export const isBefore = (a: Place, b: Place): boolean =>
  a.epoch < b.epoch || (a.epoch === b.epoch && a.seq < b.seq)

function coverage(gaps: readonly GapSighting[], epoch: number, last: number): Uint8Array {
  const covered = new Uint8Array(Math.max(0, last) + 1)
  for (const gap of gaps) {
    if (gap.epoch === epoch) covered.fill(1, gap.from, (gap.to ?? last) + 1)
  }
  return covered
}

function overclaimed(gaps: readonly GapSighting[], epochs: ReadonlyMap<number, Epoch>): number {
  let count = 0
  for (const { epoch, from, to } of gaps) {
    const known = epochs.get(epoch)
    // Epoch 0 is before every epoch: a gap there says that nothing is known of the past.
    if (known === undefined) {
      if (epoch !== 0 && to !== null) count += to - from + 1
      continue
    }
    for (let seq = from; seq <= (to ?? known.sent.length - 1); seq++) {
      const wasLost = known.sent[seq] !== undefined && (known.arrived[seq] ?? 0) === 0
      if (!wasLost && !isInReach(known, seq)) count++
    }
  }
  return count
}

/** Rounds of one case together. */
export function addTallies(a: Tally, b: Tally): Tally {
  return {
    sent: a.sent + b.sent,
    received: a.received + b.received,
    lost: a.lost + b.lost,
    gapped: a.gapped + b.gapped,
    duplicated: a.duplicated + b.duplicated,
    outOfOrder: a.outOfOrder + b.outOfOrder,
    foreign: a.foreign + b.foreign,
    overclaimed: a.overclaimed + b.overclaimed,
  }
}

export const NOTHING: Tally = {
  sent: 0,
  received: 0,
  lost: 0,
  gapped: 0,
  duplicated: 0,
  outOfOrder: 0,
  foreign: 0,
  overclaimed: 0,
}
