/**
 * A look at a lane that rests: what was published since the last one against what each reader got, and the window that
 * Redis holds against what it promises: contiguous, without a duplicate, in order, ending at its checkpoint.
 */

import type { Side } from '../faults/side.js'
import { readSightings, sizeOf } from '../faults/sightings.js'
import { addTallies, isBefore, NOTHING, tally } from '../faults/tally.js'
import type { GapSighting, Place, Sighting, Tally } from '../faults/tally.js'
import type { Lane } from './lane.js'

interface Found {
  /** Of all readers and the mirror together. */
  readonly ours: Tally
  /** What is wrong; empty when nothing is. */
  readonly failures: readonly string[]
}

export class LookOut {
  /** How far each file has been looked at. */
  private readonly seen = new Map<string, number>()

  constructor(private readonly lane: Lane) {}

  /** Only while nothing is published and everyone has caught up. */
  async look(): Promise<Found & { readonly published: number }> {
    const { readers, mirror, notes } = this.lane
    const sent = this.news(notes).messages
    const first = sent[0]
    const found = readers.map(({ name, notes: file }) => judge(name, tally(sent, this.news(file))))
    if (first !== undefined) {
      const { messages, gaps } = await mirror.side.arrivals()
      const isNew = (at: Place) => !isBefore(at, first)
      const recent = { messages: messages.filter(isNew), gaps: gaps.filter((gap) => reaches(gap, first)) }
      found.push(judge(mirror.name, tally(sent, recent)))
      const broken = windowFault(messages, await checkpointOf(mirror.side))
      if (broken !== undefined) found.push({ ours: NOTHING, failures: [`${mirror.name}: ${broken}`] })
    }
    return {
      published: sent.length,
      ours: found.map(({ ours }) => ours).reduce(addTallies, NOTHING),
      failures: found.flatMap(({ failures }) => failures),
    }
  }

  private news(file: string) {
    const from = this.seen.get(file) ?? 0
    this.seen.set(file, sizeOf(file))
    return readSightings(file, from)
  }
}

/** A hole that ends before the window does not concern it: Redis was emptied, and a stream is refilled so far only. */
const reaches = ({ epoch, to }: GapSighting, first: Place): boolean =>
  epoch > first.epoch || (epoch === first.epoch && (to === null || to >= first.seq))

function judge(name: string, ours: Tally): Found {
  const counts = {
    lost: ours.lost,
    'in gap records': ours.gapped + ours.overclaimed,
    duplicated: ours.duplicated,
    'out of order': ours.outOfOrder,
    'that nobody sent': ours.foreign,
  }
  const failures = Object.entries(counts).flatMap(([what, count]) =>
    count === 0 ? [] : [`${name}: ${count} ${what}`],
  )
  return { ours, failures }
}

/** A look that this process was too busy for says nothing: look again. */
async function checkpointOf(side: Side): Promise<Place | undefined> {
  for (let tries = 0; tries < 20; tries++) {
    const place = await side.place()
    if (place !== undefined) return place
  }
  return undefined
}

export function windowFault(entries: readonly Sighting[], checkpoint: Place | undefined): string | undefined {
  let before: Sighting | undefined
  for (const entry of entries) {
    const follows =
      before === undefined || (entry.epoch === before.epoch ? entry.seq === before.seq + 1 : entry.seq === 1)
    if (!follows || (before !== undefined && entry.epoch < before.epoch)) {
      return `${entry.epoch}/${entry.seq} stands behind ${before?.epoch}/${before?.seq}`
    }
    before = entry
  }
  const isEnd = before?.epoch === checkpoint?.epoch && before?.seq === checkpoint?.seq
  // A publisher that came back and has said nothing yet: its epoch begins behind what there is.
  const isNewEpoch = checkpoint?.seq === 0 && (before === undefined || before.epoch < checkpoint.epoch)
  if (isEnd || isNewEpoch) return undefined
  const told = checkpoint === undefined ? 'nothing' : `${checkpoint.epoch}/${checkpoint.seq}`
  return `the stream ends at ${before?.epoch}/${before?.seq}, its checkpoint says ${told}`
}
