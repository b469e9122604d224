/** Fee changes that Kalshi announces ahead: `GET /series/fee_changes` and `GET /events/fee_changes`. */

import type { ScheduledTerms } from './fees.js'
import { readPages, type PageSource } from './pages.js'
import { isJsonObject, textOf, timeMsOf } from './wire.js'

export interface FeeChanges {
  readonly bySeries: ReadonlyMap<string, readonly ScheduledTerms[]>
  readonly byEvent: ReadonlyMap<string, readonly ScheduledTerms[]>
  /** Why they may not be all of them; undefined when they are. */
  readonly problem: string | undefined
}

export const NO_FEE_CHANGES: FeeChanges = { bySeries: new Map(), byEvent: new Map(), problem: undefined }

/** Both lists, with as much as could be read. */
export async function readFeeChanges(rest: PageSource, signal: AbortSignal): Promise<FeeChanges> {
  const bySeries = new Map<string, ScheduledTerms[]>()
  const byEvent = new Map<string, ScheduledTerms[]>()
  const problems: string[] = []
  const add = (into: Map<string, ScheduledTerms[]>, ticker: unknown, change: ScheduledTerms | undefined) => {
    const name = textOf(ticker)
    if (name === undefined || change === undefined)
      problems.push('a fee change is not in the documented form')
    else into.set(name, [...(into.get(name) ?? []), change])
  }
  const result = await rest.get('/series/fee_changes', { signal })
  const listed = result.kind === 'ok' ? result.body['series_fee_change_arr'] : undefined
  if (!Array.isArray(listed)) problems.push('the fee changes of series could not be read')
  else {
    for (const entry of listed as readonly unknown[]) {
      if (isJsonObject(entry))
        add(bySeries, entry['series_ticker'], scheduled(entry['fee_type'], entry['fee_multiplier'], entry))
    }
  }
  const pages = readPages(rest, '/events/fee_changes', { limit: '100' }, 'event_fee_changes', signal)
  for await (const page of pages) {
    if (page.kind === 'failed') {
      problems.push(`the fee changes of events could not all be read (${page.reason})`)
      break
    }
    for (const entry of page.items) {
      if (!isJsonObject(entry)) continue
      const terms = scheduled(entry['fee_type_override'], entry['fee_multiplier_override'], entry)
      add(byEvent, entry['event_ticker'], terms)
    }
  }
  return { bySeries, byEvent, problem: problems[0] }
}

/** What was known, where `read` brought nothing of it. */
export function added(known: FeeChanges, read: FeeChanges): FeeChanges {
  return {
    bySeries: new Map([...known.bySeries, ...read.bySeries]),
    byEvent: new Map([...known.byEvent, ...read.byEvent]),
    problem: read.problem,
  }
}

function scheduled(
  feeType: unknown,
  feeMultiplier: unknown,
  entry: Readonly<Record<string, unknown>>,
): ScheduledTerms | undefined {
  const fromMs = timeMsOf(entry['scheduled_ts'])
  return fromMs === undefined ? undefined : { feeType, feeMultiplier, fromMs }
}
