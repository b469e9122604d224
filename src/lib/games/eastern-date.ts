/** The US Eastern calendar day: what the scoreboard and both venues call a game's date. */

const FORMAT = new Intl.DateTimeFormat('en-CA', {
  timeZone: 'America/New_York',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
})

/** `YYYY-MM-DD` in New York at a Unix time in ms. */
export const easternDate = (unixMs: number): string => FORMAT.format(unixMs)

/** The calendar day before, `YYYY-MM-DD`. */
export const dayBefore = (date: string): string => daysLater(date, -1)

/** The calendar day after, `YYYY-MM-DD`. */
export const dayAfter = (date: string): string => daysLater(date, 1)

const daysLater = (date: string, days: number): string =>
  new Date(Date.parse(`${date}T12:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10)

const CLOCK = new Intl.DateTimeFormat('en-US', {
  timeZone: 'America/New_York',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
})

/** Minutes since midnight in New York at a Unix time in ms. */
export function easternMinutes(unixMs: number): number {
  const [hours = 0, minutes = 0] = CLOCK.format(unixMs).split(':').map(Number)
  return hours * 60 + minutes
}
