/** What a tap prints: lines for people, or one JSON object a line. */

import type { Gap } from '../bus/gap.js'
import { sanitize } from '../core/sanitize.js'
import { isObject } from '../messages/checks.js'
import type { JsonObject } from '../messages/checks.js'
import { createPalette } from '../view/palette.js'
import type { Palette, Tone } from '../view/palette.js'
import { cutMiddle, cutText } from '../view/text-width.js'
import { formatUs, plural } from '../view/units.js'
import { rawMember } from './raw-member.js'
import { fieldReader } from './tap-fields.js'
import type { TapItem } from './tap-item.js'

/** Why something that arrived is not shown: a stable word to count, and what was found. */
export interface TapProblem {
  /** What `reason` is a case of; the same word where it is no more than that. */
  readonly kind: string
  readonly reason: string
  readonly detail: string
}

/** Lines without their newline. */
export interface TapFormat {
  item(item: TapItem): string
  gap(gap: Gap): string
  /** So many lines that nobody took are left out here. */
  drop(lines: number): string
  /** `last` says that more of the same are only counted. */
  problem(problem: TapProblem, last: boolean): string
}

const problemText = ({ kind, reason, detail }: TapProblem, last: boolean): string =>
  sanitize(
    `${kind === reason ? kind : `${kind} ${reason}`}: ${detail}${last ? ' (more of these are only counted)' : ''}`,
  )

export interface JsonOptions {
  /** Unsafe characters are written as JSON escapes, which changes no value. */
  readonly forTerminal: boolean
  /** Names of `fieldReader`: an object of these alone, null where a message has none. */
  readonly fields?: readonly string[] | undefined
}

/** One object a line; `payload` is the text that was sent. */
export function createJsonFormat({ forTerminal, fields }: JsonOptions): TapFormat {
  const oneLine = (json: string) => {
    // Line ends stand between tokens only: inside a string JSON has them escaped.
    const line = json.replace(/[\r\n\t]/g, ' ')
    return forTerminal ? sanitize(line, Infinity) : line
  }
  const whole = ({ topic, source, epoch, seq, timestampMs, ageUs, text }: TapItem): string =>
    `{"topic":${JSON.stringify(topic)},"source":${JSON.stringify(source)}` +
    `,"epoch":${epoch ?? null},"seq":${seq ?? null},"timestamp_ms":${timestampMs ?? null}` +
    `,"age_us":${ageUs ?? null},"payload":${oneLine(payloadText(text))}}`
  return {
    item:
      fields === undefined
        ? whole
        : (item) => oneLine(JSON.stringify(Object.fromEntries(readFields(item, fields)))),
    gap: (gap) => JSON.stringify({ gap }),
    drop: (lines) => JSON.stringify({ dropped: { lines } }),
    problem: problemText,
  }
}

function readFields(item: TapItem, fields: readonly string[]): [name: string, value: unknown][] {
  const read = fieldReader(item)
  return fields.map((name) => [name, read(name) ?? null])
}

/** The payload of an envelope, or the whole text: a bare body, a heartbeat. */
const payloadText = (text: string): string => {
  const payload = rawMember(text, 'payload')
  return payload?.startsWith('{') === true ? payload : text
}

export interface PrettyOptions {
  readonly color: boolean
  /** Columns of the terminal, asked for each line; Infinity where nothing is cut. */
  readonly width: () => number
  /** Names of `fieldReader`: behind the time these alone are shown. */
  readonly fields?: readonly string[] | undefined
}

/** How much of a line a topic may take: its two ends tell most. */
const TOPIC_SHARE = 0.4

/** `20:14:07.123 prices.kalshi.KX… #42 310us {LIVE 0.41/0.43 123x50 book_seq: 7}`, times in UTC as in the logs. */
export function createPrettyFormat({ color, width, fields }: PrettyOptions): TapFormat {
  const palette = createPalette(color)
  const line = (text: string) => cutText(text, width())
  const whole = ({ topic, seq, ageUs, text }: TapItem): string[] => [
    palette.strong(cutMiddle(sanitize(topic), Math.floor(width() * TOPIC_SHARE))),
    palette.dim(seq === undefined ? '#-' : `#${seq}`),
    ...ageText(seq, ageUs),
    fieldsOf(topic, payloadText(text), palette),
  ]
  return {
    item: (item) => {
      const body =
        fields === undefined ? whole(item) : [`{${namedValues(readFields(item, fields), palette)}}`]
      return line([palette.dim(timeOfDay(item.timestampMs)), ...body].join(' '))
    },
    gap: (gap) => line(palette.bad(gapText(gap))),
    drop: (lines) => line(palette.bad(`--- ${plural(lines, 'line')} left out: the output was not read`)),
    problem: (problem, last) => line(palette.warn(problemText(problem, last))),
  }
}

