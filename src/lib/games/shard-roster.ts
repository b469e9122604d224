/**
 * Which shards can trade, by their heartbeats. Pure; times are the orchestrator's monotonic clock, us.
 *
 * Silence is counted only while somebody looked: an orchestrator that was asleep itself has not heard its shards, and
 * that says nothing about them.
 */

/** A shard that is silent for so long is dead: one that crashes and is started again at once keeps its games. */
const DEAD_AFTER_US = 4_000_000
/** One that is back gets its games when it was heard for so long without a pause. */
const BACK_AFTER_US = 5_000_000
/** A shard that has not come is waited for so long. */
const START_GRACE_US = 5_000_000
/** Between two heartbeats of a shard that was heard without a pause. */
const PAUSE_US = 1_000_000
/** Silence counted at most between two looks. */
const LOOK_US = 500_000

interface Shard {
  isAble: boolean
  /** Its last word was that it stops. */
  isClosed: boolean
  /** Since when it has been heard without a pause; undefined while it has not. */
  sinceUs: number | undefined
  heardUs: number
  silentUs: number
}

/** What counts of a shard's heartbeat. */
export interface ShardBeat {
  /** It stops, and decides nothing any more. */
  readonly closing: boolean
  /** It does not hear the orchestrator, and decides nothing. */
  readonly fenced: boolean
}

export class ShardRoster {
  private readonly shards: readonly Shard[]
  private lookedUs: number
  private ableShards: readonly number[] = []
  private settled = false

  constructor(
    count: number,
    private readonly startUs: number,
  ) {
    this.lookedUs = startUs
    this.shards = Array.from({ length: count }, () => ({
      ...{ isAble: false, isClosed: false },
      ...{ sinceUs: undefined, heardUs: -Infinity, silentUs: 0 },
    }))
  }

  /** As of the last look it is known who can trade: every shard has come, or was waited for. */
  get isSettled(): boolean {
    return this.settled
  }

  /** Those that can trade, as of the last look. */
  get able(): readonly number[] {
    return this.ableShards
  }

  /** Its last word was that it stops: nothing of it is waited for. */
  isClosed(shard: number): boolean {
    return this.shards[shard]?.isClosed === true
  }

  /** A heartbeat of a shard came. */
  heard(index: number, { closing, fenced }: ShardBeat, nowUs: number): void {
    const shard = this.shards[index]
    if (shard === undefined) return
    if (closing) {
      Object.assign(shard, { isAble: false, isClosed: true, sinceUs: undefined })
      return
    }
    // After a start of ours none has heard us yet. Later, one that does not hear us is as good as silent.
    const isStart = nowUs - this.startUs < START_GRACE_US
    if (fenced && !isStart) return
    const hadPause = nowUs - shard.heardUs > PAUSE_US
    if (shard.sinceUs === undefined || hadPause) shard.sinceUs = nowUs
    shard.heardUs = nowUs
    shard.silentUs = 0
    if (isStart && !shard.isClosed) shard.isAble = true
    shard.isClosed = false
  }

  /** Some times a second. True when others than before can trade; the first time when it is known who can. */
  look(nowUs: number): boolean {
    const passedUs = Math.min(nowUs - this.lookedUs, LOOK_US)
    this.lookedUs = nowUs
    for (const shard of this.shards) {
      shard.silentUs += passedUs
      if (shard.silentUs > DEAD_AFTER_US) Object.assign(shard, { isAble: false, sinceUs: undefined })
      else if (shard.sinceUs !== undefined && nowUs - shard.sinceUs >= BACK_AFTER_US) shard.isAble = true
    }
    this.settled ||= nowUs - this.startUs >= START_GRACE_US || this.shards.every(({ isAble }) => isAble)
    if (!this.settled) return false
    const able = this.shards.flatMap(({ isAble }, index) => (isAble ? [index] : []))
    const isNew = able.join() !== this.ableShards.join()
    this.ableShards = able
    return isNew
  }
}
