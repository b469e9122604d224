/**
 * How the mirror is, told where somebody looks: its heartbeat in Redis, its counts, and one line of the log for each
 * thing that goes wrong and for its end. Works on timers, never per message.
 */

import { hostId } from '../core/ids.js'
import type { Heartbeat } from '../messages/heartbeat.js'
import { ChannelGauges } from '../mirror/channel-gauges.js'
import type { ChannelMirror } from '../mirror/channel-mirror.js'
import { GapEpisodes } from '../mirror/gap-episodes.js'
import { HealthWriter } from '../mirror/health-writer.js'
import type { GroupStanding } from '../mirror/group-standing.js'
import type { GapStep } from '../mirror/item.js'
import type { StreamLengths } from '../mirror/routes.js'
import { readGroups, watchedStreams } from '../mirror/stream-groups.js'
import type { RedisLink } from '../redis/connection.js'
import { isConnectionCode, redisErrorCode } from '../redis/errors.js'
import type { RedisKeys } from '../redis/keys.js'
import type { RoleContext } from './role.js'

/** Readers of Redis have heartbeats no fresher than that. */
const HEALTH_MS = 250
const GROUPS_MS = 5_000

export interface MirrorHealthOptions {
  readonly context: Pick<RoleContext, 'clock' | 'counters' | 'log' | 'settings'>
  readonly link: RedisLink
  readonly keys: RedisKeys
  readonly lengths: StreamLengths
  /** By source. */
  readonly channels: ReadonlyMap<string, ChannelMirror>
}

export class MirrorHealth {
  private readonly writer: HealthWriter
  private readonly gauges: ReadonlyMap<string, ChannelGauges>
  private readonly episodes = new GapEpisodes()
  private readonly timers: readonly NodeJS.Timeout[]
  /** Groups that are close or have lost, by stream and name. */
  private alarmed = new Map<string, GroupStanding>()
  private isReadingGroups = false
  private hasToldRefusal = false
  private isAlone = true

  constructor(private readonly options: MirrorHealthOptions) {
    const { channels, context, keys, link } = options
    const nowMs = this.nowMs()
    this.gauges = new Map([...channels.keys()].map((source) => [source, new ChannelGauges(nowMs)]))
    this.writer = new HealthWriter(link.redis, keys, context.counters)
    this.timers = [
      setInterval(() => void this.beat(), HEALTH_MS),
      setInterval(() => void this.watchGroups(), GROUPS_MS),
    ]
  }

  /** A publisher's heartbeat, after its channels heard of it. */
  heard(heartbeat: Heartbeat, recvUs: number): void {
    this.writer.note(heartbeat)
    for (const { source, epoch, last_seq: seq } of heartbeat.channels) {
      const beat = { epoch, seq, stampMs: heartbeat.timestamp_ms, heardMs: recvUs / 1000 }
      this.gauges.get(source)?.beat(beat, this.options.channels.get(source)?.position)
    }
  }

  /** Redis is there, perhaps another one than before. */
  redisUp(): void {
    void this.watchGroups()
  }

  /** A hole was recorded. */
  noteGap(source: string, gap: GapStep): void {
    if (this.episodes.note(source, gap, this.nowMs())) {
      this.options.context.log.error(`gap recorded on ${source} (further ones are counted)`, { ...gap })
    }
  }

  /** What the role counts, and where each channel stands. */
  counts(): Record<string, number> {
    const { channels, context, link } = this.options
    const counts = context.counters.snapshot()
    const nowMs = this.nowMs()
    for (const [source, channel] of channels) {
      const gauges = this.gauges.get(source)
      const lagMs = gauges?.lagMs(channel, nowMs)
      counts[`lag:${source}`] = channel.lag
      if (lagMs !== undefined) counts[`lag_ms:${source}`] = Math.round(lagMs)
      counts[`mirrored_per_s:${source}`] = Math.round((gauges?.perSecond ?? 0) * 10) / 10
    }
    for (const [name, { state, percent }] of this.alarmed) counts[`groups_${state}:${name}`] = percent
    counts['other_mirrors'] = this.isAlone ? 0 : 1
    counts['redis_up'] = link.isUp ? 1 : 0
    return counts
  }

