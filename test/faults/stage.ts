/**
 * One round of one case: a publisher, ours and its control behind it, a folder for what they leave, and everything
 * undone at the end. Rounds disturb each other in nothing but processor time: each has an address of its own.
 */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sleep } from '../../src/lib/core/backoff.js'
import { until } from '../lib/poll.js'
import { Actor } from './actor.js'
import type { Programs } from './actor.js'
import type { Harm } from './harm.js'
import { Network } from './network.js'
import type { PublisherConfig } from './publisher-child.js'
import { RedisProcess } from './redis-process.js'
import type { AppendSync } from './redis-process.js'
import { mirrorSide, readerSide } from './side.js'
import type { Side, SideOptions } from './side.js'
import { lastPlace, readSightings } from './sightings.js'
import { SmallDisk } from './small-disk.js'
import { isBefore, tally } from './tally.js'
import type { Place } from './tally.js'
import { TcpProxy } from './tcp-proxy.js'
import type { Outcome } from './verdict.js'

export type Family = 'bus' | 'mirror'

/** What a case needs beside a publisher and two readers. */
export interface StageOptions {
  readonly markets?: number
  readonly retainBytes?: number
  /** The journal lies on a disk of so many megabytes. */
  readonly diskMegabytes?: number
  /** Publisher and readers are in namespaces of their own. */
  readonly network?: boolean
  /** Proxies in front of everything that a side connects to. */
  readonly proxied?: boolean
  readonly slowMs?: number
  readonly mirrors?: number
  /** The control's Redis client sends again what was not answered. */
  readonly resends?: boolean
  readonly maxLength?: number
  /** How each Redis keeps what it holds over a kill; not at all unless said. */
  readonly appendSync?: AppendSync
}

/** One run of a case. */
export interface Round {
  readonly programs: Programs
  /** Tells rounds of one harness apart. */
  readonly index: number
  readonly sabotage?: Sabotage | undefined
  /** What the processes left stays, to be looked at. */
  readonly keep: boolean
}

/** For the harness's own proof: what must not pass. */
export interface Sabotage {
  readonly harm?: Harm
  /** `naive`: the control stands in for ours; `trusted`: ours for the control. */
  readonly cast?: 'naive' | 'trusted'
}

const RETAIN_BYTES = 256 * 1024 * 1024
const MARKETS = 40
const PUB_PORT = 5555
const RECOVERY_PORT = 6555
const FIRST_REDIS_PORT = 6379
const FIRST_PROXY_PORT = 7001
/** A refill of a long pause takes seconds; a machine that does other things too may need minutes. */
const DRAIN_MS = 240_000
const QUIET_MS = 600

export class Stage {
  readonly publisher: Actor
  /** What else was wrong. */
  readonly problems: string[] = []
  private since: Place | undefined
  private perSecond = 0

  private constructor(
    readonly family: Family,
    readonly dir: string,
    readonly ours: Side,
    readonly control: Side,
    readonly network: Network | undefined,
    readonly disk: SmallDisk | undefined,
    private readonly publisherConfig: PublisherConfig,
    /** What a case adds to be ended with it. */
    readonly extras: { close(): Promise<void> }[],
    readonly round: Round,
  ) {
    const { programs } = round
    this.publisher = new Actor({
      programs,
      dir,
      name: 'publisher',
      program: 'publisher-child',
      config: publisherConfig,
      namespace: network?.publisherSide,
    })
  }

