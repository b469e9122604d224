/** With --live: the venues answer, and how far our clock is from theirs. */

import type { Clock } from '../core/clock.js'
import type { Settings } from '../core/config.js'
import { messageOf } from '../core/errors.js'
import { venueUrls } from '../venues/urls.js'
import type { VenueUrls } from '../venues/urls.js'
import { checkKalshiKeys } from './doctor-kalshi.js'
import { failed, ok, warning } from './doctor-report.js'
import type { DoctorCheck } from './doctor-report.js'
import { MOST_SKEW_MS, skewMs, wordsOfSkew } from './doctor-skew.js'

const TIMEOUT_MS = 5_000

/** One request each of what needs no key, and one for each Kalshi key. */
export async function checkVenues(settings: Settings, clock: Clock): Promise<DoctorCheck[]> {
  let urls: VenueUrls
  try {
    urls = venueUrls(settings)
  } catch (error) {
    const mend = 'correct it in the settings, or unset it: the URL of this env is built in'
    return [failed('venues', messageOf(error), mend)]
  }
  const asked: readonly (readonly [name: string, url: string])[] = [
    ['venue kalshi', `${urls.kalshiRest}/exchange/status`],
    ['venue polymarket', `${urls.clob}/time`],
    ['catalog gamma', `${urls.gamma}/sports`],
    ['scores espn', `${urls.espn}/apis/site/v2/sports/basketball/nba/scoreboard`],
  ]
  const keys = checkKalshiKeys(settings, urls.kalshiRest, clock)
  const answers = await Promise.all(asked.map(([name, url]) => checkUrl(name, url, clock)))
  return [...answers, ...(await keys)]
}

async function checkUrl(name: string, url: string, clock: Clock): Promise<DoctorCheck> {
  const { host } = new URL(url)
  try {
    const beforeMs = clock.nowMs()
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) })
    const { status: statusCode, headers } = response
    await response.body?.cancel()
    const afterMs = clock.nowMs()
    const took = `${host} answered ${statusCode} in ${afterMs - beforeMs} ms`
    if (statusCode >= 500 || statusCode === 403 || statusCode === 451) {
      return failed(name, took, 'it is down, or refuses this region: arbees does not go around that')
    }
    const skew = skewMs(headers.get('date'), beforeMs, afterMs, headers.get('age'))
    if (skew === undefined) return ok(name, `${took}; it tells no time`)
    const clocks = wordsOfSkew(skew)
    return Math.abs(skew) <= MOST_SKEW_MS
      ? ok(name, `${took}, ${clocks}`)
      : warning(name, `${took}, ${clocks}`, 'synchronise this host (chrony, systemd-timesyncd)')
  } catch (error) {
    // fetch hides what happened behind "fetch failed".
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
    return failed(
      name,
      `${host}: ${messageOf(cause)}`,
      'is the network up, and its URL in the settings right?',
    )
  }
}
