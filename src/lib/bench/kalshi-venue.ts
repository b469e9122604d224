/** The simulated Kalshi of `arbees bench kalshi`, in a process of its own: signatures, rate limits and matching as ever. */

import { systemClock } from '../core/clock.js'
import { messageOf } from '../core/errors.js'
import { Exchange } from '../sim/exchange.js'
import { KALSHI_BASE } from '../sim/kalshi/costs.js'
import { startKalshi } from '../sim/kalshi-server.js'
import { Scenario } from '../sim/scenario.js'
import { StatsCounter } from '../sim/stats.js'
import { serveParent } from './bench-child.js'
import type { FromKalshiVenue, ToKalshiVenue } from './kalshi-messages.js'

/** 800 orders a second and account: what is measured never waits for a limit, and the limit is there. */
const USAGE_TIER = 'prestige'
/** The games stand still: makers that requote would take turns of the loop that answers orders. */
const SPEED = 0.001
const HOST = '127.0.0.1'

async function start({ keys }: ToKalshiVenue): Promise<FromKalshiVenue> {
  const exchange = new Exchange(
    new Scenario({ seed: 1, nowMs: systemClock.nowMs(), speed: SPEED }),
    systemClock,
    SPEED,
  )
  const { port } = await startKalshi({
    exchange,
    stats: new StatsCounter(),
    host: HOST,
    port: 0,
    speed: SPEED,
    tape: undefined,
    faults: [],
    accounts: {
      usage_tier: USAGE_TIER,
      keys: keys.map(({ keyId, publicKey }) => ({
        key_id: keyId,
        account: keyId,
        scope: 'write',
        public_key: publicKey,
      })),
    },
  })
  exchange.start(
    () => undefined,
    (error) => void process.stderr.write(`simulated Kalshi: ${messageOf(error)}\n`),
  )
  const market = exchange.games.at(-1)?.kalshi[0]
  if (market === undefined) throw new Error('the scenario has no game')
  const { id: marketId, exchangeIndex } = market
  return { type: 'listening', baseUrl: `http://${HOST}:${port}${KALSHI_BASE}`, marketId, exchangeIndex }
}

serveParent<ToKalshiVenue, FromKalshiVenue>(start)
