/** What both venue servers are started with. */

import type { RawData } from 'ws'
import type { Exchange } from './exchange.js'
import type { Fault } from './faults.js'
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

/** A text frame's content, however `ws` hands it over. */
export function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString()
  return data instanceof ArrayBuffer ? Buffer.from(data).toString() : data.toString()
}
