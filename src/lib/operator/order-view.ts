/** A manual order for people: what would be sent, and what became of it. */

import { sanitize } from '../core/sanitize.js'
import { createPalette } from '../view/palette.js'
import type { Tone } from '../view/palette.js'
import { renderTable } from '../view/table.js'
import type { TableOptions } from '../view/table.js'
import { CHECK_COLUMNS } from './explain-view.js'
import type { OrderPlan } from './order-plan.js'
import type { OrderReport, OrderResult } from './order.js'

const usd = (micros: number): string => `$${(micros / 1e6).toFixed(4).replace(/00$/, '')}`
const price = (value: number | null): string => (value === null ? '-' : value.toFixed(4).replace(/00$/, ''))

/** Lines without a newline at the end. */
export function renderPlan(plan: OrderPlan, { color }: Pick<TableOptions, 'color'>): string {
  const { strong, dim, bad } = createPalette(color)
  const { side, size, outcome, limit, venue, market_id: id, env, mode, quote, fee_micros: fee } = plan
  const isReal = mode === 'live' && env !== 'sim'
  const cash =
    side === 'buy' ? `pays ${usd(plan.cash_micros)} at most` : `gets ${usd(plan.cash_micros)} at least`
  const spends =
    venue === 'poly' && side === 'buy' ? '; it spends dollars: at better prices it gets more contracts' : ''
  const isQuoted = quote !== null && quote.state === 'LIVE'
  const row = (title: string, text: string) => `  ${dim(title.padEnd(8))}${text}`
  return [
    strong(`${side} ${size} ${outcome} @ ${limit}  ${venue} ${sanitize(id)}`),
    row('market', plan.title ?? 'not told of by any game: exec will deny it unless it knows more'),
    row(
      'quote',
      quote === null
        ? 'nobody has told one'
        : `${outcome} bid ${price(quote.bid)} ask ${price(quote.ask)}${isQuoted ? '' : ` (${quote.state})`}`,
    ),
    row(
      'money',
      `${cash} for all of it, and ${fee === null ? 'fees that are not known here' : `about ${usd(fee)} of fees at most`}`,
    ),
    row('order', `immediate or cancel: what the book does not take at once is given up${spends}`),
    row('mode', isReal ? bad(`LIVE on ${env}: real money`) : `${mode} on ${env} data`),
  ].join('\n')
}

const TONES: Readonly<Record<OrderResult, Tone>> = {
  filled: 'good',
  partial: 'good',
  nothing: 'plain',
  denied: 'warn',
  expired: 'warn',
  refused: 'warn',
  rejected: 'bad',
  voided: 'bad',
  open: 'warn',
  unknown: 'bad',
}

/** Lines without a newline at the end. */
export function renderOrder(report: OrderReport, options: TableOptions): string {
  const { result, checks, order_id: id, ms } = report
  const palette = createPalette(options.color)
  const isDenied = result === 'denied' || result === 'expired'
  return [
    `${palette[TONES[result]](sanitize(wordsOf(report)))} ${palette.dim(`(${(ms / 1000).toFixed(2)} s)`)}`,
    ...(isDenied && checks.length > 0 ? [renderTable(checks, CHECK_COLUMNS, options)] : []),
    palette.dim(id === null ? `on record, if at all, as ${report.signal_id}` : `order ${id}`),
  ].join('\n')
}

function wordsOf({
  result,
  reason,
  filled,
  cash_micros: cash,
  fees_micros: fees,
  plan,
}: OrderReport): string {
  const why = reason === null ? '' : `: ${reason}`
  const verb = plan.side === 'buy' ? 'bought' : 'sold'
  const money =
    cash === null || fees === null
      ? 'its money is not told yet'
      : `${plan.side === 'buy' ? 'paid' : 'got'} ${usd(cash)}, fees ${usd(fees)}`
  switch (result) {
    case 'filled':
    case 'partial': {
      const at = cash === null ? '' : ` at ${price(cash / filled / 1e6)}`
      const part = result === 'partial' ? ` of ${plan.size}` : ''
      return `${verb} ${filled}${part} ${plan.outcome}${at}, ${money}`
    }
    case 'nothing':
      return 'nothing filled: the book had none at the limit'
    case 'open':
      return 'no outcome in time'
    case 'unknown':
      return `UNKNOWN${why}${filled > 0 ? `; ${filled} filled for certain` : ''}`
    case 'voided':
      return `the venue took back a fill of ${filled}`
    case 'rejected':
      return `the venue rejected it${why}`
    default:
      return `${result}${why}`
  }
}
