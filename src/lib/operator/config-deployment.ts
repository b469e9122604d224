/** What a role would refuse of settings that can each be read, and what is hardly meant. */

import type { SettingKey, Settings } from '../core/config.js'
import { ArbeesError, messageOf } from '../core/errors.js'
import { LEAGUES } from '../model/game.js'
import { parseRedisUrl } from '../redis/url.js'
import { allEndpoints } from '../roles/wiring.js'

export interface DeploymentFault {
  readonly error: ArbeesError
  /** The settings that it is about; the first of them that is set is the place. */
  readonly keys: readonly SettingKey[]
  /** No role refuses it. */
  readonly isWarning: boolean
}

export const deploymentFaults = (settings: Settings): DeploymentFault[] => [
  ...redisFaults(settings),
  ...leagueFaults(settings),
  ...sharedEndpoints(settings),
  ...limitsWithoutEffect(settings),
]

const fault = (
  message: string,
  hint: string,
  keys: readonly SettingKey[],
  isWarning = false,
): DeploymentFault => ({
  ...{ error: new ArbeesError('BAD_CONFIG', message, { hint }), keys, isWarning },
})

function redisFaults({ redis_url: url }: Settings): DeploymentFault[] {
  try {
    parseRedisUrl(url)
    return []
  } catch (error) {
    const known = error instanceof ArbeesError ? error : new ArbeesError('BAD_CONFIG', messageOf(error))
    return [{ error: known, keys: ['redis_url'], isWarning: false }]
  }
}

const leagueFaults = ({ leagues }: Settings): DeploymentFault[] =>
  leagues
    .filter((name) => !(LEAGUES as readonly string[]).includes(name))
    .map((name) => fault(`leagues has '${name}'`, `any of: ${LEAGUES.join(', ')}`, ['leagues']))

/** A port that the system chooses is another one for each. */
const ANY_PORT = /:[*0]$/

/** Sockets of two publishers at one address; said once of two publishers. */
function sharedEndpoints(settings: Settings): DeploymentFault[] {
  const sockets = allEndpoints(settings)
    .filter(({ legacy }) => legacy !== true)
    .flatMap(({ publisher, url, recoveryUrl }) => {
      const name = publisher.startsWith('shard-') ? 'shards' : publisher
      const [own, recovery] = [`endpoints.${name}`, `recovery.${name}`] as [SettingKey, SettingKey]
      return [
        { publisher, what: publisher, url, keys: [own] },
        { publisher, what: `${publisher}'s recovery socket`, url: recoveryUrl ?? '', keys: [recovery, own] },
      ]
    })
    .filter(({ url }) => url !== '' && !ANY_PORT.test(url))
  const byUrl = new Map<string, (typeof sockets)[number]>()
  const told = new Set<string>()
  return sockets.flatMap((socket) => {
    const other = byUrl.get(socket.url)
    byUrl.set(socket.url, other ?? socket)
    const pair = `${other?.publisher ?? ''} ${socket.publisher}`
    if (other === undefined || told.has(pair)) return []
    told.add(pair)
    const keys = [...socket.keys, ...other.keys]
    return [
      fault(
        `${other.what} and ${socket.what} would both bind ${socket.url}`,
        `give each an address of its own: ${[...new Set([other.keys[0], socket.keys[0]])].join(', ')}`,
        keys,
      ),
    ]
  })
}

/** A warning alone: who lowers the total in a hurry must not be kept from it. */
function limitsWithoutEffect(settings: Settings): DeploymentFault[] {
  const order = settings['limits.order_usd']
  return (['limits.game_usd', 'limits.total_usd'] as const)
    .filter((key) => settings[key] < order)
    .map((key) =>
      fault(
        `limits.order_usd is ${order}, more than ${key} (${settings[key]}) lets through`,
        `the lower one holds; set limits.order_usd to ${settings[key]} or less, or raise ${key}`,
        [key, 'limits.order_usd'],
        true,
      ),
    )
}