  static async set(family: Family, round: Round, options: StageOptions): Promise<Stage> {
    const { programs, index, sabotage = {} } = round
    const dir = mkdtempSync(join(tmpdir(), 'arbees-faults-'))
    const disk =
      options.diskMegabytes === undefined
        ? undefined
        : new SmallDisk(join(dir, 'disk'), options.diskMegabytes)
    const network = options.network === true ? Network.create(index) : undefined
    const loopback = `127.${64 + (process.pid % 64)}.${(index >> 8) & 255}.${index & 255}`
    const host = network?.publisherAddress ?? loopback
    const shared = { family, programs, dir, host, loopback, network, options, sabotage }
    const ours = await cast(shared, 'ours')
    const control = await cast(shared, 'control')
    const journalRoot = join(disk?.path ?? dir, 'journal')
    mkdirSync(journalRoot, { recursive: true })
    const config: PublisherConfig = {
      url: `tcp://${host}:${PUB_PORT}`,
      recoveryUrl: `tcp://${host}:${RECOVERY_PORT}`,
      journalRoot,
      retainBytes: options.retainBytes ?? RETAIN_BYTES,
      notes: join(dir, 'publisher.notes'),
      markets: options.markets ?? MARKETS,
    }
    return new Stage(family, dir, ours, control, network, disk, config, [], round)
  }

  get url(): string {
    return this.publisherConfig.url
  }

  get recoveryUrl(): string {
    return this.publisherConfig.recoveryUrl
  }

  get journalRoot(): string {
    return this.publisherConfig.journalRoot
  }

  /** For one more reader, past every proxy. */
  get sideOptions() {
    const { dir, url, recoveryUrl, network, round } = this
    return { programs: round.programs, dir, url, recoveryUrl, namespace: network?.readerSide }
  }

  get sides(): readonly Side[] {
    return [this.ours, this.control]
  }

  /** Starts everyone and publishes until both sides hear it. */
  async begin(): Promise<void> {
    await Promise.all(this.sides.flatMap(({ redis }) => (redis === undefined ? [] : [redis.start()])))
    await this.startPublisher()
    await this.startReaders()
    this.rate(200)
    const heard = async () =>
      (await Promise.all(this.sides.map((side) => side.size()))).every((size) => size > 0)
    await until(heard, 'both sides hear the publisher', 30_000)
    await sleep(300)
    this.since = (await this.control.arrivals()).messages[0]
    this.rate(0)
  }

  /** With the load that it had. Returns the epoch that it began. */
  async startPublisher(changes: Pick<PublisherConfig, 'clockOffsetMs'> = {}): Promise<number> {
    const { epoch } = await this.publisher.start(changes)
    this.rate(this.perSecond)
    return Number(epoch)
  }

  async startReaders(): Promise<void> {
    await Promise.all(this.sides.map((side) => side.start()))
  }

  async killReaders(): Promise<void> {
    await Promise.all(this.sides.map((side) => side.kill()))
  }

  pauseReaders(): void {
    for (const actor of this.readers) actor.pause()
  }

  resumeReaders(): void {
    for (const actor of this.readers) actor.resume()
  }

  rate(perSecond: number): void {
    this.perSecond = perSecond
    this.publisher.tell({ op: 'rate', perSecond })
  }

  /** So many as fast as turns go; resolves when they are published. */
  async burst(count: number): Promise<void> {
    const sent = this.publisher.next('sent', 60_000)
    this.publisher.tell({ op: 'burst', count })
    await sent
  }

  /** Until so many have been published in all; the load must run. */
  async sentAtLeast(count: number): Promise<void> {
    await until(() => this.sent.length >= count, `${count} are published`, DRAIN_MS)
  }

  /** What the publisher accepted last. */
  get head(): Place {
    return lastPlace(this.publisherConfig.notes) ?? { epoch: 0, seq: 0 }
  }

  /** Until ours has what the publisher has accepted by now; ms from this call, null when that takes too long. */
  async caughtUp(side: Side = this.ours, patienceMs = DRAIN_MS): Promise<number | null> {
    const start = performance.now()
    for (let goal = this.head; performance.now() - start < patienceMs; goal = this.head) {
      await sleep(5)
      const place = await side.place()
      if (place !== undefined && !isBefore(place, goal)) return Math.round(performance.now() - start)
    }
    return null
  }