  /** The mirror's own beat; its channels say how far Redis is. */
  heartbeat(closing = false): Heartbeat {
    const { context, channels } = this.options
    const { clock, settings } = context
    return {
      v: 1,
      publisher: 'mirror',
      env: settings.env,
      host: hostId(),
      pid: process.pid,
      timestamp_ms: clock.nowMs(),
      mono_us: clock.monoUs(),
      channels: [...channels].flatMap(([source, { position }]) =>
        position === undefined
          ? []
          : [
              {
                source,
                epoch: position.epoch,
                last_seq: position.seq,
                oldest: null,
                journal: 'none' as const,
              },
            ],
      ),
      feeds: [],
      counts: this.counts(),
      hops: {},
      closing,
    }
  }

  /** The last word: call it when nothing is written any more. */
  async close(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer)
    this.tellEndedEpisodes(Infinity)
    if (this.options.link.isUp) await this.writer.writeLast(this.heartbeat(true))
  }

  private async beat(): Promise<void> {
    const nowMs = this.nowMs()
    for (const [source, { advanced }] of this.options.channels) this.gauges.get(source)?.note(advanced, nowMs)
    this.tellEndedEpisodes(nowMs)
    if (!this.options.link.isUp) return
    await this.writer.write(this.heartbeat())
    this.tellOthers()
  }

  private tellEndedEpisodes(nowMs: number): void {
    for (const { source, gaps, messages, isExact, lastedMs } of this.episodes.takeEnded(nowMs)) {
      if (gaps === 1) continue
      const missing = `${isExact ? '' : 'at least '}${messages} messages`
      this.options.context.log.warn(
        `no new gap on ${source}: ${gaps} in ${Math.round(lastedMs)} ms, ${missing} missing`,
      )
    }
  }

  private tellOthers(): void {
    const other = this.writer.otherMirror(this.nowMs())
    const isAlone = other === undefined
    if (isAlone === this.isAlone) return
    this.isAlone = isAlone
    const { log } = this.options.context
    if (isAlone) log.info('no other mirror writes to this Redis any more')
    else {
      const safe = 'nothing is doubled, each message is written by one of them'
      log.warn(`not alone: another mirror writes to this Redis, pid ${other.pid} on ${other.host}: ${safe}`)
    }
  }

  private async watchGroups(): Promise<void> {
    const { context, keys, lengths, link } = this.options
    if (!link.isUp || this.isReadingGroups) return
    this.isReadingGroups = true
    try {
      this.judgeGroups(await readGroups(link.redis, watchedStreams(keys, lengths)))
    } catch (error) {
      const code = redisErrorCode(error)
      context.counters.add('group_errors', code)
      if (isConnectionCode(code) || this.hasToldRefusal) return
      this.hasToldRefusal = true
      context.log.warn(`consumer groups cannot be watched: ${code}`)
    } finally {
      this.isReadingGroups = false
    }
  }

  private judgeGroups(standings: readonly GroupStanding[]): void {
    const { log } = this.options.context
    const before = this.alarmed
    const alarmed = standings.filter(({ state }) => state !== 'ok')
    this.alarmed = new Map(alarmed.map((each) => [nameOf(each), each]))
    for (const [name, { state, percent }] of this.alarmed) {
      if (before.get(name)?.state === state) continue
      if (state === 'lost') log.error(`consumer group ${name} has lost entries: they were trimmed unread`)
      else log.warn(`consumer group ${name} is ${percent} % of the stream behind: the rest will be trimmed`)
    }
    for (const name of before.keys()) {
      if (!this.alarmed.has(name)) log.info(`consumer group ${name} has caught up`)
    }
  }

  private nowMs(): number {
    return this.options.context.clock.monoUs() / 1000
  }
}

/** The group's name is its owner's: it may hold anything. */
const nameOf = ({ stream, group }: GroupStanding): string => `${stream}/${group}`
