/** Kalshi's cursor pages. The last page's cursor is empty; a garbage cursor is answered with 200, so a loop is cut. */

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
    if (!Array.isArray(items) || typeof next !== 'string' || cursors.has(next) || cursors.size >= MAX_PAGES) {
      const unreadable = {
        kind: 'failed',
        reason: 'unreadable',
        detail: `no page of ${list}`,
        handedOver: true,
      } as const
      yield { kind: 'failed', reason: describe(path, unreadable), result: unreadable }
      return
    }
    yield { kind: 'page', items: items as readonly unknown[] }
    cursors.add(next)
    cursor = next
  } while (cursor !== '')
}

function describe(path: string, result: Exclude<RestResult, { kind: 'ok' }>): string {
  return result.kind === 'failed'
    ? `GET ${path}: ${result.reason}: ${result.detail}`
    : `GET ${path}: HTTP ${result.status} ${result.error.code}`
}
