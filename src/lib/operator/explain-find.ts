/** From an id that somebody has to the messages that belong to its signal. */

import { ArbeesError, EXIT } from '../core/errors.js'
import { isUnguarded } from '../history/past.js'
import type { PastMessage } from '../history/past.js'
import { decode } from '../messages/codec.js'
import type { Message } from '../messages/codec.js'
import type { Env } from '../model/venue.js'
import type { Archive } from './explain-archive.js'

/** What the id turned out to be. */
export type FoundAs = 'signal' | 'order' | 'venue_order' | 'trade' | 'trace'

export interface Found {
  readonly as: FoundAs
  readonly signalId: string
}

/** A message as it was published, and where it came from. */
export interface Told<F extends Message['family'] = Message['family']> {
  readonly message: Extract<Message, { family: F }>
  readonly timestampMs: number
}

export interface Decisions {
  readonly signal: Told<'signals'> | undefined
  readonly orders: readonly Told<'orders'>[]
  readonly trades: readonly Told<'trades'>[]
}

/** A beginning of an id that is as good as the whole. */
const LEAST_PREFIX = 8
const MOST_SHOWN = 5

/** Undefined where nothing has that id. Throws `AMBIGUOUS_ID` (usage). */
export async function findSignal(archive: Archive, id: string, env: Env): Promise<Found | undefined> {
  const found = new Map<string, FoundAs>()
  for await (const message of messagesWith(archive, id, env)) {
    const match = matchOf(message, id)
    if (match !== undefined && !found.has(match.signalId)) found.set(match.signalId, match.as)
  }
  if (found.size > 1) {
    const [first, ...more] = [...found.keys()].slice(0, MOST_SHOWN)
    throw new ArbeesError('AMBIGUOUS_ID', `'${id}' belongs to ${found.size} signals`, {
      exit: EXIT.USAGE,
      hint: `name one of them: ${[first, ...more].join(', ')}${found.size > MOST_SHOWN ? ', …' : ''}`,
    })
  }
  const [[signalId, as] = []] = found
  return signalId === undefined || as === undefined ? undefined : { signalId, as }
}

/** Everything that was told of a signal, oldest first. */
export async function decisionsOf(archive: Archive, signalId: string, env: Env): Promise<Decisions> {
  let signal: Told<'signals'> | undefined
  const orders: Told<'orders'>[] = []
  const trades: Told<'trades'>[] = []
  for await (const message of messagesWith(archive, signalId, env)) {
    const timestampMs = message.header.timestamp_ms
    if (message.family === 'signals' && message.payload.id === signalId) signal ??= { message, timestampMs }
    if (message.family === 'orders' && message.payload.signal_id === signalId)
      orders.push({ message, timestampMs })
    if (message.family === 'trades' && message.payload.signal_id === signalId)
      trades.push({ message, timestampMs })
  }
  return { signal, orders, trades }
}

/** What several places have of one signal: each message once, oldest first. */
export function mergeDecisions(parts: readonly Decisions[]): Decisions {
  return {
    signal: parts.map(({ signal }) => signal).find((signal) => signal !== undefined),
    orders: merged(parts.flatMap(({ orders }) => orders)),
    trades: merged(parts.flatMap(({ trades }) => trades)),
  }
}

function merged<T extends { readonly message: Pick<Message, 'header'> }>(all: readonly T[]): T[] {
  const byPlace = new Map(
    all.map((each) => {
      const { source, epoch, seq } = each.message.header
      return [`${source}/${epoch}/${seq}`, each]
    }),
  )
  return [...byPlace.values()].sort((a, b) => {
    const [one, two] = [a.message.header, b.message.header]
    return one.epoch - two.epoch || one.seq - two.seq
  })
}

/** Undefined for what is no message of ours. */
export function messageOf({ topic, data }: PastMessage, env: Env): Message | undefined {
  const decoded = decode(topic, data, env)
  return decoded.kind === 'message' ? decoded.message : undefined
}

/** Only what holds the text is decoded: that is what makes a long history quick. */
async function* messagesWith(archive: Archive, text: string, env: Env): AsyncGenerator<Message> {
  for await (const page of archive.decisions()) {
    for (const item of page) {
      if (item.kind !== 'message' || isUnguarded(item) || !item.data.includes(text)) continue
      const message = messageOf(item, env)
      if (message !== undefined) yield message
    }
  }
}

function matchOf(message: Message, id: string): Found | undefined {
  const is = (value: string | undefined): boolean =>
    value === id || (id.length >= LEAST_PREFIX && value?.startsWith(id) === true)
  switch (message.family) {
    case 'signals':
      if (is(message.payload.id)) return { as: 'signal', signalId: message.payload.id }
      return message.header.trace === id ? { as: 'trace', signalId: message.payload.id } : undefined
    case 'orders': {
      const { signal_id: signalId, order_id: orderId, venue_order_id: venueOrderId } = message.payload
      if (is(signalId)) return { as: 'signal', signalId }
      if (is(orderId)) return { as: 'order', signalId }
      return is(venueOrderId) ? { as: 'venue_order', signalId } : undefined
    }
    case 'trades': {
      const { signal_id: signalId, order_id: orderId, venue_trade_ids: tradeIds } = message.payload
      if (is(signalId)) return { as: 'signal', signalId }
      if (is(orderId)) return { as: 'order', signalId }
      return tradeIds.some(is) ? { as: 'trade', signalId } : undefined
    }
    default:
      return undefined
  }
}
