/** The venues that exec trades at: the simulator's on sim data, paper on everything else. */

import type { Settings } from '../core/config.js'
import { ArbeesError, EXIT } from '../core/errors.js'
import { PaperVenue } from '../execution/paper-venue.js'
import type { Mode, Venue } from '../model/venue.js'
import { loadKalshiCredentials } from '../venues/kalshi/auth.js'
import { KalshiGateway } from '../venues/kalshi/gateway.js'
import { loadPolymarketCredentials } from '../venues/polymarket/auth.js'
import { PolymarketGateway } from '../venues/polymarket/gateway.js'
import type { OrderGateway } from '../venues/ports.js'
import { venueUrls } from '../venues/urls.js'
import { kalshiKeyFile, polymarketKeyFile } from './credentials.js'
import type { ExecMarkets } from './exec-markets.js'
import type { RoleContext } from './role.js'

/** What a venue takes to answer an order, on paper. */
const PAPER_LATENCY_MS = 100

const CONTRACTS_PER_DOLLAR = 10

/** How exec trades data of this env, whatever else is configured: live against the simulator, else on paper. */
export const modeOfEnv = (env: Settings['env']): Mode => (env === 'sim' ? 'live' : 'paper')

/**
 * Live against the simulator, paper on everything else. Throws `LIVE_REFUSED` (exit REFUSED) when a trading key is
 * configured for demo or prod data: exec would not use it, and whoever set it expects real orders.
 */
export function modeOf(settings: Settings): Mode {
  if (settings.env === 'sim') return 'live'
  for (const key of ['kalshi.trading_credentials_file', 'polymarket.credentials_file'] as const) {
    if (settings[key] === '') continue
    throw new ArbeesError(
      'LIVE_REFUSED',
      `${key} is set, but exec trades ${settings.env} data on paper only`,
      {
        exit: EXIT.REFUSED,
        hint: `unset ${key}: there is no live trading on ${settings.env}`,
      },
    )
  }
  return 'paper'
}

/** `onBrake`: a venue itself stops our orders. Throws ArbeesError (exit CONFIG) for missing or unusable credentials. */
export function createGateways(
  { settings, clock, log }: RoleContext,
  mode: Mode,
  markets: ExecMarkets,
  onBrake: (reason: string) => void,
): Readonly<Record<Venue, OrderGateway>> {
  if (mode === 'paper') {
    const paper = (venue: Venue) =>
      new PaperVenue({
        venue,
        latencyMs: PAPER_LATENCY_MS,
        bookOf: (marketId) => markets.bookOf(venue, marketId, clock.monoUs()),
      })
    const venues = { kalshi: paper('kalshi'), poly: paper('poly') }
    markets.onBook = (venue, marketId, book) => venues[venue].see(marketId, book)
    return venues
  }
  const urls = venueUrls(settings)
  return {
    kalshi: new KalshiGateway({
      baseUrl: urls.kalshiRest,
      wsUrl: urls.kalshiWs,
      credentials: loadKalshiCredentials(kalshiKeyFile(settings, 'trade')),
      clock,
      subaccount: settings['kalshi.subaccount'],
      // Only the simulator answers from no cache.
      ...(settings.env === 'sim' ? { cacheMs: 0 } : {}),
      orderGroup: { contractsLimit: groupContracts(settings), isRequired: settings.env !== 'sim' },
      onNotice: (level, text) => log[level](text),
      onBrake,
    }),
    poly: new PolymarketGateway({
      restUrl: urls.clob,
      geoblockUrl: urls.geoblock,
      onNotice: (level, text) => log[level](text),
      credentials: loadPolymarketCredentials({ path: polymarketKeyFile(settings) }),
      clock,
    }),
  }
}

/** Contracts in 15 s beyond which Kalshi itself refuses ours: as set, else what all that may be risked buys at ten cents. */
const groupContracts = (settings: Settings): number =>
  settings['kalshi.group_contracts'] || Math.max(1, settings['limits.total_usd'] * CONTRACTS_PER_DOLLAR)