/** What is numbered and has no age lay in a journal. */
const ageText = (seq: number | undefined, ageUs: number | undefined): string[] =>
  ageUs !== undefined ? [formatUs(ageUs)] : seq === undefined ? ['unguarded'] : []

function gapText({ source, epoch, from, to, reason, topic }: Gap): string {
  const range = to === null ? `from ${from} on` : from === to ? `#${from}` : `#${from}..#${to}`
  const missing = to === null ? 'an unknown number' : String(to - from + 1)
  const where = topic === undefined ? '' : ` within ${sanitize(topic)}`
  return `--- gap: ${source} epoch ${epoch} ${range}, ${missing} missing${where} (${reason})`
}

/** The latest time that ECMAScript can write. */
const MAX_TIME_MS = 8.64e15

const timeOfDay = (ms: number | undefined): string =>
  ms === undefined || !(Math.abs(ms) <= MAX_TIME_MS)
    ? '--:--:--.---'
    : new Date(ms).toISOString().slice(-13, -1)

/** Fields whose value stands in the topic already. */
const IN_TOPIC: Readonly<Record<string, readonly string[]>> = {
  prices: ['venue', 'market_id'],
  orderbook: ['venue', 'market_id'],
  games: ['league', 'game_id'],
  signals: ['id'],
  orders: ['venue', 'order_id'],
  trades: ['status', 'order_id'],
  health: ['publisher', 'timestamp_ms', 'mono_us', 'v'],
}

/** The payload without quotes around its names, in the order it was sent; a price's quote first. */
function fieldsOf(topic: string, json: string, palette: Palette): string {
  const payload: unknown = JSON.parse(json)
  if (!isObject(payload)) return sanitize(json)
  const family = topic.slice(0, topic.indexOf('.'))
  const known = IN_TOPIC[family] ?? []
  const shown = Object.entries(payload).filter(
    ([name]) => !known.includes(name) && !(family === 'prices' && QUOTE_FIELDS.has(name)),
  )
  const fields = namedValues(shown, palette)
  return family === 'prices' ? `{${quoteText(payload, palette)} ${fields}}` : `{${fields}}`
}

const namedValues = (
  fields: readonly (readonly [name: string, value: unknown])[],
  palette: Palette,
): string =>
  fields
    .map(([name, value]) => `${palette.dim(`${sanitize(name)}:`)} ${valueText(value, palette)}`)
    .join(', ')

const QUOTE_FIELDS = new Set(['state', 'yes_bid', 'yes_ask', 'yes_bid_size', 'yes_ask_size'])

/** `LIVE 0.41/0.43 123x50`: state, bid/ask, their sizes; `-` for a side that nobody quotes. */
function quoteText(payload: JsonObject, palette: Palette): string {
  const side = (name: string) => valueText(payload[name] ?? '-', palette)
  const state = payload['state'] === undefined ? '' : `${side('state')} `
  const sizes =
    payload['yes_bid_size'] === undefined ? '' : ` ${side('yes_bid_size')}x${side('yes_ask_size')}`
  return `${state}${side('yes_bid')}/${side('yes_ask')}${sizes}`
}

const valueText = (value: unknown, palette: Palette): string =>
  palette[toneOf(value)](sanitize(typeof value === 'string' ? value : JSON.stringify(value)))

const STATE_TONES: Readonly<Record<string, Tone>> = {
  LIVE: 'good',
  live: 'good',
  filled: 'good',
  STALE: 'warn',
  partial: 'warn',
  BROKEN: 'bad',
  rejected: 'bad',
  unknown: 'bad',
}
function toneOf(value: unknown): Tone {
  return typeof value === 'string' && Object.hasOwn(STATE_TONES, value)
    ? (STATE_TONES[value] ?? 'plain')
    : 'plain'
}
