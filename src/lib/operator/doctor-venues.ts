/** With --live: the venues answer, and how far our clock is from theirs. */

import WebSocket from 'ws'
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
  // The scoreboard refuses other names than honest ones with a link.
  const agent = { 'user-agent': settings['espn.user_agent'] }
  const keys = checkKalshiKeys(settings, urls.kalshiRest, clock)
  const answers = await Promise.all(asked.map(([name, url]) => checkUrl(name, url, clock, agent)))
  return [...answers, await checkSports(urls.sports, agent), ...(await keys)]
}

/** Who connects hears of every game, and a ping within 5 s; that it opens is enough here. */
function checkSports(
  url: string | undefined,
  headers: Readonly<Record<string, string>>,
): Promise<DoctorCheck> {
  const name = 'scores polymarket'
  if (url === undefined) {
    const why = 'off: the scoreboard is the only source of game states (polymarket.sports_ws)'
    return Promise.resolve(ok(name, why))
  }
  const { host } = new URL(url)
  const begunMs = performance.now()
  const socket = new WebSocket(url, { headers, handshakeTimeout: TIMEOUT_MS, maxPayload: 1024 * 1024 })
  return new Promise((resolve) => {
    socket.once('open', () => {
      resolve(ok(name, `${host} opened in ${Math.round(performance.now() - begunMs)} ms`))
      socket.terminate()
    })
    socket.on('error', (error) => {
      const mend =
        'is the network up, and polymarket.sports_ws right? Without it only the scoreboard is heard'
      resolve(warning(name, `${host}: ${messageOf(error)}`, mend))
    })
  })
}

async function checkUrl(
  name: string,
  url: string,
  clock: Clock,
  agent: Readonly<Record<string, string>>,
): Promise<DoctorCheck> {
  const { host } = new URL(url)
  try {
    const beforeMs = clock.nowMs()
    const response = await fetch(url, { headers: agent, signal: AbortSignal.timeout(TIMEOUT_MS) })
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
