/** What the venue answers to our commands, and says of a subscription as a whole. */

import { sanitize } from '../../core/sanitize.js'
import { idOf, place, refused, seqOf, sidOf, type FramePlace, type PlacedVerdict } from './frame-place.js'
import { integerOf, isJsonObject, textOf, textsOf, type JsonObject } from './wire.js'

export interface SubscribedFrame extends FramePlace {
  readonly kind: 'subscribed'
  readonly id: number | undefined
  readonly channel: string
  readonly sid: number
}

export interface OkFrame extends FramePlace {
  readonly kind: 'ok'
  readonly id: number | undefined
  /** The subscription's full list after the command; absent in a `list_subscriptions` reply. */
  readonly marketTickers: readonly string[] | undefined
}

export interface UnsubscribedFrame extends FramePlace {
  readonly kind: 'unsubscribed'
  readonly id: number | undefined
}

export interface ErrorFrame extends FramePlace {
  readonly kind: 'error'
  readonly id: number | undefined
  readonly code: number
  /** Sanitized. */
  readonly message: string
  /** The subscription is dead: channel error (10), or we read too slowly (25). */
  readonly terminal: boolean
  /** One market of a list can cause it: invalid parameter (11), ticker required (14), market limit (26). */
  readonly mayBeOneMarket: boolean
}

const TERMINAL_CODES: ReadonlySet<number> = new Set([10, 25])
const MARKET_CODES: ReadonlySet<number> = new Set([11, 14, 26])

export function parseSubscribed(
  frame: JsonObject,
  msg: unknown,
  type: string,
): SubscribedFrame | PlacedVerdict {
  if (!isJsonObject(msg)) return refused('no_msg', type, place(frame, type))
  const channel = textOf(msg['channel'])
  const sid = integerOf(msg['sid'], 1)
  if (channel === undefined || sid === undefined) return refused('bad_reply', type, place(frame, type))
  return { kind: 'subscribed', id: idOf(frame), channel, sid, seq: seqOf(frame) }
}

/** Three forms: the list inside msg, the list at top level (older), and the array of `list_subscriptions`. */
export function parseOk(frame: JsonObject, msg: unknown, type: string): OkFrame | PlacedVerdict {
  const listed = isJsonObject(msg) ? msg['market_tickers'] : frame['market_tickers']
  const marketTickers = listed === undefined || listed === null ? undefined : textsOf(listed)
  if (listed !== undefined && listed !== null && marketTickers === undefined) {
    return refused('bad_reply', type, place(frame, type))
  }
  return { kind: 'ok', id: idOf(frame), sid: sidOf(frame), seq: seqOf(frame), marketTickers }
}

export function parseError(frame: JsonObject, msg: unknown, type: string): ErrorFrame | PlacedVerdict {
  if (!isJsonObject(msg)) return refused('no_msg', type, place(frame, type))
  const code = integerOf(msg['code'], 0)
  if (code === undefined) return refused('bad_reply', type, place(frame, type))
  const message = sanitize(textOf(msg['msg']) ?? '', 200)
  return {
    kind: 'error',
    id: idOf(frame),
    sid: sidOf(frame),
    seq: seqOf(frame),
    code,
    message,
    terminal: TERMINAL_CODES.has(code),
    mayBeOneMarket: MARKET_CODES.has(code),
  }
}