  /** Ends the load, waits until nobody gets anything more, and compares. `recoveryMs` of a fault that was measured. */
  async finish(
    recoveryMs?: number | null,
    details: Readonly<Record<string, unknown>> = {},
  ): Promise<Outcome> {
    this.rate(0)
    await sleep(50)
    const drainedMs = await this.caughtUp()
    await this.quiet(this.control)
    await this.quiet(this.ours)
    const { messages } = readSightings(this.publisherConfig.notes)
    const [ours, control] = await Promise.all([this.ours.arrivals(), this.control.arrivals()])
    const accidents = [this.publisher, ...this.readers].flatMap((actor) => actor.accidents)
    return {
      ours: tally(messages, ours),
      control: tally(messages, control, this.since),
      recoveryMs: drainedMs === null || recoveryMs === null ? null : (recoveryMs ?? drainedMs),
      problems: [...this.problems, ...accidents],
      details,
    }
  }

  /** What the publisher accepted. */
  get sent() {
    return readSightings(this.publisherConfig.notes).messages
  }

  async close(): Promise<void> {
    const { network, disk, dir } = this
    const ends = [...this.extras, ...this.sides].map((each) => each.close())
    await Promise.allSettled([...ends, this.publisher.end()])
    await Promise.allSettled(this.sides.flatMap(({ links }) => links.map((link) => link.close())))
    network?.remove()
    disk?.remove()
    if (this.round.keep) process.stderr.write(`${this.family} round ${this.round.index} left ${dir}\n`)
    else rmSync(dir, { recursive: true, force: true })
  }

  private get readers(): Actor[] {
    return this.sides.flatMap(({ actors }) => actors)
  }

  private async quiet(side: Side): Promise<void> {
    let size = await side.size()
    for (let sinceMs = performance.now(); performance.now() - sinceMs < QUIET_MS;) {
      await sleep(50)
      const now = await side.size()
      if (now !== size) sinceMs = performance.now()
      size = now
    }
  }
}

interface Cast {
  readonly family: Family
  readonly programs: Programs
  readonly dir: string
  /** Where the publisher is. */
  readonly host: string
  /** Where Redis and the proxies are. */
  readonly loopback: string
  readonly network: Network | undefined
  readonly options: StageOptions
  readonly sabotage: Sabotage
}

async function cast(shared: Cast, name: 'ours' | 'control'): Promise<Side> {
  const { family, programs, dir, host, loopback, network, options, sabotage } = shared
  const place = name === 'ours' ? 0 : 1
  const links: TcpProxy[] = []
  const reach = async (target: { readonly host: string; readonly port: number }) => {
    if (options.proxied !== true) return target
    const at = { host: loopback, port: FIRST_PROXY_PORT + place * 10 + links.length }
    links.push(await TcpProxy.listen(at, target))
    return at
  }
  const pub = await reach({ host, port: PUB_PORT })
  const recovery = await reach({ host, port: RECOVERY_PORT })
  const isOurs = sabotage.cast === undefined ? name === 'ours' : sabotage.cast === 'trusted'
  const side: SideOptions = {
    programs,
    dir,
    name,
    url: `tcp://${pub.host}:${pub.port}`,
    recoveryUrl: `tcp://${recovery.host}:${recovery.port}`,
    namespace: network?.readerSide,
    links,
    isOurs,
  }
  if (family === 'bus') {
    const harm = name === 'ours' ? sabotage.harm : undefined
    return readerSide({ ...side, slowMs: options.slowMs, harm })
  }
  const at = { host: network === undefined ? loopback : '127.0.0.1', port: FIRST_REDIS_PORT + place }
  const redis = new RedisProcess({
    name: `redis-${name}`,
    dir,
    ...at,
    namespace: network?.readerSide,
    appendSync: options.appendSync,
  })
  const seen = await reach(at)
  return mirrorSide({
    ...side,
    redis,
    redisUrl: `redis://${seen.host}:${seen.port}`,
    mirrors: options.mirrors ?? 1,
    resends: options.resends ?? false,
    maxLength: options.maxLength,
  })
}
