/** What both venue servers are started with, and how they are served. */

import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Hono } from 'hono'
import type { Exchange } from './exchange.js'
import { answerByPlan } from './fault-answer.js'
import type { FaultPlan } from './fault-plan.js'
import type { Fault } from './faults.js'
import { listen, type Host } from './http-host.js'
import type { StatsCounter } from './stats.js'
import type { TapeFrame } from './tape.js'

export interface VenueServerOptions<Accounts> {
  readonly exchange: Exchange
  readonly accounts: Accounts
  readonly stats: StatsCounter
  readonly host: string
  readonly port: number
  readonly speed: number
  readonly tape: readonly TapeFrame[] | undefined
  /** This venue's. */
  readonly faults: readonly Fault[]
}

/** A venue, before it has a port. */
export interface SimulatedVenue {
  readonly app: Hono
  readonly plan: FaultPlan
  /** The `Date` that its answers carry, Unix ms; undefined: the machine's. */
  readonly dateMs: number | undefined
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Follows the exchange; returns what stops it. */
  start(): () => void
}

/** Listens, and follows the exchange until it is closed. Rejects with `PORT_IN_USE` (exit 1) naming the port. */
export async function serveVenue(
  name: 'kalshi' | 'poly',
  venue: SimulatedVenue,
  at: { readonly host: string; readonly port: number },
): Promise<Host> {
  const host = await listen({
    name,
    host: at.host,
    port: at.port,
    app: venue.app,
    onUpgrade: (request, socket, head) => venue.upgrade(request, socket, head),
    intercept: (request, act, socket) => answerByPlan(venue.plan, request, act, socket),
    dateMs: () => venue.dateMs,
  })
  const stop = venue.start()
  return {
    port: host.port,
    close: async () => {
      stop()
      await host.close()
    },
  }
}
