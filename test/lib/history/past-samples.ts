/** Pasts for tests, as messages without much in them. */

import type { Gap } from '../../../src/lib/bus/gap.js'
import type { Past, PastItem, PastMessage, PastPages } from '../../../src/lib/history/past.js'

export const SOURCE = 'kalshi.prices'

export const past = (seq: number, timestampMs = 1_000 + seq, source = SOURCE, epoch = 7): PastMessage => ({
  kind: 'message',
  source,
  topic: 'prices.kalshi.KX',
  epoch,
  seq,
  timestampMs,
  data: Buffer.from(`{"seq":${seq}}`),
})

export const gap = (from: number, to: number | null, reason: Gap['reason'] = 'missed', epoch = 7): Gap => ({
  source: SOURCE,
  epoch,
  from,
  to,
  reason,
})

/** Pages of so many items. */
export async function* pagesOf(items: readonly PastItem[], size = 3): PastPages {
  for (let i = 0; i < items.length; i += size) yield items.slice(i, i + size)
}

export async function all(pages: Past): Promise<PastItem[]> {
  const items: PastItem[] = []
  for await (const page of pages) items.push(...page)
  return items
}

/** `7/3` for a message, `7/4..6 missed` for what is missing. */
export const told = (items: readonly PastItem[]): string[] =>
  items.map((item) => {
    if (item.kind === 'message') return `${item.epoch}/${item.seq}`
    const { epoch, from, to, reason } = item.gap
    return `${epoch}/${from}..${to ?? ''} ${reason}`
  })
