/** How a role that reads the bus tells of the way it reads. */

import type { BusReaderOptions } from '../history/bus-reader.js'
import type { RoleContext } from './role.js'

/** The setting that chooses the way, the Redis behind it, and what is logged and counted of both. */
export function busReading({
  settings,
  counters,
  log,
}: RoleContext): Pick<BusReaderOptions, 'redisUrl' | 'onLink' | 'onRedisDown' | 'onRegression'> {
  return {
    redisUrl: settings.redis_url,
    onLink: (publisher, state) => {
      counters.set(`silent:${publisher}`, state === 'LIVE' || state === 'REJOIN' ? 0 : 1)
      if (state === 'FALLBACK') {
        counters.add('fallbacks')
        log.warn(`${publisher} is silent here and not in Redis: read there until it is heard again`)
      } else if (state === 'DEAD') {
        log.warn(`${publisher} is silent, in Redis too`)
      } else if (state === 'LIVE') {
        log.info(`${publisher} is heard again, nothing is missing`)
      }
    },
    onRegression: (source, regression) => {
      counters.set(`epoch_regressed:${source}`, regression === undefined ? 0 : 1)
      if (regression === undefined) return log.info(`${source} lives in a later epoch: it is read again`)
      const { epoch, latest } = regression
      log.error(
        `nothing of ${source} is taken: its epoch ${epoch} is before ${latest}, which was read; start its publisher with --epoch-floor ${latest + 1}`,
      )
    },
    onRedisDown: ({ message }) => log.warn(`${message}: nothing is read there until it answers`),
  }
}
