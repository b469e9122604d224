/** Reads a fault script, a line at a time: what each may say is told in `faults.ts`. */

import { readFile } from 'node:fs/promises'
import { ArbeesError, EXIT, messageOf } from '../core/errors.js'
import { VENUES, type Venue } from '../model/venue.js'
import { flag, multiplier, one, required, text, whole, type Raw } from './fault-fields.js'
import { SCORES_FAULTS, type Fault } from './faults.js'
import { FEE_TYPES } from './fee-override.js'
import { parseJson, recordOf } from './http-host.js'
import { PRICE_STRUCTURES } from './price-structure.js'

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

const MODES = ['restart', 'disabled', 'cancel_only', 'post_only'] as const
const TRIGGERS = ['at_ms', 'after_frames', 'after_requests'] as const
/** Fields beside `venue`, `fault` and the trigger. */
const FIELDS: Readonly<Record<Fault['fault'], readonly string[]>> = {
  gap: ['connection'],
  duplicate: ['connection'],
  reorder: ['connection'],
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
  mode: ['for_ms', 'is'],
  geoblock: ['for_ms'],
  stale_books: ['for_ms'],
  trades: ['end', 'times'],
  tick: ['market'],
  scores: ['for_ms', 'is'],
}
/** Faults that one venue alone has. */
const ONLY_AT: Partial<Readonly<Record<Fault['fault'], Venue>>> = {
  terminal: 'kalshi',
  pause: 'kalshi',
  fees: 'kalshi',
  waiver: 'kalshi',
  prices: 'kalshi',
  mode: 'poly',
  geoblock: 'poly',
  stale_books: 'poly',
  trades: 'poly',
  tick: 'poly',
  scores: 'poly',
}
const isFault = (name: unknown): name is Fault['fault'] =>
  typeof name === 'string' && Object.hasOwn(FIELDS, name)

/** One line's fault, or what is wrong with it. */
function parseFault(line: string): Fault | string {
  const raw = recordOf(parseJson(line))
  if (raw === undefined) return 'not a JSON object'
  const { fault: name } = raw
  const venue = VENUES.find((each) => each === raw['venue'])
  if (venue === undefined) return `no venue '${String(raw['venue'])}', only ${VENUES.join(' and ')}`
  if (!isFault(name)) return `no fault '${String(name)}'`
  if ((ONLY_AT[name] ?? venue) !== venue) return `'${name}' does not happen at ${venue}`
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
function withDetails(scheduled: Pick<Fault, 'venue' | 'trigger'>, name: Fault['fault'], raw: Raw): Fault {
  const forMs = whole(raw, 'for_ms')
  const connection = { ...scheduled, on: 'connection', connection: whole(raw, 'connection') } as const
  const [method, path] = [text(raw, 'method'), text(raw, 'path')]
  const request = { ...scheduled, on: 'request', method, path, times: whole(raw, 'times') ?? 1 } as const
  const taken = flag(raw, 'taken')
  switch (name) {
    case 'gap':
    case 'duplicate':
    case 'reorder':
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
    case 'mode':
      return { ...scheduled, on: 'venue', forMs, fault: name, is: one(raw, 'is', MODES) }
    case 'geoblock':
    case 'stale_books':
      return { ...scheduled, on: 'venue', forMs, fault: name }
    case 'trades': {
      const [end, times] = [one(raw, 'end', ['retried', 'failed'] as const), whole(raw, 'times') ?? 1]
      return { ...scheduled, on: 'venue', forMs, fault: name, end, times }
    }
    case 'scores':
      return { ...scheduled, on: 'venue', forMs, fault: name, is: one(raw, 'is', SCORES_FAULTS) }
    case 'tick':
      return { ...scheduled, on: 'venue', forMs, fault: name, market: text(raw, 'market') }
  }
}
