/** US Eastern calendar days: what both venues and the scoreboard call a game's date. */

const PARTS = new Intl.DateTimeFormat('en-CA', {
  timeZone: 'America/New_York',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
})

function partsOf(unixMs: number): Record<string, string> {
  return Object.fromEntries(PARTS.formatToParts(unixMs).map(({ type, value }) => [type, value]))
}

/** `YYYY-MM-DD` in New York. */
export function easternDate(unixMs: number): string {
  const { year, month, day } = partsOf(unixMs)
  return `${year}-${month}-${day}`
}

/** Milliseconds since New York's midnight, as its clock shows them. */
export function easternMsOfDay(unixMs: number): number {
  const { hour, minute, second } = partsOf(unixMs)
  return ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1000 + (unixMs % 1000)
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'] as const

/** `2026-06-13` -> `26JUN13`, as Kalshi's event tickers carry it. */
export function tickerDate(date: string): string {
  const [year = '', month = '', day = ''] = date.split('-')
  return `${year.slice(2)}${MONTHS[Number(month) - 1] ?? ''}${day}`
}

/** `2026-06-13` -> `Jun 13`. */
export function shortDate(date: string): string {
  const [, month = '', day = ''] = date.split('-')
  const name = MONTHS[Number(month) - 1] ?? ''
  return `${name.slice(0, 1)}${name.slice(1).toLowerCase()} ${Number(day)}`
}
