/** Which of what is read a tap shows. */

import type { Gap } from '../bus/gap.js'
import type { Past, PastPages } from '../history/past.js'
import { topicPrefixOf } from '../messages/sources.js'
import { fieldReader } from './tap-fields.js'
import { tapItem } from './tap-item.js'
import type { TapItem } from './tap-item.js'
import type { Where } from './where.js'

export interface TapSelection {
  /** From `readPrefixes`. */
  readonly prefixes: readonly string[]
  readonly exclude?: readonly string[]
  readonly where?: Where | undefined
}

export function wantsItem({ prefixes, exclude = [], where }: TapSelection, item: TapItem): boolean {
  const { topic } = item
  if (!prefixes.some((prefix) => topic.startsWith(prefix))) return false
  if (exclude.some((prefix) => topic.startsWith(prefix))) return false
  return where === undefined || where.test(fieldReader(item))
}

/** Whether what is missing may have been wanted. */
export function wantsGap({ prefixes, exclude = [] }: TapSelection, { source, topic }: Gap): boolean {
  const lost = topic ?? topicPrefixOf(source)
  return overlaps(prefixes, lost) && !exclude.some((prefix) => lost.startsWith(prefix))
}

/** Whether something of a source may be wanted. */
export const wantsSource = ({ prefixes, exclude = [] }: TapSelection, source: string): boolean =>
  overlaps(prefixes, topicPrefixOf(source)) &&
  !exclude.some((prefix) => topicPrefixOf(source).startsWith(prefix))

/** Whether everything of every source that it wants anything of is wanted. */
export const isWhole = (
  { prefixes, exclude = [], where }: TapSelection,
  sources: readonly string[],
): boolean =>
  where === undefined &&
  exclude.length === 0 &&
  sources.every((source) => prefixes.some((prefix) => topicPrefixOf(source).startsWith(prefix)))

/** What of a past is wanted. */
export async function* selected(past: Past, selection: TapSelection): PastPages {
  for await (const page of past) {
    yield page.filter((item) =>
      item.kind === 'gap' ? wantsGap(selection, item.gap) : wantsItem(selection, tapItem(item)),
    )
  }
}

const overlaps = (prefixes: readonly string[], topic: string): boolean =>
  prefixes.some((prefix) => topic.startsWith(prefix) || prefix.startsWith(topic))
