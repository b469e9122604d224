/**
 * Kalshi's cursor pages. The last page's cursor is empty; a garbage cursor is answered with 200 and the first page, so
 * a list that goes in a circle, brings nothing new, or never ends is cut: it is no list.
 */

import type { RestCall } from './rest.js'
import type { RestResult } from './rest-result.js'

export type Page =
  | { readonly kind: 'page'; readonly items: readonly unknown[] }
  | { readonly kind: 'failed'; readonly reason: string; readonly result: Exclude<RestResult, { kind: 'ok' }> }

/** Where pages are read from. */
export interface PageSource {
  get(path: string, call: Pick<RestCall, 'query' | 'signal'>): Promise<RestResult>
}

const MAX_PAGES = 100

/** The pages of a list, in the venue's order; ends after the last one or the first that fails. */
export async function* readPages(
  rest: PageSource,
  path: string,
  query: Readonly<Record<string, string>>,
  list: string,
  signal?: AbortSignal,
): AsyncGenerator<Page, void> {
  const cursors = new Set<string>()
  let before = ''
  let cursor = ''
  do {
    const paged = cursor === '' ? query : { ...query, cursor }
    const result = await rest.get(path, { query: paged, ...(signal === undefined ? {} : { signal }) })
    if (result.kind !== 'ok') {
      yield { kind: 'failed', reason: describe(path, result), result }
      return
    }
    const items = result.body[list]
    const next = result.body['cursor'] ?? ''
    const wrong = wrongWith(items, next, cursors)
    const same = wrong === undefined && cursor !== '' && JSON.stringify(items) === before
    if (wrong !== undefined || same) {
      const detail = `${wrong ?? 'the same page again'} of ${list}`
      const unreadable = { kind: 'failed', reason: 'unreadable', detail, handedOver: true } as const
      yield { kind: 'failed', reason: describe(path, unreadable), result: unreadable }
      return
    }
    yield { kind: 'page', items: items as readonly unknown[] }
    before = next === '' ? '' : JSON.stringify(items)
    cursors.add(next as string)
    cursor = next as string
  } while (cursor !== '')
}

function wrongWith(items: unknown, next: unknown, cursors: ReadonlySet<string>): string | undefined {
  if (!Array.isArray(items) || typeof next !== 'string') return 'no page'
  if (cursors.has(next)) return 'a circle of pages'
  return next !== '' && cursors.size + 1 >= MAX_PAGES ? `more than ${MAX_PAGES} pages` : undefined
}

function describe(path: string, result: Exclude<RestResult, { kind: 'ok' }>): string {
  return result.kind === 'failed'
    ? `GET ${path}: ${result.reason}: ${result.detail}`
    : `GET ${path}: HTTP ${result.status} ${result.error.code}`
}
