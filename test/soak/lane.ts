/**
 * A publisher, its readers, a mirror and its Redis, with a proxy in each wire. Some of the processes are mortal: trouble
 * may kill them. The others live as long as the run, so that their memory can be followed.
 */

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { sleep } from '../../src/lib/core/backoff.js'
import { until } from '../lib/poll.js'
import { Actor } from '../faults/actor.js'
import type { Programs } from '../faults/actor.js'
import type { PublisherConfig } from '../faults/publisher-child.js'
import { RedisProcess } from '../faults/redis-process.js'
import { mirrorSide, readerSide } from '../faults/side.js'
import type { Side } from '../faults/side.js'
import { lastPlace, sizeOf } from '../faults/sightings.js'
import { isBefore } from '../faults/tally.js'
import { TcpProxy } from '../faults/tcp-proxy.js'

/** What a stream keeps: more than is published between two looks. */
const MAX_LENGTH = 60_000
const RETAIN_BYTES = 32 * 1024 * 1024
const MARKETS = 40
/** More than a journal holds in memory, so that what fills by design is full from the start. */
const FILLING = 40_000
const REDIS_PORT = 6379
const PUB_PORT = 5555
const RECOVERY_PORT = 6555
const FIRST_PROXY_PORT = 7001

export interface Member {
  readonly name: string
  readonly side: Side
  readonly isMortal: boolean
}

export interface LaneOptions {
  readonly programs: Programs
  /** A folder of its own. */
  readonly dir: string
  /** Tells lanes of one run apart. */
  readonly index: number
  readonly mortal: { readonly publisher: boolean; readonly mirror: boolean }
  /** One a reader: whether it is mortal. */
  readonly readers: readonly boolean[]
}

export class Lane {
  readonly publisher: Actor
  /** Another mirror of the same Redis, for some seconds. */
  readonly secondMirror: Actor | undefined
  private perSecond = 0

  private constructor(
    readonly name: string,
    readonly isPublisherMortal: boolean,
    private readonly config: PublisherConfig,
    readonly readers: readonly (Member & { readonly notes: string })[],
    readonly mirror: Member,
    readonly redis: RedisProcess,
    second: Side,
    { programs, dir }: LaneOptions,
  ) {
    this.secondMirror = second.actors[0]
    this.publisher = new Actor({
      programs,
      dir,
      name: `${name}-publisher`,
      program: 'publisher-child',
      config,
    })
  }

  static async set(options: LaneOptions): Promise<Lane> {
    const { programs, dir, index, mortal, readers } = options
    const host = `127.${64 + (process.pid % 64)}.255.${index + 1}`
    const name = `lane-${index + 1}`
    const journalRoot = join(dir, 'journal')
    mkdirSync(journalRoot, { recursive: true })
    let port = FIRST_PROXY_PORT
    const reach = (target: number) => TcpProxy.listen({ host, port: port++ }, { host, port: target })
    const place = async (part: string) => {
      const links = [await reach(PUB_PORT), await reach(RECOVERY_PORT)]
      const [url, recoveryUrl] = [port - 2, port - 1].map((each) => `tcp://${host}:${each}`)
      return { programs, dir, name: `${name}-${part}`, url: url ?? '', recoveryUrl: recoveryUrl ?? '', links }
    }
    const members: (Member & { readonly notes: string })[] = []
    for (const [at, isMortal] of readers.entries()) {
      const where = await place(`reader-${at + 1}`)
      const side = readerSide({ ...where, isOurs: true })
      members.push({ name: where.name, side, isMortal, notes: join(dir, `${where.name}.notes`) })
    }
    const redis = new RedisProcess({ name: `${name}-redis`, dir, host, port: REDIS_PORT })
    const mirrorAt = async (part: string) => {
      const where = await place(part)
      where.links.push(await reach(REDIS_PORT))
      const redisUrl = `redis://${host}:${port - 1}`
      const shared = { redis, redisUrl, mirrors: 1, resends: false, maxLength: MAX_LENGTH, isOurs: true }
      return { name: where.name, side: mirrorSide({ ...where, ...shared }) }
    }
    const mirror = { ...(await mirrorAt('mirror')), isMortal: mortal.mirror }
    const second = await mirrorAt('second-mirror')
    const config: PublisherConfig = {
      url: `tcp://${host}:${PUB_PORT}`,
      recoveryUrl: `tcp://${host}:${RECOVERY_PORT}`,
      journalRoot,
      retainBytes: RETAIN_BYTES,
      notes: join(dir, `${name}-publisher.notes`),
      markets: MARKETS,
    }
    return new Lane(name, mortal.publisher, config, members, mirror, redis, second.side, options)
  }

  /** Where its publisher notes what it accepted. */
  get notes(): string {
    return this.config.notes
  }

  get members(): readonly Member[] {
    return [...this.readers, this.mirror]
  }

  get actors(): readonly Actor[] {
    return [this.publisher, ...this.members.flatMap(({ side }) => side.actors)]
  }

  /** Trouble may kill them. */
  get mortals(): readonly Actor[] {
    const members = this.members.filter(({ isMortal }) => isMortal).flatMap(({ side }) => side.actors)
    return this.isPublisherMortal ? [this.publisher, ...members] : members
  }

  get links(): readonly TcpProxy[] {
    return this.members.flatMap(({ side }) => side.links)
  }

  async begin(): Promise<void> {
    await this.redis.start()
    await this.startPublisher()
    await Promise.all(this.members.map(({ side }) => side.start()))
    this.rate(200)
    const heard = async () =>
      (await Promise.all(this.members.map(({ side }) => side.size()))).every((size) => size > 0)
    await until(heard, `everybody hears the publisher of ${this.name}`, 30_000)
    await this.burst(FILLING)
  }

  async startPublisher(): Promise<void> {
    await this.publisher.start()
    this.rate(this.perSecond)
  }

  rate(perSecond: number): void {
    this.perSecond = perSecond
    this.publisher.tell({ op: 'rate', perSecond })
  }

  async burst(count: number): Promise<void> {
    const sent = this.publisher.next('sent', 60_000)
    this.publisher.tell({ op: 'burst', count })
    await sent
  }

  /** Until everyone has all that was published; false after `patienceMs`. The load must rest. */
  async caughtUp(patienceMs: number): Promise<boolean> {
    for (const startMs = performance.now(); performance.now() - startMs < patienceMs;) {
      // What a turn noted, or got, is written behind that turn.
      const before = this.size
      await sleep(100)
      const places = await Promise.all(this.members.map(({ side }) => side.place()))
      const goal = lastPlace(this.notes)
      const there = places.every((at) => at !== undefined && goal !== undefined && !isBefore(at, goal))
      if (there && before === this.size) return true
    }
    return false
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.members.map(({ side }) => side.close()), this.secondMirror?.end()])
    await Promise.allSettled([this.publisher.end(), ...this.links.map((link) => link.close())])
  }

  private get size(): number {
    return this.readers.reduce((sum, { notes }) => sum + sizeOf(notes), sizeOf(this.notes))
  }
}
