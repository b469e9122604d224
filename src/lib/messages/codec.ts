/**
 * Bytes <-> messages. Encoding is one string concatenation; decoding is `JSON.parse` plus the hand-written checks,
 * and never throws: what does not parse is a value with a reason.
 */

import type { Env } from '../model/venue.js'
import { isObject, wrongHeaderField, wrongPayloadField } from './checks.js'
import type { JsonObject } from './checks.js'
import type { Header, PayloadByFamily, Stamps } from './payloads.js'
import { tryParseTopic } from './topics.js'
import type { Family, Topic } from './topics.js'

/** Nothing larger is published or accepted; the receiving sockets are told the same. */
export const MAX_MESSAGE_BYTES = 256 * 1024

/** A decoded message of one family; `payload` is checked. */
export type Message = {
  [F in Family]: {
    readonly family: F
    readonly topic: Topic
    readonly header: Header
    readonly payload: PayloadByFamily[F]
  }
}[Family]

/** A first-design body or envelope: no source, no epoch, so no promise about it. */
export interface LegacyMessage {
  readonly family: Family
  readonly topic: Topic
  readonly body: JsonObject
}

/** Why a message was refused: a short stable word that is counted, and what was found. */
export interface Refusal {
  readonly reason: string
  readonly detail: string
}

export type Decoded =
  | { readonly kind: 'message'; readonly message: Message }
  | { readonly kind: 'legacy'; readonly legacy: LegacyMessage }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

const refused = (reason: string, detail: string): Decoded => ({
  kind: 'refused',
  refusal: { reason, detail },
})

/** Decodes the two frames of a message. The header is checked against `env`: data of another env are refused. */
export function decode(topicText: string, bytes: Buffer, env: Env): Decoded {
  const topic = tryParseTopic(topicText)
  if (topic === undefined) return refused('bad_topic', topicText.slice(0, 120))
  if (bytes.length > MAX_MESSAGE_BYTES) return refused('oversize', `${bytes.length} bytes on ${topicText}`)
  let value: unknown
  try {
    value = JSON.parse(bytes.toString('utf8'))
  } catch {
    return refused('not_json', topicText)
  }
  if (!isObject(value)) return refused('not_an_object', topicText)
  if (value['source'] === undefined && value['epoch'] === undefined) return decodeLegacy(topic, value)
  const wrong = wrongHeaderField(value)
  if (wrong !== undefined) return refused('bad_header', `${wrong} on ${topicText}`)
  const { payload } = value
  if (!isObject(payload)) return refused('bad_payload', `payload on ${topicText}`)
  const wrongField = wrongPayloadField(topic.family, payload, topic.family === 'games' && topic.id === '')
  if (wrongField !== undefined) return refused('bad_payload', `${topic.family}.${wrongField} on ${topicText}`)
  // The checks above are the proof that the envelope has these types.
  const header = value as unknown as Header
  if (header.env !== env) return refused('wrong_env', `${header.env} instead of ${env} from ${header.source}`)
  return { kind: 'message', message: { family: topic.family, topic, header, payload } as unknown as Message }
}

function decodeLegacy(topic: Topic, value: JsonObject): Decoded {
  const body = isObject(value['payload']) ? value['payload'] : value
  return { kind: 'legacy', legacy: { family: topic.family, topic, body } }
}

/** What the publisher knows about a message beside its payload. */
export interface Envelope {
  readonly env: Env
  readonly source: string
  readonly epoch: number
  readonly seq: number
  readonly prev?: number
  readonly timestampMs: number
  readonly host: string
  /** Absent for a quote: its trace is its own source/epoch/seq. */
  readonly trace?: string
  readonly stamps: Stamps
}

/** The trace of a message that starts a chain: its own identity. */
export const traceOf = (message: { source: string; epoch: number; seq: number }): string =>
  `${message.source}/${message.epoch}/${message.seq}`

/**
 * The second frame. `topLevel` repeats first-design fields beside `timestamp_ms`; its text begins with a comma or is
 * empty (`legacyPriceFields`). Source, host and env come from our own settings and need no escaping beyond JSON's.
 */
export function encode(envelope: Envelope, payload: object, topLevel = ''): string {
  const { env, source, epoch, seq, prev, timestampMs, host, trace, stamps } = envelope
  return (
    `{"v":1,"env":"${env}","source":"${source}","epoch":${epoch},"seq":${seq}` +
    (prev === undefined ? '' : `,"prev":${prev}`) +
    `,"timestamp_ms":${timestampMs}${topLevel},"host":${JSON.stringify(host)}` +
    `,"trace":${trace === undefined ? `"${source}/${epoch}/${seq}"` : JSON.stringify(trace)}` +
    `,"stamps":${JSON.stringify(stamps)},"payload":${JSON.stringify(payload)}}`
  )
}

/** The first design's fields of a price, for its readers; empty unless both sides are quoted. */
export function legacyPriceFields(marketId: string, yesBid: number | null, yesAsk: number | null): string {
  return yesBid === null || yesAsk === null
    ? ''
    : `,"ticker":${JSON.stringify(marketId)},"yes_bid":${yesBid},"yes_ask":${yesAsk}`
}
