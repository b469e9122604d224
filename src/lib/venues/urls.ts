/** Where each venue answers, by env. `arbees monitor kalshi --env sim|demo|prod` differ by this and credentials alone. */

import type { Settings } from '../core/config.js'
import { ArbeesError, EXIT } from '../core/errors.js'

export interface VenueUrls {
  readonly kalshiRest: string
  readonly kalshiWs: string
  readonly clob: string
  /** Says whether Polymarket serves us; no setting moves it. */
  readonly geoblock: string
  readonly polyWs: string
  readonly gamma: string
  readonly espn: string
  /** Second source of game states; undefined where there is none. */
  readonly sports: string | undefined
}

/** Default ports of the simulator. */
const SIM_PORTS = { kalshi: 7001, poly: 7002, gamma: 7003, espn: 7004 } as const

const KALSHI_API = '/trade-api/v2'
const KALSHI_WS = '/trade-api/ws/v2'
/** Where the simulator has the sports channel, on its Polymarket port. */
const SIM_SPORTS = '/ws/sports'
const GEOBLOCK = '/api/geoblock'
const ESPN = 'https://site.api.espn.com'

const BY_ENV: Readonly<Record<Settings['env'], VenueUrls>> = {
  sim: {
    kalshiRest: `http://127.0.0.1:${SIM_PORTS.kalshi}${KALSHI_API}`,
    kalshiWs: `ws://127.0.0.1:${SIM_PORTS.kalshi}${KALSHI_WS}`,
    clob: `http://127.0.0.1:${SIM_PORTS.poly}`,
    geoblock: `http://127.0.0.1:${SIM_PORTS.poly}${GEOBLOCK}`,
    polyWs: `ws://127.0.0.1:${SIM_PORTS.poly}/ws/market`,
    gamma: `http://127.0.0.1:${SIM_PORTS.gamma}`,
    espn: `http://127.0.0.1:${SIM_PORTS.espn}`,
    // Beside the rest of the venue: see below.
    sports: undefined,
  },
  demo: {
    kalshiRest: `https://external-api.demo.kalshi.co${KALSHI_API}`,
    kalshiWs: `wss://external-api-ws.demo.kalshi.co${KALSHI_WS}`,
    // Polymarket has no demo venue: its public data serve, orders stay on paper.
    clob: 'https://clob.polymarket.com',
    geoblock: `https://polymarket.com${GEOBLOCK}`,
    polyWs: 'wss://ws-subscriptions-clob.polymarket.com/ws/market',
    gamma: 'https://gamma-api.polymarket.com',
    espn: ESPN,
    // Polymarket's games are not the demo's.
    sports: undefined,
  },
  prod: {
    kalshiRest: `https://external-api.kalshi.com${KALSHI_API}`,
    kalshiWs: `wss://external-api-ws.kalshi.com${KALSHI_WS}`,
    clob: 'https://clob.polymarket.com',
    geoblock: `https://polymarket.com${GEOBLOCK}`,
    polyWs: 'wss://ws-subscriptions-clob.polymarket.com/ws/market',
    gamma: 'https://gamma-api.polymarket.com',
    espn: ESPN,
    sports: 'wss://sports-api.polymarket.com/ws',
  },
}

/** The URLs in force: a setting, else the env's own. Throws `BAD_URL` (exit 4). */
export function venueUrls(settings: Settings): VenueUrls {
  const defaults = BY_ENV[settings.env]
  const clob = pick(settings['polymarket.clob_url'], defaults.clob, 'polymarket.clob_url')
  return {
    kalshiRest: pick(settings['kalshi.rest_url'], defaults.kalshiRest, 'kalshi.rest_url'),
    kalshiWs: pick(settings['kalshi.ws_url'], defaults.kalshiWs, 'kalshi.ws_url'),
    clob,
    // The simulator is one server.
    geoblock: settings.env === 'sim' ? `${clob}${GEOBLOCK}` : defaults.geoblock,
    polyWs: pick(settings['polymarket.ws_url'], defaults.polyWs, 'polymarket.ws_url'),
    gamma: pick(settings['polymarket.gamma_url'], defaults.gamma, 'polymarket.gamma_url'),
    espn: pick(settings['espn.url'], defaults.espn, 'espn.url'),
    sports: sportsUrl(
      settings['polymarket.sports_ws'],
      settings.env === 'sim' ? `${clob.replace(/^http/, 'ws')}${SIM_SPORTS}` : defaults.sports,
    ),
  }
}

function sportsUrl(given: string, fallback: string | undefined): string | undefined {
  const wanted = given === '' ? fallback : given
  return wanted === undefined || wanted === 'off' ? undefined : pick('', wanted, 'polymarket.sports_ws')
}

function pick(given: string, fallback: string, key: string): string {
  const url = given === '' ? fallback : given.replace(/\/+$/, '')
  if (!URL.canParse(url)) {
    throw new ArbeesError('BAD_URL', `${key} is not a URL: '${url}'`, { exit: EXIT.CONFIG })
  }
  return url
}

/** A port of the simulator, and the setting that moves it. */
export interface SimPort {
  readonly role: string
  readonly host: string
  readonly port: number
  readonly setting: string
}

export type SimPorts = Readonly<Record<keyof typeof SIM_PORTS, SimPort>>

/** Where the simulator listens: where the others will look for it. Throws `BAD_URL` (exit 4). */
export function simPorts(settings: Settings): SimPorts {
  const urls = venueUrls({ ...settings, env: 'sim' })
  requireSamePort(urls.kalshiRest, urls.kalshiWs, 'kalshi.rest_url', 'kalshi.ws_url')
  requireSamePort(urls.clob, urls.polyWs, 'polymarket.clob_url', 'polymarket.ws_url')
  return {
    kalshi: simPort('sim (kalshi)', urls.kalshiRest, 'kalshi.rest_url and kalshi.ws_url'),
    poly: simPort('sim (polymarket)', urls.clob, 'polymarket.clob_url and polymarket.ws_url'),
    gamma: simPort('sim (gamma)', urls.gamma, 'polymarket.gamma_url'),
    espn: simPort('sim (espn)', urls.espn, 'espn.url'),
  }
}

function simPort(role: string, url: string, setting: string): SimPort {
  const { hostname, port } = new URL(url)
  if (hostname !== '127.0.0.1' && hostname !== 'localhost') {
    throw new ArbeesError('BAD_URL', `the simulator serves loopback alone, not ${url} (${setting})`, {
      exit: EXIT.CONFIG,
    })
  }
  return { role, host: '127.0.0.1', port: Number(port), setting }
}

function requireSamePort(first: string, second: string, firstKey: string, secondKey: string): void {
  if (new URL(first).port === new URL(second).port) return
  throw new ArbeesError('BAD_URL', `${firstKey} and ${secondKey} name different ports of the simulator`, {
    exit: EXIT.CONFIG,
  })
}
