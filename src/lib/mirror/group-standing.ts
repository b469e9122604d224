/** Whether a consumer group is about to lose what it has not read, from what Redis says of it. Pure. */

export interface StreamWindow {
  /** Entries that it keeps, about: beyond that the oldest go. */
  readonly maxLength: number
  readonly length: number
  /** Of its oldest entry; undefined when it is empty. */
  readonly firstId: string | undefined
  /** Ever added; Redis 6 does not say. */
  readonly added: number | undefined
}

export interface GroupPlace {
  /** The newest that it was given. */
  readonly deliveredId: string
  /** The oldest that it was given and did not acknowledge. */
  readonly pendingId: string | undefined
  /** How many it was given since the stream's beginning; unknown to Redis 6, and after some resets. */
  readonly read: number | undefined
  /** How many it was not given yet; unknown as `read` is. */
  readonly lag: number | undefined
}

export interface GroupStanding {
  readonly stream: string
  readonly group: string
  /** close: the oldest that it needs is among the next to be trimmed. lost: some of it has been. */
  readonly state: 'ok' | 'close' | 'lost'
  /** How much of what the stream keeps it still needs, at most 100; of one that is ok at most so much. */
  readonly percent: number
}

/** An alarm from here on: a fifth of the window is left. */
export const CLOSE_PERCENT = 80

/** `passed` counts the entries of the stream that the group needs no more, at least as far as it takes to be ok. */
export function standingOf(
  window: StreamWindow,
  place: GroupPlace,
  passed: number,
): Pick<GroupStanding, 'state' | 'percent'> {
  const { length, maxLength } = window
  const percent = Math.min(100, Math.floor(((length - Math.min(passed, length)) * 100) / maxLength))
  if (hasLost(window, place)) return { state: 'lost', percent: 100 }
  return { state: percent >= CLOSE_PERCENT ? 'close' : 'ok', percent }
}

function hasLost({ length, firstId, added }: StreamWindow, { pendingId, read }: GroupPlace): boolean {
  if (pendingId !== undefined && (firstId === undefined || isOlder(pendingId, firstId))) return true
  return added !== undefined && read !== undefined && read < added - length
}

/** Of two ids `<ms>-<n>`. */
function isOlder(a: string, b: string): boolean {
  const [aMs, aSeq] = partsOf(a)
  const [bMs, bSeq] = partsOf(b)
  return aMs < bMs || (aMs === bMs && aSeq < bSeq)
}

function partsOf(id: string): readonly [bigint, bigint] {
  const [ms = '0', seq = '0'] = id.split('-')
  return [BigInt(ms), BigInt(seq)]
}
