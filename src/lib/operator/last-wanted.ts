/** The last so many of a past that are wanted, looked for further back where it is too short. */

import type { Position } from '../bus/position.js'
import type { Earlier } from '../history/earlier.js'
import { mergeByTime } from '../history/merge.js'
import type { Past, PastItem, PastPages } from '../history/past.js'
import { plural } from '../view/units.js'
import { selected } from './tap-selection.js'
import type { TapSelection } from './tap-selection.js'

export interface LastWantedOptions {
  readonly count: number
  /** All that may have something of it. */
  readonly sources: readonly string[]
  readonly selection: TapSelection
  /** One line, without its newline. */
  readonly talk: (line: string) => void
}

export class LastWanted {
  constructor(private readonly options: LastWantedOptions) {}

  async *of(past: Past, earlier: Earlier): PastPages {
    const { count, sources, selection, talk } = this.options
    const firsts = new Map<string, Position>()
    const last = await lastOf(count, selected(noted(past, firsts), selection))
    let found = messagesIn(last)
    if (found < count) {
      const further = sources.map((source) => earlier(source, firsts.get(source)))
      const before = await lastOf(count - found, selected(mergeByTime(further), selection))
      found += messagesIn(before)
      yield before
    }
    if (found < count) talk(`${plural(found, 'message')} found of the last ${count}`)
    yield last
  }
}

/** With the gaps between and behind them. */
async function lastOf(count: number, past: Past): Promise<readonly PastItem[]> {
  let items: PastItem[] = []
  let messages = 0
  for await (const page of past) {
    items.push(...page)
    messages += messagesIn(page)
    // Now and then: each time would be quadratic.
    if (messages < 2 * count) continue
    items = cut(items, messages - count)
    messages = Math.min(messages, count)
  }
  return cut(items, messages - count)
}

function cut(items: PastItem[], surplus: number): PastItem[] {
  if (surplus <= 0) return items
  let left = surplus
  return items.slice(items.findIndex(({ kind }) => kind === 'message' && left-- <= 0))
}

const messagesIn = (items: readonly PastItem[]): number =>
  items.filter(({ kind }) => kind === 'message').length

/** Takes down where each source begins. */
async function* noted(past: Past, firsts: Map<string, Position>): PastPages {
  for await (const page of past) {
    for (const item of page) {
      if (item.kind === 'message' && !firsts.has(item.source)) firsts.set(item.source, item)
    }
    yield page
  }
}
