/**
 * The simulated venues in one: Kalshi, Polymarket, Gamma and ESPN on loopback, all telling one scenario.
 */

import { systemClock, type Clock } from '../core/clock.js'
import { ArbeesError, EXIT, messageOf } from '../core/errors.js'
import { Lifecycle } from '../core/lifecycle.js'
import type { Venue } from '../model/venue.js'
import { readPublicAccounts } from './accounts.js'
import { startEspn } from './espn-server.js'
import { Exchange } from './exchange.js'
import { readFaults } from './fault-script.js'
import { startGamma } from './gamma-server.js'
import { KALSHI_WS_PATH, startKalshi } from './kalshi-server.js'
import { KALSHI_BASE } from './kalshi/costs.js'
import type { PolyPace } from './poly-pace.js'
import { POLY_WS_PATH, startPolymarket } from './polymarket-server.js'
import { SPORTS_WS_PATH } from './polymarket/sports-channel.js'
import { Scenario } from './scenario.js'
import { StatsCounter, type SimStats } from './stats.js'
import { readTape } from './tape.js'

export interface SimulatorOptions {
  /** Same seed, same scenario. */
  readonly seed: number
  /** Scenario seconds per real second. */
  readonly speed: number
  /** A loopback address; 127.0.0.1 when not said. */
  readonly host?: string
  /** 0 takes any free port. */
  readonly ports: {
    readonly kalshi: number
    readonly poly: number
    readonly gamma: number
    readonly espn: number
  }
  /** Where `createSimAccounts` wrote. */
  readonly accountsDir: string
  /** Recorded market data to play instead of the scenario's (see `tape.ts`). */
  readonly tape?: string
  /** A script of what goes wrong (see `faults.ts`). */
  readonly faults?: string
  /** Games under way at any time; 4 when not said. */
  readonly games?: number
  /** How long Polymarket takes; as the venue does when not said. */
  readonly polyPace?: PolyPace
  readonly clock?: Clock
  onNotice(level: 'info' | 'warn' | 'error', text: string): void
}

export interface Simulator {
  readonly urls: {
    readonly kalshiRest: string
    readonly kalshiWs: string
    readonly clob: string
    readonly polyWs: string
    readonly gamma: string
    readonly espn: string
    readonly sports: string
  }
  stats(): SimStats
  /** Closes every socket and stops every timer; safe to call twice. */
  close(): Promise<void>
}

const LOOPBACK = /^(127(\.\d{1,3}){3}|::1|localhost)$/

/**
 * Starts everything. Rejects with `PORT_IN_USE` (exit 1, naming the port and `sim`), `SIM_ACCOUNTS`,
 * `BAD_TAPE` or `BAD_FAULTS` (exit 4), `BAD_BIND` or `BAD_SPEED` (exit 2); what had started is closed again.
 */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const { seed, speed, host = '127.0.0.1', ports, clock = systemClock } = options
  if (!LOOPBACK.test(host)) {
    throw new ArbeesError('BAD_BIND', `the simulator listens on loopback only, not on '${host}'`, {
      exit: EXIT.USAGE,
    })
  }
  if (!(speed > 0) || !Number.isFinite(speed)) {
    throw new ArbeesError('BAD_SPEED', `speed must be above 0, not ${speed}`, { exit: EXIT.USAGE })
  }
  const accounts = await readPublicAccounts(options.accountsDir)
  const tape = options.tape === undefined ? undefined : await readTape(options.tape)
  const faults = options.faults === undefined ? [] : await readFaults(options.faults)
  const scenario = new Scenario({
    seed,
    nowMs: clock.nowMs(),
    speed,
    ...(options.games !== undefined && { games: options.games }),
    ...(options.polyPace !== undefined && { polyPace: options.polyPace }),
  })
  const exchange = new Exchange(scenario, clock, speed)
  const stats = new StatsCounter()
  const lifecycle = new Lifecycle()
  lifecycle.defer('exchange', () => exchange.stop())
  const start = async (
    name: string,
    starting: Promise<{ port: number; close(): Promise<void> }>,
  ): Promise<number> => {
    const server = await starting
    lifecycle.defer(name, () => server.close())
    return server.port
  }
  try {
    const venue = { exchange, stats, host, speed, tape }
    const faultsOf = (at: Venue) => faults.filter((fault) => fault.venue === at)
    const kalshi = await start(
      'kalshi',
      startKalshi({ ...venue, accounts: accounts.kalshi, port: ports.kalshi, faults: faultsOf('kalshi') }),
    )
    const poly = await start(
      'poly',
      startPolymarket({
        ...venue,
        seed,
        accounts: accounts.polymarket,
        port: ports.poly,
        faults: faultsOf('poly'),
      }),
    )
    const gamma = await start('gamma', startGamma({ exchange, stats, host, port: ports.gamma }))
    const readStats = () => stats.read()
    const espn = await start('espn', startEspn({ exchange, stats, host, port: ports.espn, readStats }))
    exchange.start(
      (wallMs) => stats.alive(wallMs),
      (error) => options.onNotice('error', `sim: a step of the scenario failed: ${messageOf(error)}`),
    )
    stats.alive(clock.nowMs())
    const games = exchange.games.map(({ away, home }) => `${away.espn}@${home.espn}`).join(' ')
    options.onNotice('info', `sim: seed ${seed}, speed ${speed}, ${tape === undefined ? games : 'tape'}`)
    const authority = host === '::1' ? '[::1]' : host
    return {
      urls: {
        kalshiRest: `http://${authority}:${kalshi}${KALSHI_BASE}`,
        kalshiWs: `ws://${authority}:${kalshi}${KALSHI_WS_PATH}`,
        clob: `http://${authority}:${poly}`,
        polyWs: `ws://${authority}:${poly}${POLY_WS_PATH}`,
        gamma: `http://${authority}:${gamma}`,
        espn: `http://${authority}:${espn}`,
        sports: `ws://${authority}:${poly}${SPORTS_WS_PATH}`,
      },
      stats: readStats,
      close: async () => {
        await lifecycle.close()
      },
    }
  } catch (error) {
    await lifecycle.close()
    throw error
  }
}
