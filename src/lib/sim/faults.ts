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
 * `silent`     nothing more is sent but pings, and pongs
 * `frozen`     nothing at all is sent, or read
 * `terminal`   every subscription ends with the error `code`, 10 or 25
 * `cut`        the connection ends without a word
 *
 * On the next `times` (1) requests of the `method` whose path ends in `path`, where these are said:
 * `answer`     is answered with `status` and `body` (a text is HTML); with `taken` the venue did what was asked before
 * `slow`       is answered `by_ms` later than it was done
 * `hang_up`    the connection ends instead of an answer; `taken` as above
 *
 * On the venue:
 * `pause`      `stops` "trading" or "exchange": everywhere, on an `exchange_index`, or in a `market`
 * `clock_skew` the venue's clock is off by `by_ms`
 * `fees`       an `event` (all) charges by `fee_type` and `fee_multiplier` (as its series, where one is missing), from
 *              now or, announced before, `ahead_ms` later
 * `waiver`     a `market` (all) charges nothing for `for_ms`
 * `prices`     a `market` (all) takes the prices of another `structure`
 *
 * What lasts, lasts for `for_ms`, or to the end. `for_ms` and `by_ms` are real milliseconds at every speed, since they
 * are held against a client's timeouts.
 */

import { readFile } from 'node:fs/promises'
import { ArbeesError, EXIT, messageOf } from '../core/errors.js'
import { flag, multiplier, one, required, text, whole, type Raw } from './fault-fields.js'
import { parseJson, recordOf } from './http-host.js'
import { FEE_TYPES, type FeeOverride } from './fee-override.js'
import { PRICE_STRUCTURES, type PriceStructure } from './price-structure.js'
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
    | { readonly fault: 'gap' | 'duplicate' | 'cut' }
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
  )

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

/** Reads a fault script. Throws `BAD_FAULTS` (exit 4) naming the line. */
export async function readFaults(file: string): Promise<readonly Fault[]> {
  let content: string
  try {
    content = await readFile(file, 'utf8')
  } catch (cause) {
    throw badFaults(file, messageOf(cause))
  }
  const faults: Fault[] = []
  content.split('\n').forEach((line, index) => {
    if (line.trim() === '') return
    const fault = parseFault(line)
    if (typeof fault === 'string') throw badFaults(file, `line ${index + 1}: ${fault}`)
    faults.push(fault)
  })
  return faults
}

function badFaults(file: string, what: string): ArbeesError {
  return new ArbeesError('BAD_FAULTS', `cannot use the fault script ${file}: ${what}`, {
    exit: EXIT.CONFIG,
    hint: 'one JSON object a line: {"venue":"kalshi","at_ms":5000,"fault":"gap"}',
  })
}

const TRIGGERS = ['at_ms', 'after_frames', 'after_requests'] as const
/** Fields beside `venue`, `fault` and the trigger. */
const FIELDS: Readonly<Record<Fault['fault'], readonly string[]>> = {
  gap: ['connection'],
  duplicate: ['connection'],
  cut: ['connection'],
  silent: ['connection', 'for_ms'],
  frozen: ['connection', 'for_ms'],
  terminal: ['connection', 'code'],
  answer: ['method', 'path', 'times', 'status', 'body', 'taken'],
  slow: ['method', 'path', 'times', 'by_ms'],
  hang_up: ['method', 'path', 'times', 'taken'],
  pause: ['for_ms', 'stops', 'exchange_index', 'market'],
  clock_skew: ['for_ms', 'by_ms'],
  fees: ['for_ms', 'event', 'fee_type', 'fee_multiplier', 'ahead_ms'],
  waiver: ['for_ms', 'market'],
  prices: ['for_ms', 'market', 'structure'],
}
const isFault = (name: unknown): name is Fault['fault'] =>
  typeof name === 'string' && Object.hasOwn(FIELDS, name)

/** One line's fault, or what is wrong with it. */
function parseFault(line: string): Fault | string {
  const raw = recordOf(parseJson(line))
  if (raw === undefined) return 'not a JSON object'
  const { venue, fault: name } = raw
  if (venue !== 'kalshi') return `venue '${String(venue)}' has no fault script, only kalshi has`
  if (!isFault(name)) return `no fault '${String(name)}'`
  const triggers = TRIGGERS.filter((kind) => raw[kind] !== undefined)
  const [kind] = triggers
  if (kind === undefined || triggers.length > 1) return `one of ${TRIGGERS.join(', ')} says when`
  const known = ['venue', 'fault', kind, ...FIELDS[name]]
  const unknown = Object.keys(raw).find((field) => !known.includes(field))
  if (unknown !== undefined) return `'${name}' has no field '${unknown}'`
  try {
    const scheduled = { venue, trigger: { kind, count: required(raw, kind) } } as const
    return withDetails(scheduled, name, raw)
  } catch (error) {
    return messageOf(error)
  }
}

/** Adds the fault's own fields; throws what is wrong with one. */
function withDetails(scheduled: Scheduled, name: Fault['fault'], raw: Raw): Fault {
  const forMs = whole(raw, 'for_ms')
  const connection = { ...scheduled, on: 'connection', connection: whole(raw, 'connection') } as const
  const [method, path] = [text(raw, 'method'), text(raw, 'path')]
  const request = { ...scheduled, on: 'request', method, path, times: whole(raw, 'times') ?? 1 } as const
  const taken = flag(raw, 'taken')
  switch (name) {
    case 'gap':
    case 'duplicate':
    case 'cut':
      return { ...connection, fault: name }
    case 'silent':
    case 'frozen':
      return { ...connection, fault: name, forMs }
    case 'terminal':
      return { ...connection, fault: name, code: one(raw, 'code', [10, 25]) }
    case 'answer':
      return { ...request, fault: name, status: required(raw, 'status'), body: raw['body'], taken }
    case 'slow':
      return { ...request, fault: name, byMs: required(raw, 'by_ms') }
    case 'hang_up':
      return { ...request, fault: name, taken }
    case 'pause': {
      const stops = one(raw, 'stops', ['trading', 'exchange'] as const)
      const [exchangeIndex, market] = [whole(raw, 'exchange_index'), text(raw, 'market')]
      return { ...scheduled, on: 'venue', forMs, fault: name, stops, exchangeIndex, market }
    }
    case 'clock_skew':
      return { ...scheduled, on: 'venue', forMs, fault: name, byMs: required(raw, 'by_ms', -Infinity) }
    case 'fees': {
      const feeType = raw['fee_type'] === undefined ? null : one(raw, 'fee_type', FEE_TYPES)
      const feeMultiplier = multiplier(raw['fee_multiplier'])
      const [event, aheadMs] = [text(raw, 'event'), whole(raw, 'ahead_ms') ?? 0]
      return { ...scheduled, on: 'venue', forMs, fault: name, event, feeType, feeMultiplier, aheadMs }
    }
    case 'waiver':
      return {
        ...{ ...scheduled, on: 'venue', fault: name, market: text(raw, 'market') },
        forMs: required(raw, 'for_ms'),
      }
    case 'prices': {
      const structure = one(raw, 'structure', PRICE_STRUCTURES)
      return { ...scheduled, on: 'venue', forMs, fault: name, market: text(raw, 'market'), structure }
    }
  }
}
