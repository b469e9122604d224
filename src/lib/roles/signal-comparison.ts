/** What a shard published beside what was decided again from its inputs. Pure. */

/** A signal and its payload as it is sent, without the seal. */
export interface SignalText {
  readonly id: string
  readonly text: string
}

export interface SignalComparison {
  readonly decided: number
  readonly published: number
  /** The same bytes, in the same order. */
  readonly same: number
  /** The same decision with other bytes, or out of order. */
  readonly different: readonly string[]
  /** Decided again, and not published, though it was due. */
  readonly unpublished: readonly string[]
  /** Decided again at the very end, and not due: the shard died, or went on, before they were published. */
  readonly unpublished_tail: number
  /** Published, and not decided again. */
  readonly unexplained: readonly string[]
}

/** Nothing was found that is not on both sides, or differs. */
export const isSameSignals = ({
  different,
  unpublished,
  unexplained,
}: Pick<SignalComparison, 'different' | 'unpublished' | 'unexplained'>): boolean =>
  different.length + unpublished.length + unexplained.length === 0

export interface Expected {
  /** False: the first decisions are not there, and published ones before the first match are not missed. */
  readonly isWhole: boolean
  /** So many of the first decided must have been published; of those behind them, those with published ones behind. */
  readonly due: number
}

export function compareSignals(
  published: readonly SignalText[],
  decided: readonly SignalText[],
  { isWhole, due }: Expected,
): SignalComparison {
  const places = new Map(published.map(({ id }, place) => [id, place]))
  const different: string[] = []
  const unpublished: string[] = []
  const unexplained: string[] = []
  let waiting: string[] = []
  let same = 0
  let next = 0
  for (const { id, text } of decided) {
    const place = places.get(id)
    if (place === undefined) {
      waiting.push(id)
      continue
    }
    unpublished.push(...waiting)
    waiting = []
    if (place >= next) {
      if (isWhole || next > 0) unexplained.push(...published.slice(next, place).map((each) => each.id))
      next = place + 1
    }
    if (place === next - 1 && published[place]?.text === text) same++
    else different.push(id)
  }
  if (isWhole || next > 0) unexplained.push(...published.slice(next).map(({ id }) => id))
  const overdue = Math.max(0, due - (decided.length - waiting.length))
  unpublished.push(...waiting.splice(0, overdue))
  return {
    decided: decided.length,
    published: published.length,
    same,
    different,
    unpublished,
    unpublished_tail: waiting.length,
    unexplained,
  }
}
