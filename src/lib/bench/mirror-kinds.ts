/** The mirrors that are compared: the parts of our role, and two loops as one writes them first. */

import type { PublisherEndpoint } from '../bus/endpoints.js'
import type { Position } from '../bus/position.js'
import { RecoveryClient } from '../bus/recovery/recovery-client.js'
import { sleep } from '../core/backoff.js'
import { systemClock } from '../core/clock.js'
import type { Heartbeat } from '../messages/heartbeat.js'
import type { Header } from '../messages/payloads.js'
import { ChannelMirror } from '../mirror/channel-mirror.js'
import type { Item, MirrorRecord } from '../mirror/item.js'
import { mirrorReply } from '../mirror/pulled.js'
import { BatchWriter } from '../mirror/writer.js'
import type { WriteResult } from '../mirror/writer.js'
import type { RedisClient, RedisLink } from '../redis/connection.js'
import { redisKeys } from '../redis/keys.js'
import { Counters } from '../telemetry/counters.js'
import { MIRROR_ENV, MIRROR_MAX_LENGTH } from './mirror-messages.js'

/** A message is in Redis: its publisher's stamp and the reply of the write that holds it, the host's monotonic us. */
export type OnWritten = (source: string, seq: number, pubUs: number, nowUs: number) => void

export interface BenchMirror {
  readonly failedCalls: number
  add(header: Header, record: MirrorRecord): void
  onHeartbeat(heartbeat: Heartbeat): void
  /** Resolves when nothing waits any more; one that keeps no journal throws away what does. */
  settle(): Promise<void>
  close(): void
}

/** As in the role. */
const STEP_MS = 50
/** When nothing came for so long, nothing more is on its way. */
const QUIET_US = 100_000

/** More than wait in a mirror. */
const KEPT_TIMES = 2 ** 17

/** When the newest messages of a channel were published, us, by seq: what else a record would have to carry. */
class PublishTimes {
  private readonly seqs = new Float64Array(KEPT_TIMES)
  private readonly us = new Float64Array(KEPT_TIMES)
  set(seq: number, us: number): void {
    const place = seq % KEPT_TIMES
    this.seqs[place] = seq
    this.us[place] = us
  }

  get(seq: number): number | undefined {
    const place = seq % KEPT_TIMES
    return this.seqs[place] === seq ? this.us[place] : undefined
  }
}

/** The writer of the role, which says when each record was answered for. */
class TimedWriter extends BatchWriter {
  constructor(
    redis: RedisClient,
    private readonly source: string,
    private readonly times: PublishTimes,
    private readonly onWritten: OnWritten,
  ) {
    super({ redis, env: MIRROR_ENV, source, maxLength: MIRROR_MAX_LENGTH })
  }

  override async write(base: Position, items: readonly Item[]): Promise<WriteResult> {
    const result = await super.write(base, items)
    const nowUs = systemClock.monoUs()
    if (result.status !== 'OK') return result
    for (const item of items) {
      if (item.kind !== 'record') continue
      this.onWritten(this.source, item.seq, this.times.get(item.seq) ?? pubUsOf(item.value), nowUs)
    }
    return result
  }
}

/** Of one that was pulled; decoding it again would be half of what it costs to write it. */
function pubUsOf({ data }: MirrorRecord): number {
  const begin = data.indexOf(PUB_STAMP) + PUB_STAMP.length
  return Number.parseInt(data.toString('latin1', begin, begin + 20), 10)
}

const PUB_STAMP = '"pub":'

export class ArbeesMirror implements BenchMirror {
  private readonly channels = new Map<string, ChannelMirror>()
  private readonly times = new Map<string, PublishTimes>()
  private readonly clients: RecoveryClient[] = []
  private readonly counters = new Counters()
  private readonly timer: NodeJS.Timeout

  constructor(link: RedisLink, endpoints: readonly PublisherEndpoint[], onWritten: OnWritten) {
    const keys = redisKeys(MIRROR_ENV)
    for (const endpoint of endpoints) {
      const client = new RecoveryClient({ endpoint, clock: systemClock })
      this.clients.push(client)
      for (const source of endpoint.sources) {
        const times = new PublishTimes()
        this.times.set(source, times)
        const mirror = new ChannelMirror({
          source,
          writer: new TimedWriter(link.redis, source, times, onWritten),
          maxBehind: MIRROR_MAX_LENGTH,
          clock: systemClock,
          counters: this.counters,
          events: { onGap: () => undefined, onFailing: () => undefined, onRecovered: () => undefined },
          isUp: () => link.isUp,
          pull: async (request) => {
            const reply = await client.range(source, request)
            return reply === undefined ? undefined : mirrorReply(reply, { env: MIRROR_ENV, source, keys })
          },
        })
        this.channels.set(source, mirror)
      }
    }
    this.timer = setInterval(() => {
      for (const channel of this.channels.values()) channel.step()
    }, STEP_MS)
  }

