/**
 * Gamma's lists of events, page by page: by cursor, or by offset where a host has no cursors. The last page has no
 * cursor; a list that goes in a circle or never ends is cut: it is no list.
 */

import { ArbeesError, EXIT } from '../../core/errors.js'
import { isObject } from './gamma-fields.js'
import { parseJson, type VenueHttp } from './http.js'

/** Of a cursor page; an offset page holds at most a hundred. */
const CURSOR_LIMIT = 500
const OFFSET_LIMIT = 100
const MAX_PAGES = 40
/** Paging by offset is capped by the venue at about this. */
const MAX_OFFSET = 2000
/** "-1" in base64, as the CLOB marks the end of its lists. */
const END = new Set<unknown>([undefined, null, '', 'LTE='])

export interface GammaCall {
  readonly http: VenueHttp
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** Every event that the filters let through. Throws `VENUE_UNREACHABLE`, `VENUE_BAD_ANSWER` (exit 6). */
export async function readEvents(
  call: GammaCall,
  filters: Readonly<Record<string, string>>,
): Promise<unknown[]> {
  const events: unknown[] = []
  const cursors = new Set<unknown>()
  let cursor: unknown
  do {
    const query = new URLSearchParams({ ...filters, limit: String(CURSOR_LIMIT) })
    if (typeof cursor === 'string') query.set('after_cursor', cursor)
    const path = `/events/keyset?${query.toString()}`
    const { http, timeoutMs, signal } = call
    const result =
      cursors.size === 0 ? await http.send({ method: 'GET', path, timeoutMs, signal }) : undefined
    // An older host takes `keyset` for an event's id.
    if (result?.kind === 'answer' && [404, 405, 422].includes(result.status)) return byOffset(call, filters)
    const page =
      result?.kind === 'answer' && result.status === 200
        ? parseJson(result.text)
        : await http.getJson(path, timeoutMs, signal)
    if (!isObject(page) || !Array.isArray(page.events)) throw notAList('no page of events')
    events.push(...(page.events as unknown[]))
    cursor = page.next_cursor
    if (!END.has(cursor) && typeof cursor !== 'string') throw notAList('a cursor that is no text')
    if (cursors.has(cursor)) throw notAList('a circle of pages')
    if (cursors.size >= MAX_PAGES) throw notAList(`more than ${MAX_PAGES} pages`)
    cursors.add(cursor)
  } while (!END.has(cursor))
  return events
}

async function byOffset(
  { http, timeoutMs, signal }: GammaCall,
  filters: Readonly<Record<string, string>>,
): Promise<unknown[]> {
  const events: unknown[] = []
  while (true) {
    if (events.length >= MAX_OFFSET) throw notAList(`${MAX_OFFSET} events by offset, and more`)
    const query = new URLSearchParams({
      ...filters,
      order: 'startTime',
      ascending: 'true',
      limit: String(OFFSET_LIMIT),
      offset: String(events.length),
    })
    const page = await http.getJson(`/events?${query.toString()}`, timeoutMs, signal)
    if (!Array.isArray(page)) throw notAList('no list')
    events.push(...(page as unknown[]))
    if (page.length < OFFSET_LIMIT) return events
  }
}

const notAList = (what: string): ArbeesError =>
  new ArbeesError('VENUE_BAD_ANSWER', `Gamma's /events: ${what}`, { exit: EXIT.UNREACHABLE })
