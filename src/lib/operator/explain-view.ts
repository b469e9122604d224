/** An explanation as text for a terminal, from the cause to the money. */

import { sanitize } from '../core/sanitize.js'
import type { CheckPayload } from '../messages/payloads.js'
import { createPalette } from '../view/palette.js'
import type { Palette, Tone } from '../view/palette.js'
import { renderTable } from '../view/table.js'
import type { Column, TableOptions } from '../view/table.js'
import { cutMiddle, cutText, wrapText } from '../view/text-width.js'
import { formatUs } from '../view/units.js'
import { checkFigure } from './denial-words.js'
import type { LegEdge } from './explain-edge.js'
import type { ExplainedInput, ExplainedOrder, Explanation, Verdict } from './explain.js'

const TONES: Readonly<Record<Verdict, Tone>> = {
  unanswered: 'warn',
  denied: 'warn',
  stale: 'warn',
  open: 'warn',
  unknown: 'bad',
  voided: 'bad',
  nothing: 'plain',
  filled: 'good',
  hedged: 'good',
  unhedged: 'bad',
}

const WORDS: Readonly<Record<Verdict, string>> = {
  unanswered: 'exec never spoke of it',
  denied: 'denied',
  stale: 'expired',
  open: 'not finished',
  unknown: 'an outcome is unknown: it counts as filled',
  voided: 'a venue took a fill back: what is left is for you to find out there',
  nothing: 'nothing filled',
  filled: 'filled',
  hedged: 'hedged',
  unhedged: 'UNHEDGED',
}

const usd = (micros: number): string => `$${(micros / 1e6).toFixed(4)}`
const orUnknown = (micros: number | null): string => (micros === null ? 'unknown' : usd(micros))

/** Lines without a newline at the end. */
export function renderExplanation(explanation: Explanation, options: TableOptions): string {
  const palette = createPalette(options.color)
  const { signal, inputs, orders, missing } = explanation
  const table = <Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string[] =>
    indented(renderTable(rows, columns, { ...options, width: options.width - 2 }))
  const section = (title: string, lines: readonly string[]): string[] =>
    lines.length === 0 ? [] : ['', palette.strong(title), ...lines]
  const line = (text: string): string =>
    indented(wrapText(sanitize(text), Math.max(20, options.width - 2), '  ')).join('\n')
  const checks = checksOf(orders)
  return [
    ...header(explanation, palette, line, options.width),
    ...section('edge', edgeLines(explanation, table, line)),
    ...section('what it was decided from', inputs.length === 0 ? [] : table(inputs, INPUT_COLUMNS)),
    ...section('checks', checks.length === 0 ? [] : table(checks, CHECK_COLUMNS)),
    ...section('orders', orders.length === 0 ? [] : table(orders, ORDER_COLUMNS)),
    ...section(
      'money',
      (signal === null && !explanation.is_manual) || explanation.verdict === 'denied'
        ? []
        : [line(money(explanation))],
    ),
    ...section('time', explanation.is_manual ? [] : table(hopRows(explanation), HOP_COLUMNS)),
    ...section(
      'not found',
      missing.map((text) => line(text)),
    ),
  ].join('\n')
}

/** Each once: every order of a plan carries those of the plan. */
function checksOf(orders: readonly ExplainedOrder[]): CheckPayload[] {
  const checks = orders.flatMap(({ events }) => events.flatMap((event) => event.checks ?? []))
  return [...new Map(checks.map((check) => [JSON.stringify(check), check])).values()]
}

/** Each refusal once, in words. */
const becauseOf = (orders: readonly ExplainedOrder[]): string[] => [
  ...new Set(
    orders.flatMap(({ leg, events }) =>
      events.flatMap(({ because, state }) =>
        because === undefined ? [] : [`leg ${leg} ${state === 'stale' ? 'expired' : state}: ${because}`],
      ),
    ),
  ),
]

const codeIn = (reason: string): string => reason.split(': ')[0] ?? reason

