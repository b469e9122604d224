/** Whether the venue serves where we are: asked before anything else, and anything but a clear yes is a no. */

import { ArbeesError, EXIT } from '../../core/errors.js'
import { sanitize } from '../../core/sanitize.js'
import { VenueHttp } from './http.js'

const TIMEOUT_MS = 3000

/** `url` answers `{blocked, country, region}`. Throws `REGION_BLOCKED` (exit REFUSED), `VENUE_UNREACHABLE`, `VENUE_BAD_ANSWER`. */
export async function requireServedRegion(url: string): Promise<void> {
  const { origin, pathname } = new URL(url)
  const http = new VenueHttp(origin)
  try {
    const answer = await http.getJson(pathname, TIMEOUT_MS)
    const { blocked, country, region } =
      typeof answer === 'object' && answer !== null ? (answer as Readonly<Record<string, unknown>>) : {}
    if (blocked === false) return
    const place = [country, region].filter((part) => typeof part === 'string' && part !== '').join(' ')
    const where = place === '' ? 'this region' : sanitize(place, 20)
    throw new ArbeesError(
      'REGION_BLOCKED',
      blocked === true
        ? `Polymarket does not serve ${where}`
        : `Polymarket does not say that it serves ${where}`,
      {
        exit: EXIT.REFUSED,
        hint: 'arbees sends no order from where the venue takes none, and offers no way around',
      },
    )
  } finally {
    await http.close()
  }
}