  get failedCalls(): number {
    return this.counters.total('redis_errors')
  }

  add(header: Header, record: MirrorRecord): void {
    this.times.get(header.source)?.set(header.seq, header.stamps.pub ?? 0)
    this.channels.get(header.source)?.add(header, record)
  }

  onHeartbeat({ channels, closing }: Heartbeat): void {
    for (const beat of channels) this.channels.get(beat.source)?.reached(beat, closing)
  }

  async settle(): Promise<void> {
    while ([...this.channels.values()].some(({ isBehind }) => isBehind)) await sleep(5)
  }

  close(): void {
    clearInterval(this.timer)
    for (const channel of this.channels.values()) channel.stop()
    for (const client of this.clients) client.close()
  }
}

interface Queued {
  readonly header: Header
  readonly record: MirrorRecord
}

/** How a mirror without a position writes. */
export interface PlainWriter {
  /** Of one call. */
  readonly limit: number
  /** Says for each whether Redis took it. */
  write(part: readonly Queued[]): Promise<readonly boolean[]>
}

/** Each command waits for the reply of the one before. */
export const awaitEach = (redis: RedisClient): PlainWriter => ({
  limit: 1,
  write: (part) => Promise.all(part.map((queued) => redis.xadd(...commandOf(queued)).then(isOk, isRefused))),
})

/** One pipeline in flight a channel, of what came meanwhile; as large as our own calls. */
export const pipelineAll = (redis: RedisClient): PlainWriter => ({
  limit: 512,
  write: async (part) => {
    const pipeline = redis.pipeline()
    for (const queued of part) pipeline.xadd(...commandOf(queued))
    const replies = (await pipeline.exec().catch(() => null)) ?? []
    return part.map((_, i) => replies[i]?.[0] === null)
  },
})

const isOk = () => true
const isRefused = () => false

/** The same entry as our mirror's. */
const commandOf = ({ header: { source, epoch, seq }, record: { stream, topic, data } }: Queued) =>
  [
    stream,
    ...(['MAXLEN', '~', MIRROR_MAX_LENGTH, '*'] as const),
    ...(['topic', topic, 'data', data, 'source', source, 'epoch', epoch, 'seq', seq] as const),
  ] as const

/** Keeps no position and asks no journal: what its Redis does not take is gone. */
export class PlainMirror implements BenchMirror {
  failedCalls = 0
  private readonly channels = new Map<string, PlainChannel>()
  private isDropping = false
  private lastAddedUs = 0

  constructor(
    private readonly writer: PlainWriter,
    private readonly onWritten: OnWritten,
  ) {}

  add(header: Header, record: MirrorRecord): void {
    this.lastAddedUs = systemClock.monoUs()
    if (this.isDropping) return
    const channel = this.channels.get(header.source) ?? { waiting: [], busy: false }
    this.channels.set(header.source, channel)
    channel.waiting.push({ header, record })
    if (!channel.busy) void this.drain(channel)
  }

  onHeartbeat(): void {
    return
  }

  async settle(): Promise<void> {
    this.isDropping = true
    while ([...this.channels.values()].some(({ busy }) => busy)) await sleep(5)
    while (systemClock.monoUs() - this.lastAddedUs < QUIET_US) await sleep(10)
    this.isDropping = false
  }

  close(): void {
    return
  }

  private async drain(channel: PlainChannel): Promise<void> {
    channel.busy = true
    while (channel.waiting.length > 0) {
      const { waiting } = channel
      channel.waiting = []
      for (let at = 0; at < waiting.length && !this.isDropping; at += this.writer.limit) {
        await this.write(waiting.slice(at, at + this.writer.limit))
      }
    }
    channel.busy = false
  }

  private async write(part: readonly Queued[]): Promise<void> {
    const taken = await this.writer.write(part)
    const nowUs = systemClock.monoUs()
    for (const [i, { header }] of part.entries()) {
      if (taken[i] === true) this.onWritten(header.source, header.seq, header.stamps.pub ?? 0, nowUs)
      else this.failedCalls++
    }
  }
}

interface PlainChannel {
  waiting: Queued[]
  busy: boolean
}
