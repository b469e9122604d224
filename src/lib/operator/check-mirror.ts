/**
 * `check mirror`: what publishers say on the bus, what Redis holds at the beginning and at the end of a look, and what
 * the journals hold at the same place. It asks the mirror for nothing that it cannot find out by itself.
 */

import { NOWHERE, isBefore } from '../bus/position.js'
import type { Checkpoint, Position } from '../bus/position.js'
import { sleep } from '../core/backoff.js'
import type { Clock } from '../core/clock.js'
import type { Settings } from '../core/config.js'
import { EXIT } from '../core/errors.js'
import { connectRedis } from '../redis/connection.js'
import type { RedisLink } from '../redis/connection.js'
import { redisError } from '../redis/errors.js'
import { redisKeys } from '../redis/keys.js'
import { BeatListener, LISTEN_MS, publisherNowMs } from './beat-listener.js'
import type { HeardBeat } from './beat-listener.js'
import { assertOrdered } from './check-channel.js'
import type { ChannelFindings, ContentProof, Thresholds } from './check-channel.js'
import { judgeMirror, mirrorUnknown, publisherOf } from './check-mirror-report.js'
import type { MirrorCheck } from './check-mirror-report.js'
import { JournalLook } from './journal-look.js'
import { MirrorLook } from './mirror-look.js'
import type { ChannelLook, RedisPicture } from './mirror-look.js'
import { RED_GAP_MS } from './status-report.js'

export interface MirrorCheckOptions {
  readonly settings: Settings
  readonly clock: Clock
  readonly thresholds: Thresholds
}

const REDIS_TIMEOUT_MS = 1_500

/**
 * What is down is a finding, not thrown. Throws `BAD_THRESHOLDS` (exit 2), and for keys that cannot be read and a
 * Redis that refuses us (exit 4).
 */
export async function checkMirror({ settings, clock, thresholds }: MirrorCheckOptions): Promise<MirrorCheck> {
  assertOrdered(thresholds)
  const bus = new BeatListener(settings, clock)
  let link: RedisLink | undefined
  try {
    link = await connectRedis(settings.redis_url, 'arbees-check', REDIS_TIMEOUT_MS)
    const look = new MirrorLook(link.redis, redisKeys(settings.env))
    const { refusesWrites } = await link.ready()
    return await new MirrorChecker(bus, look, clock, refusesWrites).check(thresholds)
  } catch (error) {
    const { message, exit } = redisError(link?.shownUrl ?? '', error)
    if (exit !== EXIT.UNREACHABLE && exit !== EXIT.UNHEALTHY) throw error
    return mirrorUnknown(message, thresholds, exit === EXIT.UNREACHABLE)
  } finally {
    link?.close()
    bus.close()
  }
}

/** What a publisher says of a channel. */
interface Said extends Position {
  readonly heard: HeardBeat
  readonly hasJournal: boolean
}

/** One look at both sides. */
interface Moment {
  /** By source; heard before Redis was asked. */
  readonly said: ReadonlyMap<string, Said>
  readonly picture: RedisPicture
  /** Our monotonic clock, right before Redis was asked. */
  readonly askedUs: number
}

class MirrorChecker {
  private readonly sources: readonly string[]

  constructor(
    private readonly bus: BeatListener,
    private readonly look: MirrorLook,
    private readonly clock: Clock,
    private readonly refusesWrites: string | undefined,
  ) {
    this.sources = bus.endpoints.flatMap((endpoint) => endpoint.sources)
  }

  async check(thresholds: Thresholds): Promise<MirrorCheck> {
    // The first heartbeats come within a fifth of a second.
    await sleep(LISTEN_MS / 2)
    const first = await this.lookOnce()
    await sleep(LISTEN_MS)
    const last = await this.lookOnce()
    const journals = new JournalLook({
      endpoints: this.bus.endpoints,
      clock: this.clock,
      keys: this.bus.keys,
    })
    try {
      const channels = await Promise.all(
        this.sources.map((source) => this.find(source, first, last, journals)),
      )
      const { mirror, mirrorAgeMs, gaps, recentGaps } = last.picture
      return judgeMirror(
        {
          ...{ channels, mirror, mirrorAgeMs, gaps, recentGaps },
          closedDoors: this.bus.closedDoors,
          refusesWrites: this.refusesWrites,
        },
        thresholds,
      )
    } finally {
      journals.close()
    }
  }

  private async lookOnce(): Promise<Moment> {
    const said = new Map(
      [...this.bus.beats.values()].flatMap((heard) =>
        heard.heartbeat.channels.map(({ source, epoch, last_seq: seq, journal }) => {
          return [source, { epoch, seq, heard, hasJournal: journal !== 'none' }] as const
        }),
      ),
    )
    const askedUs = this.clock.monoUs()
    const redSinceMs = this.clock.nowMs() - RED_GAP_MS
    const publishers = this.bus.endpoints
      .filter(({ legacy }) => legacy !== true)
      .map(({ publisher }) => publisher)
    return { said, askedUs, picture: await this.look.read(publishers, this.sources, redSinceMs) }
  }

  private async find(
    source: string,
    first: Moment,
    last: Moment,
    journals: JournalLook,
  ): Promise<ChannelFindings> {
    const channel = last.picture.channels.get(source)
    const said = last.said.get(source)
    const after = channel?.checkpoint
    return {
      source,
      said: said === undefined ? undefined : { first: first.said.get(source) ?? said, last: said },
      before: first.picture.channels.get(source)?.checkpoint,
      after,
      tookMs: (last.askedUs - first.askedUs) / 1000,
      oldestMs:
        said === undefined
          ? null
          : await ageOfMissing(source, after ?? NOWHERE, said, last.askedUs, journals),
      // Whoever is not heard is not asked: its socket would only time out.
      content: await proofOf(source, channel, said === undefined ? undefined : journals),
      echoMs: last.picture.echoMs.get(publisherOf(source)) ?? null,
    }
  }
}

/** The journal knows it also of a message that came after the last heartbeat; null when it does not tell. */
async function ageOfMissing(
  source: string,
  stored: Position,
  said: Said,
  askedUs: number,
  journals: JournalLook,
): Promise<number | null> {
  const missing = said.hasJournal ? await journals.next(source, stored) : undefined
  if (missing !== undefined) return Math.max(0, publisherNowMs(said.heard, askedUs) - missing.timestampMs)
  return isBefore(stored, said) ? null : 0
}

/** The newest entry of the channel in Redis beside the same message in its publisher's journal. */
async function proofOf(
  source: string,
  channel: ChannelLook | undefined,
  journals: JournalLook | undefined,
): Promise<ContentProof> {
  const { checkpoint, newest, isCovered, mayBeCovered, isWhole } = channel ?? NO_LOOK
  if (checkpoint === undefined || (checkpoint.seq === 0 && newest === undefined)) return 'none'
  const isThere = newest !== undefined && (!isBefore(newest, checkpoint) || isNothingOf(checkpoint))
  if (!isThere && !isCovered) {
    return mayBeCovered || (newest === undefined && !isWhole) ? 'unproven' : 'missing'
  }
  const record = newest === undefined ? undefined : await journals?.record(source, newest)
  if (newest === undefined || record === undefined) return 'unproven'
  return record.topic === newest.topic && record.data.equals(newest.data) ? 'equal' : 'differs'
}

const NO_LOOK: ChannelLook = {
  ...{ checkpoint: undefined, newest: undefined },
  ...{ isCovered: false, mayBeCovered: false, isWhole: false },
}

/** An epoch that has begun, of which nothing was published yet. */
const isNothingOf = ({ seq }: Checkpoint): boolean => seq === 0
