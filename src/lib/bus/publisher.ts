/**
 * The binding side of the bus: one PUB socket, its channels, a heartbeat every 200 ms, and beside it the socket where
 * readers pull what they missed.
 *
 * A channel numbers its messages from 1 in each epoch. What one turn of the event loop publishes is journaled with one
 * write per channel and then sent, synchronously and un-awaited (`sendTimeout: 0`); a subscriber that is too slow loses
 * messages at its high-water mark and sees it by seq.
 */

import { join } from 'node:path'
import { Publisher as PubSocket } from 'zeromq'
import { ArbeesError, codeOf, messageOf } from '../core/errors.js'
import type { Clock } from '../core/clock.js'
import { bootId, hostId } from '../core/ids.js'
import { HEARTBEAT_MS } from '../messages/heartbeat.js'
import type { Counts, FeedBeat, Heartbeat, HopBeat } from '../messages/heartbeat.js'
import { healthTopic } from '../messages/topics.js'
import type { Env } from '../model/venue.js'
import { Counters, sumCounts } from '../telemetry/counters.js'
import { Channel } from './channel.js'
import { serverOptions } from './curve.js'
import type { BusKeys } from './curve.js'
import { assertBindAllowed } from './endpoints.js'
import { watchServer } from './handshakes.js'
import { Journal } from './journal/journal.js'
import { FileStorage } from './journal/storage.js'
import { Outbox } from './outbox.js'
import { RecoveryServer } from './recovery/recovery-server.js'
import type { ExecRequests } from './recovery/recovery-server.js'
import { JOIN_GRACE_MS, PUBLISHER_OPTIONS } from './socket-options.js'

/** What a role adds to each heartbeat. */
export interface BeatDetails {
  readonly feeds?: readonly FeedBeat[]
  readonly counts?: Counts
  readonly hops?: Readonly<Record<string, HopBeat>>
}

export interface JournalOptions {
  /** The folder that holds a folder for each source. */
  readonly root: string
  /** Kept of each channel on disk, about. */
  readonly retainBytes: number
  /** Least epoch to begin with. */
  readonly epochFloor?: number
}

export interface PublisherOptions {
  /** `kalshi`, `poly`, `orchestrator`, `shard-0`, `exec`. */
  readonly name: string
  /** `tcp://127.0.0.1:5555`; port `*` picks a free one. */
  readonly url: string
  /** Where ranges and snapshots are answered; absent: nowhere. */
  readonly recoveryUrl?: string
  /** Absent: nothing is kept, and an epoch is the time of the start. */
  readonly journal?: JournalOptions
  readonly keys?: BusKeys | undefined
  readonly env: Env
  readonly clock: Clock
  /** The channels, by source. */
  readonly sources: readonly string[]
  readonly allowPlainBind?: boolean
  /** Asked at each heartbeat. */
  readonly details?: () => BeatDetails
  /** What exec alone does when it is asked on the recovery socket. */
  readonly exec?: ExecRequests | undefined
  /** What the journal repaired or could not do, for the log. */
  readonly onNotice?: (text: string) => void
}

/** How much a crash of the machine may cost, ms; a crash of the process costs nothing. */
const SYNC_MS = 10

export class Publisher {
  /** Where it is bound; the port is known even when `*` was asked. */
  readonly url: string
  /** Where it answers readers that missed something; undefined when it does not. */
  readonly recoveryUrl: string | undefined
  private readonly channels = new Map<string, Channel>()
  private readonly outbox: Outbox
  private readonly counters = new Counters()
  /** Sources whose journal cannot be written at the moment. */
  private readonly degraded = new Set<string>()
  private readonly beatTopic: Buffer
  private readonly timers: NodeJS.Timeout[]
  private readonly boundUs: number
  private closed = false
  private latestBeat: Heartbeat

  private constructor(
    private readonly socket: PubSocket,
    private readonly recovery: RecoveryServer | undefined,
    private readonly journals: ReadonlyMap<string, Journal>,
    private readonly options: PublisherOptions,
  ) {
    const { clock, env, name, sources, url } = options
    this.url = socket.lastEndpoint ?? url
    this.recoveryUrl = recovery?.url
    this.beatTopic = Buffer.from(healthTopic(name))
    // PUB with `sendTimeout: 0` completes within the call; what it drops shows as a gap at the reader.
    this.outbox = new Outbox((frames) => void socket.send(frames).catch(() => undefined))
    const startMs = clock.nowMs()
    for (const source of sources) {
      const journal = journals.get(source)
      const epoch = journal?.epoch ?? startMs
      this.channels.set(source, new Channel({ source, epoch, env, clock, journal, outbox: this.outbox }))
    }
    this.boundUs = clock.monoUs()
    recovery?.serve(this.channels, options.exec)
    this.latestBeat = this.beat(false)
    this.timers = [setInterval(() => this.beat(false), HEARTBEAT_MS)]
    if (journals.size > 0) this.timers.push(setInterval(() => this.syncJournals(), SYNC_MS))
  }

