/**
 * Whether one channel flows into Redis, from what its publisher said and what Redis holds: a position that moves, and
 * an entry whose bytes are those of the publisher's journal. That a process lives proves nothing. Pure.
 */

import { NOWHERE, isBefore, isSame } from '../bus/position.js'
import type { Checkpoint, Position } from '../bus/position.js'
import { ArbeesError, EXIT } from '../core/errors.js'
import { formatAge, formatCount, plural } from '../view/units.js'

/** How the newest entry of the channel's stream compares with the publisher's journal. */
export type ContentProof =
  /** Topic and envelope are the same bytes. */
  | 'equal'
  | 'differs'
  /** The checkpoint speaks of an entry that the stream does not hold, and no gap record covers it. */
  | 'missing'
  /** There is an entry, and the journal does not tell what it should be. */
  | 'unproven'
  /** Nothing was published yet. */
  | 'none'

export interface ChannelFindings {
  readonly source: string
  /** What its publisher said on the bus at the beginning, and last before Redis was asked; undefined: nothing. */
  readonly said: { readonly first: Position; readonly last: Position } | undefined
  /** Redis's checkpoint at the beginning and at the end; undefined where there is none. */
  readonly before: Position | undefined
  readonly after: Checkpoint | undefined
  /** Between the two. */
  readonly tookMs: number
  /** Age of the oldest message that Redis did not have at the end, by its publisher's clock; null: not known. */
  readonly oldestMs: number | null
  readonly content: ContentProof
  /** The last time that the mirror wrote down a heartbeat of its publisher; null: none is kept. */
  readonly echoMs: number | null
}

export interface Thresholds {
  readonly warnMs: number
  readonly criticalMs: number
}

/** Throws `BAD_THRESHOLDS` (exit 2). */
export function assertOrdered({ warnMs, criticalMs }: Thresholds): void {
  if (warnMs <= criticalMs) return
  const what = `a warning from ${formatAge(warnMs)} on is later than critical from ${formatAge(criticalMs)} on`
  throw new ArbeesError('BAD_THRESHOLDS', what, {
    exit: EXIT.USAGE,
    hint: 'give --warn the shorter time',
  })
}

export interface ChannelVerdict {
  readonly source: string
  /** flowing: Redis moved. idle: nothing was published. ended: its publisher closed it. */
  readonly flow:
    'flowing' | 'idle' | 'ended' | 'behind' | 'stuck' | 'silent' | 'unheard' | 'regressed' | 'wrong'
  readonly state: 'ok' | 'warning' | 'critical'
  /** Undefined where all is well. */
  readonly problem: string | undefined
  /** Last seq that its publisher said; null when it was not heard. */
  readonly published: number | null
  /** Last seq in Redis; null when there is none. */
  readonly stored: number | null
  /** Messages that Redis does not have. */
  readonly lag: number | null
  /** Age of the oldest of them; null when it is not known. */
  readonly lag_ms: number | null
  /** How fast Redis moved while it was looked at. */
  readonly per_s: number | null
  readonly content: ContentProof
}

/** The mirror writes down what it hears four times a second. */
export const ECHO_LATE_MS = 3_000

type Judgment = Pick<ChannelVerdict, 'flow' | 'state' | 'problem'>

/** `mirrorLives`: with a dead one every channel is unheard, which is said once. */
export function judgeChannel(
  findings: ChannelFindings,
  thresholds: Thresholds,
  mirrorLives: boolean,
): ChannelVerdict {
  const { source, said, before, after, tookMs, oldestMs, content } = findings
  const lag = said === undefined ? null : missingIn(findings)
  const sameLife = before !== undefined && after !== undefined && before.epoch === after.epoch
  return {
    source,
    ...(wrongContent(findings) ??
      unheard(findings, mirrorLives) ??
      judgeLag(findings, thresholds) ?? { flow: 'idle', state: 'ok', problem: undefined }),
    published: said?.last.seq ?? null,
    stored: after?.seq ?? null,
    lag,
    lag_ms: said === undefined || oldestMs === null ? null : Math.round(oldestMs),
    per_s: sameLife && tookMs > 0 ? Math.round(((after.seq - before.seq) * 10_000) / tookMs) / 10 : null,
    content,
  }
}

function wrongContent({ content, after }: ChannelFindings): Judgment | undefined {
  const number = formatCount(after?.seq ?? 0)
  if (content === 'differs')
    return critical('wrong', `#${number} in Redis is not what its publisher journaled`)
  if (content === 'missing')
    return critical('wrong', `Redis claims #${number}, and its stream does not hold it`)
  return undefined
}

function unheard({ said, after, echoMs }: ChannelFindings, mirrorLives: boolean): Judgment | undefined {
  if (said === undefined) {
    if (after?.closed === true) return { flow: 'ended', state: 'ok', problem: undefined }
    const stored = after?.seq ?? 0
    const known = stored === 0 ? '' : `: what it published behind #${formatCount(stored)} is not known`
    return { flow: 'silent', state: 'warning', problem: `its publisher is not heard${known}` }
  }
  if (after !== undefined && said.last.epoch < after.epoch) {
    return critical('regressed', 'its publisher lives before the epoch in Redis: start it with --epoch-floor')
  }
  if (!mirrorLives || (echoMs !== null && echoMs <= ECHO_LATE_MS)) return undefined
  return critical('unheard', 'the mirror does not hear its publisher, which beats')
}

function judgeLag(findings: ChannelFindings, { warnMs, criticalMs }: Thresholds): Judgment | undefined {
  const { said, before, after, tookMs, oldestMs } = findings
  const moved = !isSame(before ?? NOWHERE, after ?? NOWHERE)
  const lag = missingIn(findings)
  if (said === undefined || lag === 0) return moved ? FLOWING : undefined
  const hadTime = isBefore(after ?? NOWHERE, said.first)
  if (oldestMs === null && hadTime && !moved) {
    return critical('stuck', `${plural(lag, 'message')} behind, and did not move in ${formatAge(tookMs)}`)
  }
  // Without the journal's word: what was said at the beginning is there, or is at least so old.
  const ageMs = oldestMs ?? (hadTime ? tookMs : 0)
  if (ageMs < warnMs) return FLOWING
  const problem = `${plural(lag, 'message')} behind, the oldest ${formatAge(ageMs)} old`
  return { flow: moved ? 'behind' : 'stuck', state: ageMs < criticalMs ? 'warning' : 'critical', problem }
}

const FLOWING: Judgment = { flow: 'flowing', state: 'ok', problem: undefined }

const critical = (flow: ChannelVerdict['flow'], problem: string): Judgment => ({
  flow,
  state: 'critical',
  problem,
})

/** Messages that Redis does not have: as its publisher said, and one that it journaled since. */
function missingIn({ said, after = NOWHERE, oldestMs }: ChannelFindings): number {
  const at: Position = after
  if (said === undefined) return 0
  const { last } = said
  // Of an earlier life of the source Redis has nothing of this one.
  const behind = !isBefore(at, last) ? 0 : at.epoch === last.epoch ? last.seq - at.seq : last.seq
  return Math.max(behind, oldestMs !== null && oldestMs > 0 ? 1 : 0)
}