const indented = (text: string): string[] => text.split('\n').map((each) => `  ${each}`)

function header(
  explanation: Explanation,
  palette: Palette,
  line: (text: string) => string,
  width: number,
): string[] {
  const { id, found_as: as, is_manual: isManual, from, verdict, denied_for: why, signal, game } = explanation
  const { orders } = explanation
  const words = `${WORDS[verdict]}${why === null ? '' : `: ${sanitize(codeIn(why))}`}`
  const lines = [
    `${palette.strong(`${isManual ? 'manual order' : 'signal'} ${signal?.id ?? sanitize(id)}`)}  ${palette[TONES[verdict]](words)}`,
    ...becauseOf(orders).map(line),
  ]
  if (signal !== null) {
    const when = new Date(signal.published_ms).toISOString()
    lines.push(line(`${signal.kind}, ${when}, ${signal.source} ${signal.epoch}/${signal.seq}`))
    lines.push(`  ${cutMiddle(sanitize(`pair ${signal.pair}`), Math.max(20, width - 2))}`)
  }
  if (game !== null) {
    const { league, away, home, status, period } = game
    lines.push(
      line(
        `${league} ${game.game_id}: ${away.code} ${away.score} at ${home.code} ${home.score}, ${status}, period ${period}`,
      ),
    )
  }
  lines.push(
    line(
      `found as ${isManual && as === 'signal' ? 'plan' : as.replace('_', ' ')} in ${from === 'redis' ? 'Redis' : 'the journals'}`,
    ),
  )
  return lines
}

type TableOf = <Row>(rows: readonly Row[], columns: readonly Column<Row>[]) => string[]

function edgeLines({ signal, edge }: Explanation, table: TableOf, line: (text: string) => string): string[] {
  if (signal === null) return []
  const said = `payout ${usd(signal.worst_payout_micros)}, gross ${usd(signal.gross_edge_micros)}, fees ${usd(signal.fees_micros)}, net ${usd(signal.net_edge_micros)}`
  if (edge === null) return [line(said), line('not computed again: a book is missing')]
  const again =
    edge.agrees === true
      ? 'computed again from the books below: the same'
      : `computed again: gross ${usd(edge.gross_edge_micros)}, fees ${orUnknown(edge.fees_micros)}, net ${orUnknown(edge.net_edge_micros)}${edge.agrees === false ? ': NOT the same' : ''}`
  return [...table(edge.legs, LEG_COLUMNS), line(said), line(again)]
}

const LEG_COLUMNS: readonly Column<LegEdge>[] = [
  { title: 'venue', value: ({ venue }) => venue },
  { title: 'market', value: ({ market_id: id }) => cutMiddle(sanitize(id), 30), minWidth: 14 },
  { title: 'outcome', value: ({ outcome }) => outcome },
  { title: 'takes', value: ({ takes }) => takes.map(({ size, price }) => `${size} @ ${price}`).join(', ') },
  { title: 'cost', value: ({ cost_micros: micros }) => usd(micros), align: 'right' },
  { title: 'fees', value: ({ fees_micros: micros }) => orUnknown(micros), align: 'right' },
]

const best = ({ payload }: ExplainedInput): string => {
  if (payload === null) return 'gone'
  if ('bids' in payload) return `${payload.bids.length} bids, ${payload.asks.length} asks`
  return `bid ${payload.yes_bid ?? '-'} ask ${payload.yes_ask ?? '-'}`
}

const INPUT_COLUMNS: readonly Column<ExplainedInput>[] = [
  { title: 'source', value: ({ source }) => source },
  { title: 'seq', value: ({ seq }) => String(seq), align: 'right' },
  { title: 'age', value: ({ age_us: us }) => formatUs(us), align: 'right' },
  { title: 'state', value: ({ payload }) => payload?.state ?? '-' },
  { title: 'quote', value: best },
  { title: '', value: ({ is_trigger: isTrigger }) => (isTrigger ? 'the trigger' : ''), tone: () => 'good' },
]

