/**
 * How far the clocks can be trusted. One host: two threads read its monotonic clock in turns; what one reads between
 * two readings of the other bounds how far they can be apart. Other hosts: heartbeats carry their wall clock, and the
 * fastest round trip to them bounds how long a heartbeat was on its way.
 */

import { Worker } from 'node:worker_threads'
import type { BusKeys } from '../bus/curve.js'
import type { PublisherEndpoint } from '../bus/endpoints.js'
import { RecoveryClient } from '../bus/recovery/recovery-client.js'
import type { Clock } from '../core/clock.js'
import { hostId } from '../core/ids.js'
import type { Heartbeat } from '../messages/heartbeat.js'

export interface MonotonicError {
  /** Stamps of two processes of this host are at most so far off each other, us; null: it could not be measured. */
  readonly error_us: number | null
  /** Readings that were compared. */
  readonly rounds: number
}

/** What the two threads share: whose turn it is, and what the peer read. */
export interface SharedTurn {
  readonly turn: Int32Array
  readonly peerNs: BigInt64Array
}
export const OURS = 0
export const PEERS = 1
export const OVER = 2

/** As good as it gets, and as long as that may take; good enough, and the most that is spent on a busy machine. */
const BEST = { apartNs: 500, ms: 100 } as const
const ENOUGH = { apartNs: 5_000, ms: 2_000 } as const
/** Stamps are whole microseconds. */
const RESOLUTION_US = 1

/** Takes a few milliseconds of this thread, on a busy machine up to two seconds; never throws. */
export async function measureMonotonicError(): Promise<MonotonicError> {
  const shared: SharedTurn = {
    turn: new Int32Array(new SharedArrayBuffer(4)),
    peerNs: new BigInt64Array(new SharedArrayBuffer(8)),
  }
  const peer = new Worker(new URL('./latency-clock-peer.js', import.meta.url), { workerData: shared })
  try {
    await new Promise((resolve, reject) => {
      peer.once('online', resolve)
      peer.once('error', reject)
    })
    return compareReadings(shared)
  } catch {
    return { error_us: null, rounds: 0 }
  } finally {
    Atomics.store(shared.turn, 0, OVER)
    Atomics.notify(shared.turn, 0)
    await peer.terminate()
  }
}

/** The peer's clock is ahead of ours by something between `least` and `most`, in each round anew. */
function compareReadings({ turn, peerNs }: SharedTurn): MonotonicError {
  const startMs = performance.now()
  let [least, most] = [-Infinity, Infinity]
  let rounds = 0
  for (;;) {
    const { apartNs, ms } = performance.now() - startMs < BEST.ms ? BEST : ENOUGH
    if (most - least <= apartNs || performance.now() - startMs >= ms) break
    const before = process.hrtime.bigint()
    Atomics.store(turn, 0, PEERS)
    Atomics.notify(turn, 0)
    if (!awaitTurn(turn, OURS, rounds, ENOUGH.ms)) break
    const after = process.hrtime.bigint()
    const read = peerNs[0] ?? 0n
    least = Math.max(least, Number(read - after))
    most = Math.min(most, Number(read - before))
    rounds++
  }
  if (rounds === 0) return { error_us: null, rounds }
  const apartUs = Math.max(Math.abs(least), Math.abs(most)) / 1000
  return { error_us: Number((apartUs + RESOLUTION_US).toFixed(1)), rounds }
}

/** Until the other thread has run again, on a core that it must share. */
const SPINS = 500_000
const SLEEP_EVERY = 10

/**
 * Waits until it is the wanted one's turn; false when that does not come. Spinning sees it soonest where each thread
 * has a core of its own, sleeping where both share one, and nobody knows: so a round of ten sleeps.
 */
export function awaitTurn(turn: Int32Array, wanted: number, round: number, timeoutMs: number): boolean {
  const spins = round % SLEEP_EVERY === 0 ? 0 : SPINS
  for (let spin = 0; spin < spins; spin++) {
    if (Atomics.load(turn, 0) === wanted) return true
  }
  for (;;) {
    const found = Atomics.load(turn, 0)
    if (found === wanted || found === OVER) return found === wanted
    // What wakes us may be meant for the turn before.
    if (Atomics.wait(turn, 0, found, timeoutMs) === 'timed-out') return false
  }
}

export interface HostSkew {
  readonly host: string
  readonly publishers: readonly string[]
  /** Its wall clock against ours, us: above 0 it is ahead. */
  readonly skew_us: number
  /** Null while nobody there has answered: then it is `skew_us` or more. */
  readonly skew_error_us: number | null
}

export interface HostSkewsOptions {
  readonly endpoints: readonly PublisherEndpoint[]
  readonly clock: Clock
  readonly keys?: BusKeys | undefined
}

/** How often hosts other than ours are asked for a round trip. */
const ROUND_TRIP_EVERY_MS = 1_000

/** Wall clocks of hosts other than ours. */
export class HostSkews {
  private readonly hosts = new Map<
    string,
    { publishers: Set<string>; leastUs: number; roundTripUs: number }
  >()
  private readonly clients = new Map<string, RecoveryClient>()
  private readonly timer: NodeJS.Timeout

  constructor(private readonly options: HostSkewsOptions) {
    this.timer = setInterval(() => {
      for (const client of this.clients) void this.measureRoundTrip(...client)
    }, ROUND_TRIP_EVERY_MS)
  }

  close(): void {
    clearInterval(this.timer)
    for (const client of this.clients.values()) client.close()
  }

  /** A heartbeat that has just arrived. */
  beat({ host, publisher, timestamp_ms: timestampMs }: Heartbeat): void {
    if (host === hostId()) return
    let found = this.hosts.get(host)
    if (found === undefined) {
      found = { publishers: new Set(), leastUs: Infinity, roundTripUs: Infinity }
      this.hosts.set(host, found)
    }
    found.publishers.add(publisher)
    found.leastUs = Math.min(found.leastUs, (this.options.clock.nowMs() - timestampMs) * 1000)
    this.knowClient(publisher)
  }

  list(): HostSkew[] {
    return [...this.hosts].map(([host, { publishers, leastUs, roundTripUs }]) => {
      const known = roundTripUs < Infinity
      const wayUs = known ? roundTripUs / 2 : 0
      return {
        host,
        publishers: [...publishers].sort(),
        skew_us: Math.round(wayUs - leastUs),
        skew_error_us: known ? Math.round(wayUs + WALL_RESOLUTION_US) : null,
      }
    })
  }

  private knowClient(publisher: string): void {
    const { endpoints, clock, keys } = this.options
    const endpoint = endpoints.find((each) => each.publisher === publisher)
    if (endpoint === undefined || this.clients.has(publisher)) return
    // It was heard: where there are keys, its own is among them.
    const client = new RecoveryClient({ endpoint, clock, keys })
    this.clients.set(publisher, client)
    void this.measureRoundTrip(publisher, client)
  }

  private async measureRoundTrip(publisher: string, client: RecoveryClient): Promise<void> {
    const askedUs = this.options.clock.monoUs()
    if (!(await client.ping())) return
    const us = this.options.clock.monoUs() - askedUs
    for (const found of this.hosts.values()) {
      if (found.publishers.has(publisher)) found.roundTripUs = Math.min(found.roundTripUs, us)
    }
  }
}

/** Wall clock stamps are whole milliseconds. */
export const WALL_RESOLUTION_US = 1_000
