/**
 * What goes wrong at a venue, given as data: `arbees sim --faults FILE`.
 *
 * One JSON object a line; an empty line is passed over:
 *
 *     {"venue":"kalshi","at_ms":5000,"fault":"gap"}
 *     {"venue":"kalshi","after_frames":200,"fault":"silent","for_ms":3000}
 *     {"venue":"kalshi","after_requests":2,"method":"POST","path":"/portfolio/events/orders",
 *      "fault":"answer","status":503,"body":"<html>no</html>","taken":true}
 *
 * When, one of: `at_ms`, scenario time; `after_frames`, once one connection was sent so many data frames; or
 * `after_requests`, when so many requests have passed and the next one comes. Each line happens once.
 *
 * On connections, on every open one unless `connection` says the how many-th since the start (after frames: on the one
 * that was sent them):
 * `gap`        the next data frame is lost
 * `duplicate`  the next data frame is sent twice
 * `reorder`    the next data frame is sent after the one that follows it
 * `silent`     nothing more is sent but pings, and pongs
 * `frozen`     nothing at all is sent, or read
 * `terminal`   every subscription ends with the error `code`, 10 or 25; kalshi
 * `cut`        the connection ends without a word
 *
 * On the next `times` (1) requests of the `method` whose path ends in `path`, where these are said:
 * `answer`     is answered with `status` and `body` (a text is HTML); with `taken` the venue did what was asked before
 * `slow`       is answered `by_ms` later than it was done
 * `hang_up`    the connection ends instead of an answer; `taken` as above
 *
 * On either venue:
 * `clock_skew` its clock is off by `by_ms`
 *
 * On Kalshi:
 * `pause`      `stops` "trading" or "exchange": everywhere, on an `exchange_index`, or in a `market`
 * `fees`       an `event` (all) charges by `fee_type` and `fee_multiplier` (as its series, where one is missing), from
 *              now or, announced before, `ahead_ms` later
 * `waiver`     a `market` (all) charges nothing for `for_ms`
 * `prices`     a `market` (all) takes the prices of another `structure`
 *
 * On Polymarket:
 * `mode`       it `is` in "restart" (425), "disabled", "cancel_only" or "post_only" (503)
 * `geoblock`   no orders from where we are
 * `stale_books` `GET /book` answers what was true at its start
 * `trades`     the next `times` (1) trades `end` "retried" (confirmed late) or "failed" (everybody has back his)
 * `tick`       a `market` (all) of a coarser tick goes to the fine one
 * `scores`     the sports channel `is` "silent", "late" by a minute more, or calls every live game "final"
 *
 * What lasts, lasts for `for_ms`, or to the end. `for_ms` and `by_ms` are real milliseconds at every speed, since they
 * are held against a client's timeouts.
 */

import type { FeeOverride } from './fee-override.js'
import type { PriceStructure } from './price-structure.js'
import type { Venue } from '../model/venue.js'

export type Trigger = { readonly kind: 'at_ms' | 'after_frames' | 'after_requests'; readonly count: number }

interface Scheduled {
  readonly venue: Venue
  readonly trigger: Trigger
}

export type SocketFault = Scheduled & {
  readonly on: 'connection'
  readonly connection: number | undefined
} & (
    | { readonly fault: 'gap' | 'duplicate' | 'reorder' | 'cut' }
    | { readonly fault: 'silent' | 'frozen'; readonly forMs: number | undefined }
    | { readonly fault: 'terminal'; readonly code: 10 | 25 }
  )

export type RequestFault = Scheduled & {
  readonly on: 'request'
  readonly method: string | undefined
  readonly path: string | undefined
  readonly times: number
} & (
    | {
        readonly fault: 'answer'
        readonly status: number
        readonly body: unknown
        readonly taken: boolean
      }
    | { readonly fault: 'slow'; readonly byMs: number }
    | { readonly fault: 'hang_up'; readonly taken: boolean }
  )

export type VenueFault = Scheduled & { readonly on: 'venue'; readonly forMs: number | undefined } & (
    | {
        readonly fault: 'pause'
        readonly stops: 'trading' | 'exchange'
        readonly exchangeIndex: number | undefined
        readonly market: string | undefined
      }
    | { readonly fault: 'clock_skew'; readonly byMs: number }
    | TermsFault
    | { readonly fault: 'mode'; readonly is: 'restart' | 'disabled' | 'cancel_only' | 'post_only' }
    | { readonly fault: 'geoblock' | 'stale_books' }
    | { readonly fault: 'trades'; readonly end: 'retried' | 'failed'; readonly times: number }
    | { readonly fault: 'tick'; readonly market: string | undefined }
    | { readonly fault: 'scores'; readonly is: ScoresFault }
  )

export const SCORES_FAULTS = ['silent', 'late', 'final'] as const
export type ScoresFault = (typeof SCORES_FAULTS)[number]

/** What a market costs and takes from now on; undefined: every event, or market. */
export type TermsFault =
  | (FeeOverride & {
      readonly fault: 'fees'
      readonly event: string | undefined
      readonly aheadMs: number
      readonly forMs: number | undefined
    })
  | { readonly fault: 'waiver'; readonly market: string | undefined; readonly forMs: number }
  | {
      readonly fault: 'prices'
      readonly market: string | undefined
      readonly structure: PriceStructure
      readonly forMs: number | undefined
    }

export type Fault = SocketFault | RequestFault | VenueFault
