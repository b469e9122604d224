/**
 * The scoreboard client: one request gives all games of a league on one US Eastern day.
 *
 * Observed rules of the service, which publishes none: `dates=YYYYMMDD` must be sent (the default slate may be a future
 * day) and ranges are refused; browser-like and bare User-Agents get 403, `app/1.0 (+https://link)` passes; answers
 * carry ETags. Redirects are not followed. A 403 stops all requests for a while.
 */

import { Agent, request } from 'undici'
import type { Clock } from '../core/clock.js'
import { messageOf } from '../core/errors.js'
import type { Game, League } from '../model/game.js'
import { scoreboardPath } from './scoreboard-leagues.js'
import { parseScoreboard } from './scoreboard.js'
import type { SkippedEvent } from './scoreboard.js'
import type { TeamCodeBook } from './team-codes.js'

/** A full slate is below 2 MB. */
const MAX_BODY_BYTES = 16 * 1024 * 1024
/** Longer advice is a mistake or an attack. */
const MAX_ADVICE_MS = 600_000

/** The games of one league and day, as last fetched. */
export interface ScoreboardPage {
  readonly league: League
  /** US Eastern day, `YYYY-MM-DD`. */
  readonly date: string
  readonly games: readonly Game[]
  readonly skipped: readonly SkippedEvent[]
  readonly etag: string | undefined
  /** How long the service says that the answer stays current. */
  readonly maxAgeMs: number
}

/** Why there is no page. `unreadable`: an answer came and is not a scoreboard. */
export interface ScoreboardFailure {
  readonly kind: 'unreachable' | 'refused' | 'unreadable'
  /** A short stable word: `timeout`, `http_403`, `not_json`, … */
  readonly reason: string
  /** Foreign text: sanitize before showing. */
  readonly detail: string
  /** The service's own wish, from Retry-After. */
  readonly retryAfterMs: number
}

export type ScoreboardAnswer =
  | { readonly kind: 'page'; readonly page: ScoreboardPage; readonly notModified: boolean }
  | { readonly kind: 'failed'; readonly failure: ScoreboardFailure }

/** Where scoreboards come from. */
export interface ScoreboardSource {
  /** The games of a day. `previous` is the same day's page, if there is one. Never throws. */
  page(
    league: League,
    date: string,
    previous: ScoreboardPage | undefined,
    signal: AbortSignal,
  ): Promise<ScoreboardAnswer>
}

export interface EspnOptions {
  /** `https://site.api.espn.com`, without a trailing slash. */
  readonly baseUrl: string
  /** Honest name with a link, `arbees/0.1 (+https://…)`. */
  readonly userAgent: string
  readonly clock: Clock
  readonly codes: TeamCodeBook
  readonly timeoutMs?: number
}

/** After a 403, and twice as long after each further one. Who is refused and goes on asking stays refused. */
const BLOCKED_US = 60_000_000
const MAX_BLOCKED_US = 1_800_000_000

export class EspnScoreboard implements ScoreboardSource {
  /** No request goes out before, for any league: monotonic. */
  private blockedUntilUs = 0
  private blocks = 0
  private readonly agent = new Agent({ connections: 4, connect: { timeout: 3000 } })

  constructor(private readonly options: EspnOptions) {}

  async page(
    league: League,
    date: string,
    previous: ScoreboardPage | undefined,
    signal: AbortSignal,
  ): Promise<ScoreboardAnswer> {
    const { baseUrl, userAgent, clock, timeoutMs = 8000 } = this.options
    const blockedMs = Math.ceil((this.blockedUntilUs - clock.monoUs()) / 1000)
    if (blockedMs > 0) return failed('refused', 'circuit_open', 'not asked after a 403', blockedMs)
    const url = `${baseUrl}${scoreboardPath(league, date)}`
    const deadline = AbortSignal.timeout(timeoutMs)
    try {
      const response = await request(url, {
        dispatcher: this.agent,
        signal: AbortSignal.any([signal, deadline]),
        headers: {
          accept: 'application/json',
          'user-agent': userAgent,
          ...(previous?.etag === undefined ? {} : { 'if-none-match': previous.etag }),
        },
      })
      const { statusCode, headers, body } = response
      if (statusCode === 403) this.block(clock.monoUs())
      else if (statusCode === 200 || statusCode === 304) this.blocks = 0
      if (statusCode === 304 && previous !== undefined) {
        await body.dump()
        return this.notModified(previous, maxAgeOf(headers['cache-control']))
      }
      if (statusCode !== 200) {
        await body.dump()
        const retryAfterMs = retryAfterOf(headers['retry-after'])
        return failed('refused', `http_${statusCode}`, `${statusCode} from ${url}`, retryAfterMs)
      }
      const text = await readText(body)
      if (text === undefined) return failed('unreadable', 'oversize', url)
      return this.read(league, date, text, headers)
    } catch (error) {
      return deadline.aborted
        ? failed('unreachable', 'timeout', `${url}: no answer within ${timeoutMs} ms`)
        : failed('unreachable', 'unreachable', `${url}: ${messageOf(error)}`)
    }
  }

  async close(): Promise<void> {
    await this.agent.destroy()
  }

  /** Answers to requests that went out together block once. */
  private block(nowUs: number): void {
    if (nowUs < this.blockedUntilUs) return
    this.blockedUntilUs = nowUs + Math.min(MAX_BLOCKED_US, BLOCKED_US * 2 ** this.blocks)
    this.blocks += 1
  }

  private notModified(previous: ScoreboardPage, maxAgeMs: number): ScoreboardAnswer {
    const fetchedMs = this.options.clock.nowMs()
    const games = previous.games.map((game): Game => ({ ...game, fetchedMs }))
    return { kind: 'page', page: { ...previous, games, maxAgeMs }, notModified: true }
  }

  private read(
    league: League,
    date: string,
    text: string,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): ScoreboardAnswer {
    let body: unknown
    try {
      body = JSON.parse(text)
    } catch (error) {
      return failed('unreadable', 'not_json', messageOf(error))
    }
    const { clock, codes } = this.options
    const reading = parseScoreboard(body, { league, codes, fetchedMs: clock.nowMs() })
    if (reading.kind === 'refused') return failed('unreadable', reading.reason, `scoreboard of ${league}`)
    const { games, skipped } = reading
    const etag = typeof headers['etag'] === 'string' ? headers['etag'] : undefined
    const maxAgeMs = maxAgeOf(headers['cache-control'])
    return { kind: 'page', page: { league, date, games, skipped, etag, maxAgeMs }, notModified: false }
  }
}

function failed(
  kind: ScoreboardFailure['kind'],
  reason: string,
  detail: string,
  retryAfterMs = 0,
): ScoreboardAnswer {
  return { kind: 'failed', failure: { kind, reason, detail, retryAfterMs } }
}

/** Undefined when it is larger than any scoreboard. */
async function readText(body: AsyncIterable<Buffer> & { destroy(): unknown }): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES) {
      body.destroy()
      return undefined
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** `max-age=5` -> 5000; 0 when not said. */
function maxAgeOf(header: string | string[] | undefined): number {
  const seconds = typeof header === 'string' ? /max-age=(\d{1,6})/.exec(header)?.[1] : undefined
  return seconds === undefined ? 0 : Math.min(Number(seconds) * 1000, MAX_ADVICE_MS)
}

/** Seconds only; a date is ignored. */
function retryAfterOf(header: string | string[] | undefined): number {
  return typeof header === 'string' && /^\d{1,6}$/.test(header)
    ? Math.min(Number(header) * 1000, MAX_ADVICE_MS)
    : 0
}