  /**
   * Binds, opens the journals and starts the heartbeat. Throws `PORT_IN_USE`, `PLAIN_BIND_REFUSED`, `BIND_FAILED`, and
   * what `Journal.open` throws.
   */
  static async bind(options: PublisherOptions): Promise<Publisher> {
    const { name, url, recoveryUrl, clock, keys, allowPlainBind = false } = options
    assertBindAllowed(url, allowPlainBind, keys)
    if (recoveryUrl !== undefined) assertBindAllowed(recoveryUrl, allowPlainBind, keys)
    const socket = new PubSocket({ ...PUBLISHER_OPTIONS, ...serverOptions(keys) })
    let recovery: RecoveryServer | undefined
    const journals = new Map<string, Journal>()
    watchServer(socket, keys, `the publisher of ${name}`)
    try {
      await socket.bind(url).catch((error: unknown) => {
        throw bindError(name, url, 'endpoints', error)
      })
      if (recoveryUrl !== undefined) {
        recovery = await RecoveryServer.bind({ url: recoveryUrl, clock, keys }).catch((error: unknown) => {
          throw bindError(name, recoveryUrl, 'recovery', error)
        })
      }
      // The ports are ours by now: whoever is second stops before it touches a journal.
      for (const source of options.sources) {
        const journal = openJournal(source, options)
        if (journal !== undefined) journals.set(source, journal)
      }
      return new Publisher(socket, recovery, journals, options)
    } catch (error) {
      for (const journal of journals.values()) journal.close()
      recovery?.close()
      socket.close()
      throw error
    }
  }

  /** The channel of a source given at bind. Throws `UNKNOWN_SOURCE`. */
  channel(source: string): Channel {
    const channel = this.channels.get(source)
    if (channel === undefined) {
      throw new ArbeesError('UNKNOWN_SOURCE', `publisher '${this.options.name}' has no channel '${source}'`)
    }
    return channel
  }

  /** What it last said of itself, a fifth of a second ago at most. */
  get heartbeat(): Heartbeat {
    return this.latestBeat
  }

  /** Milliseconds left until subscribers have had time to rejoin; publish nothing before it is 0. */
  joinGraceLeftMs(): number {
    return Math.max(0, JOIN_GRACE_MS - (this.options.clock.monoUs() - this.boundUs) / 1000)
  }

  /** Sends what waits, says `closing` on the bus, ends the journals cleanly and closes the sockets. */
  close(): void {
    if (this.closed) return
    for (const timer of this.timers) clearInterval(timer)
    this.beat(true)
    this.outbox.close()
    this.closed = true
    this.recovery?.close()
    for (const journal of this.journals.values()) journal.close()
    // libzmq hands queued frames to the kernel in its own thread: linger 0 would cut the last of them.
    this.socket.linger = 200
    this.socket.close()
  }

  private beat(closing: boolean): Heartbeat {
    this.watchJournals()
    const { clock, details, env, name } = this.options
    const { feeds = [], counts = {}, hops = {} } = details?.() ?? {}
    const heartbeat: Heartbeat = {
      v: 1,
      publisher: name,
      env,
      host: hostId(),
      pid: process.pid,
      timestamp_ms: clock.nowMs(),
      mono_us: clock.monoUs(),
      channels: [...this.channels.values()].map((channel) => channel.beat()),
      feeds,
      counts: sumCounts(counts, sumCounts(this.counters.snapshot(), this.recovery?.counts() ?? {})),
      hops,
      closing,
    }
    this.outbox.add([this.beatTopic, JSON.stringify(heartbeat)], undefined)
    this.outbox.flush()
    this.latestBeat = heartbeat
    return heartbeat
  }

  private watchJournals(): void {
    for (const [source, journal] of this.journals) {
      // A disk that is back is noticed also where nothing is published.
      journal.flush()
      if (journal.state === 'on') this.degraded.delete(source)
      else if (!this.degraded.has(source)) {
        this.degraded.add(source)
        this.counters.add('journal_errors', source)
      }
    }
  }

  private syncJournals(): void {
    for (const journal of this.journals.values()) void journal.sync()
  }
}

function openJournal(source: string, options: PublisherOptions): Journal | undefined {
  const { clock, journal, onNotice } = options
  if (journal === undefined) return undefined
  const { root, retainBytes, epochFloor } = journal
  return Journal.open({
    storage: new FileStorage(join(root, source)),
    source,
    clock,
    retainBytes,
    ...(epochFloor === undefined ? {} : { epochFloor }),
    bootId: bootId(),
    onNotice: (text) => onNotice?.(`journal of ${source}: ${text}`),
  })
}

function bindError(name: string, url: string, group: 'endpoints' | 'recovery', error: unknown): ArbeesError {
  if (codeOf(error) !== 'EADDRINUSE') {
    return new ArbeesError('BIND_FAILED', `${name} cannot bind ${url}: ${messageOf(error)}`, { cause: error })
  }
  const port = url.slice(url.lastIndexOf(':') + 1)
  return new ArbeesError('PORT_IN_USE', `port ${port} (${url}) of ${name} is in use`, {
    hint: `stop what holds it, or set ${group}.${name.startsWith('shard-') ? 'shards' : name} to another port`,
    cause: error,
  })
}
