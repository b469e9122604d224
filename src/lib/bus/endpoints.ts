/** Who binds where, and which channels each publisher owns. */

import { isIP } from 'node:net'
import { ArbeesError, EXIT } from '../core/errors.js'
import {
  GAMES_SOURCE,
  ORDERS_SOURCE,
  TRADES_SOURCE,
  orderbookSource,
  pricesSource,
  signalsSource,
} from '../messages/sources.js'
import type { BusKeys } from './curve.js'

/** A publisher as its subscribers know it. */
export interface PublisherEndpoint {
  /** `kalshi`, `poly`, `orchestrator`, `shard-<i>`, `exec`; for a legacy sender any name. */
  readonly publisher: string
  /** Where it is reached, `tcp://127.0.0.1:5555`. */
  readonly url: string
  /** Where its journal and snapshots are asked for; not of a legacy sender. */
  readonly recoveryUrl?: string
  /** The only sources that may come from there. */
  readonly sources: readonly string[]
  /** A sender of the first design: bare bodies are accepted, unguarded. */
  readonly legacy?: boolean
}

const FIXED_PORTS: Readonly<Record<string, number>> = {
  kalshi: 5555,
  poly: 5556,
  orchestrator: 5557,
  'shard-0': 5558,
  exec: 5560,
}
const FIRST_EXTRA_SHARD_PORT = 5570

export const shardPublisher = (index: number): string => `shard-${index}`

/** The default port of a publisher. Throws `UNKNOWN_PUBLISHER`. */
export function defaultPort(publisher: string): number {
  const port = FIXED_PORTS[publisher]
  if (port !== undefined) return port
  const shard = /^shard-([1-9]\d{0,2})$/.exec(publisher)?.[1]
  if (shard === undefined) throw new ArbeesError('UNKNOWN_PUBLISHER', `no publisher is named '${publisher}'`)
  return FIRST_EXTRA_SHARD_PORT + Number(shard)
}

/** The recovery socket of a publisher, when nothing else is said: its port + 1000. */
export function recoveryUrlOf(url: string): string {
  const port = /:(\d+)$/.exec(url)?.[1]
  return port === undefined ? url : `${url.slice(0, -port.length)}${Number(port) + 1_000}`
}

/** The channels of a publisher. Throws `UNKNOWN_PUBLISHER`. */
export function sourcesOf(publisher: string): readonly string[] {
  switch (publisher) {
    case 'kalshi':
    case 'poly':
      return [orderbookSource(publisher), pricesSource(publisher)]
    case 'orchestrator':
      return [GAMES_SOURCE]
    case 'exec':
      return [ORDERS_SOURCE, TRADES_SOURCE]
    default: {
      const shard = /^shard-(\d{1,3})$/.exec(publisher)?.[1]
      if (shard === undefined)
        throw new ArbeesError('UNKNOWN_PUBLISHER', `no publisher is named '${publisher}'`)
      return [signalsSource(Number(shard))]
    }
  }
}

/** Every publisher of a deployment with `shards` shards, in the order the data flow. */
export function publisherNames(shards: number): string[] {
  return [
    'kalshi',
    'poly',
    'orchestrator',
    ...Array.from({ length: shards }, (_, i) => shardPublisher(i)),
    'exec',
  ]
}

/** Whether a `tcp://host:port` (or ipc, inproc) endpoint stays on this machine. */
export function isLoopback(url: string): boolean {
  if (!url.startsWith('tcp://')) return url.startsWith('ipc://') || url.startsWith('inproc://')
  const host = url.slice('tcp://'.length, url.lastIndexOf(':')).replace(/^\[|\]$/g, '')
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/** Refuses to bind anything but loopback without keys. Throws `PLAIN_BIND_REFUSED` (exit 7). */
export function assertBindAllowed(url: string, allowPlainBind: boolean, keys?: BusKeys): void {
  if (isLoopback(url) || keys !== undefined || allowPlainBind) return
  throw new ArbeesError(
    'PLAIN_BIND_REFUSED',
    `refusing to bind ${url} without keys: anyone there could read and squat`,
    {
      exit: EXIT.REFUSED,
      hint: 'bind 127.0.0.1, or make keys (arbees keys generate) and set keys_dir; allow_plain_bind: true only on a network that you trust',
    },
  )
}