export const CHECK_COLUMNS: readonly Column<CheckPayload>[] = [
  { title: 'check', value: ({ name }) => name },
  { title: 'found', value: ({ name, value }) => checkFigure(name, value), align: 'right' },
  { title: 'allowed', value: ({ name, limit }) => checkFigure(name, limit), align: 'right' },
  {
    title: '',
    value: ({ value, limit }) => (value <= limit ? 'ok' : 'over'),
    tone: ({ value, limit }) => (value <= limit ? 'good' : 'bad'),
  },
]

/** `delayed +146 ms, filled +1,164 ms`: since its intent; that it was sent goes without saying where more is known. */
function story({ events }: ExplainedOrder): string {
  const startMs = events[0]?.at_ms ?? 0
  const isTold = (state: string): boolean => state !== 'intent' && state !== 'sent'
  const told = events.some(({ state }) => isTold(state))
    ? events.filter(({ state }) => isTold(state))
    : events
  return told
    .map(({ state, at_ms: atMs, reason, because }) => {
      const since = atMs === startMs ? '' : ` +${(atMs - startMs).toLocaleString('en-US')} ms`
      return `${state}${since}${reason === undefined ? '' : ` (${because === undefined ? reason : codeIn(reason)})`}`
    })
    .join(', ')
}

const ORDER_COLUMNS: readonly Column<ExplainedOrder>[] = [
  { title: 'leg', value: ({ leg, attempt }) => `${leg}.${attempt}` },
  { title: 'order', value: ({ order_id: id }) => cutText(sanitize(id), 9), dropOrder: 2 },
  { title: 'venue', value: ({ venue }) => venue },
  { title: 'wanted', value: ({ side, outcome, size, limit }) => `${side} ${size} ${outcome} @ ${limit}` },
  { title: 'what happened', value: story, minWidth: 20 },
  {
    title: 'filled',
    value: ({ trade }) => (trade === null ? '-' : String(trade.filled_size)),
    align: 'right',
  },
  {
    title: 'cash',
    value: ({ trade }) => (trade === null ? '-' : usd(trade.cash_micros)),
    align: 'right',
    dropOrder: 1,
  },
]

function money({ totals, orders, is_manual: isManual }: Explanation): string {
  const { filled, cash_micros: cash, fees_micros: fees, locked_micros: locked } = totals
  if (isManual) {
    const isSale = orders.some(({ side }) => side === 'sell')
    const [size = 0] = filled
    return `${isSale ? 'sold' : 'bought'} ${size}; ${isSale ? 'got' : 'paid'} ${usd(cash)}, and ${usd(fees)} of fees`
  }
  const legs = filled.map((size, leg) => `leg ${leg} ${size}`).join(', ')
  const left = locked === null ? '' : `; the contracts pay ${usd(locked)} more than that at least`
  return `filled ${legs || 'nothing'}; paid ${usd(cash)} and ${usd(fees)} of fees${left}`
}

interface HopRow {
  readonly hop: string
  readonly time: string
}

function hopRows({ hops }: Explanation): HopRow[] {
  const { venue_monitor_ms: venueMs, ...rest } = hops
  const us = (hop: string, value: number | null): HopRow => ({
    hop,
    time: value === null ? 'unknown' : formatUs(value),
  })
  return [
    {
      hop: 'venue to monitor, by two wall clocks',
      time: venueMs === null ? 'unknown' : `${venueMs} ms`,
    },
    us('monitor: frame to quote', rest.monitor_us),
    us('monitor to shard', rest.monitor_shard_us),
    us('decision', rest.decision_us),
    us('shard to exec', rest.shard_exec_us),
    us('exec: signal to order bytes', rest.exec_order_us),
    us('tick to order', rest.tick_to_order_us),
  ]
}

const HOP_COLUMNS: readonly Column<HopRow>[] = [
  { title: 'hop', value: ({ hop }) => hop },
  { title: 'took', value: ({ time }) => time, align: 'right' },
]
