/**
 * Follows the bus as one more subscriber. It cannot slow a publisher: a reader that falls behind loses messages at the
 * publisher's high-water mark, and sees its own loss as gaps.
 */

import { Subscriber } from '../bus/subscriber.js'
import type { Problem, Received, ReceivedLegacy } from '../bus/subscriber.js'
import type { Gap } from '../bus/gap.js'
import type { BusKeys } from '../bus/curve.js'
import type { PublisherEndpoint } from '../bus/endpoints.js'
import type { Clock } from '../core/clock.js'
import { hostId } from '../core/ids.js'
import type { Heartbeat } from '../messages/heartbeat.js'
import { HEALTH_PREFIX, healthTopic } from '../messages/topics.js'
import type { Env } from '../model/venue.js'
import { Histogram } from '../telemetry/histogram.js'
import { StreamBounds } from './stream-bounds.js'
import type { BoundOptions, EndReason } from './stream-bounds.js'
import type { TapFormat, TapItem } from './tap-format.js'
import { SilenceWatch } from './tap-silence.js'

export interface TapOptions extends BoundOptions {
  readonly endpoints: readonly PublisherEndpoint[]
  /** From `readPrefixes`. */
  readonly prefixes: readonly string[]
  readonly env: Env
  readonly clock: Clock
  readonly keys?: BusKeys | undefined
  readonly format: TapFormat
  /** Data: one line, without its newline. */
  readonly out: (line: string) => void
  /** Talk: one line, without its newline. */
  readonly talk: (line: string) => void
  /** Silence worth a word, ms; 3 s when not said. */
  readonly silenceMs?: number
}

export interface TapSummary {
  readonly ended: EndReason
  readonly messages: number
  /** From the first message to the last; 0 when there are fewer than two. */
  readonly ratePerSecond: number
  readonly gaps: number
  /** Messages inside gaps whose two ends are known. */
  readonly missing: number
  readonly duplicates: number
  /** Refused input by `kind:reason`, duplicates not among them. */
  readonly problems: Readonly<Record<string, number>>
  readonly ageP50Us: number | undefined
  readonly ageP99Us: number | undefined
}

/** Problems of one kind, reason and endpoint are told so often; then they are counted. */
const TOLD_PROBLEMS = 3

/** Runs until a bound is reached; never throws for what arrives. */
export async function runTap(options: TapOptions): Promise<TapSummary> {
  const tap = new Tap(options)
  try {
    const ended = await tap.ended
    return tap.summary(ended)
  } finally {
    tap.close()
  }
}

class Tap {
  private readonly bounds: StreamBounds
  private readonly subscriber: Subscriber
  private readonly silence: SilenceWatch
  private readonly ages = new Histogram()
  private readonly problems = new Map<string, number>()
  private readonly told = new Map<string, number>()
  private readonly wantedHealth: readonly string[]
  private messages = 0
  private gaps = 0
  private missing = 0
  private duplicates = 0
  private firstUs = 0
  private lastUs = 0

  constructor(private readonly options: TapOptions) {
    const { endpoints, prefixes, env, clock, keys, talk, silenceMs } = options
    this.wantedHealth = prefixes.filter(
      (prefix) => prefix.startsWith(HEALTH_PREFIX) || HEALTH_PREFIX.startsWith(prefix),
    )
    this.bounds = new StreamBounds(options)
    this.silence = new SilenceWatch({
      endpoints,
      prefixes,
      talk,
      ...(silenceMs === undefined ? {} : { silenceMs }),
    })
    this.subscriber = new Subscriber({
      endpoints,
      prefixes,
      env,
      clock,
      keys,
      onMessage: (received) => this.onMessage(received),
      onLegacy: (received) => this.onLegacy(received),
      onHeartbeat: (heartbeat, _endpoint, recvUs) => this.onHeartbeat(heartbeat, recvUs),
      onGap: (gap) => this.onGap(gap),
      onProblem: (problem) => this.onProblem(problem),
      onRefused: (_reason, publisher) => this.silence.refusedBy(publisher),
    })
  }

  get ended(): Promise<EndReason> {
    return this.bounds.ended
  }

  close(): void {
    this.subscriber.close()
    this.silence.close()
  }

  summary(ended: EndReason): TapSummary {
    const spanUs = this.lastUs - this.firstUs
    return {
      ended,
      messages: this.messages,
      ratePerSecond: spanUs > 0 ? ((this.messages - 1) * 1e6) / spanUs : 0,
      gaps: this.gaps,
      missing: this.missing,
      duplicates: this.duplicates,
      problems: Object.fromEntries(this.problems),
      ageP50Us: this.ages.count === 0 ? undefined : this.ages.percentile(50),
      ageP99Us: this.ages.count === 0 ? undefined : this.ages.percentile(99),
    }
  }

  private onMessage({ message, bytes, topic, recvUs }: Received): void {
    const { host, stamps, timestamp_ms: timestampMs, source, epoch, seq } = message.header
    const ageUs = this.ageUs({ host, monoUs: stamps.pub, wallMs: timestampMs }, recvUs)
    this.show({ topic, source, epoch, seq, timestampMs, ageUs, text: bytes.toString('utf8') }, recvUs)
  }

  private onLegacy({ legacy, bytes, topic, source }: ReceivedLegacy): void {
    const sentMs = legacy.body['timestamp_ms']
    const timestampMs = typeof sentMs === 'number' ? sentMs : undefined
    const text = bytes.toString('utf8')
    this.show({ topic, source, timestampMs, text }, this.options.clock.monoUs())
  }

  private onHeartbeat(heartbeat: Heartbeat, recvUs: number): void {
    if (this.bounds.isOver) return
    this.silence.beat(heartbeat)
    const topic = healthTopic(heartbeat.publisher)
    if (!this.wantedHealth.some((prefix) => topic.startsWith(prefix))) return
    const { publisher, host, mono_us: monoUs, timestamp_ms: timestampMs } = heartbeat
    const ageUs = this.ageUs({ host, monoUs, wallMs: timestampMs }, recvUs)
    this.show({ topic, source: publisher, timestampMs, ageUs, text: JSON.stringify(heartbeat) }, recvUs)
  }

  private onGap(gap: Gap): void {
    if (this.bounds.isOver) return
    this.gaps++
    if (gap.to !== null) this.missing += gap.to - gap.from + 1
    this.options.out(this.options.format.gap(gap))
  }

  private onProblem(problem: Problem): void {
    if (this.bounds.isOver) return
    const { kind, reason, endpoint } = problem
    if (kind === 'duplicate') this.duplicates++
    else {
      const name = kind === reason ? kind : `${kind}:${reason}`
      this.problems.set(name, (this.problems.get(name) ?? 0) + 1)
    }
    const key = `${kind} ${reason} ${endpoint.url}`
    const told = (this.told.get(key) ?? 0) + 1
    this.told.set(key, told)
    if (told > TOLD_PROBLEMS) return
    this.options.talk(this.options.format.problem(problem, told === TOLD_PROBLEMS))
  }

  private show(item: TapItem, recvUs: number): void {
    if (this.bounds.isOver) return
    this.silence.heard()
    if (this.messages === 0) this.firstUs = recvUs
    this.lastUs = recvUs
    this.messages++
    if (item.ageUs !== undefined) this.ages.record(item.ageUs)
    this.options.out(this.options.format.item(item))
    this.bounds.tick()
  }

  /** Monotonic clocks within one host; between hosts the wall clocks, with whatever skew they have. */
  private ageUs(
    sent: { readonly host: string; readonly monoUs: number | undefined; readonly wallMs: number },
    recvUs: number,
  ): number {
    if (sent.host === hostId() && sent.monoUs !== undefined) return Math.max(0, recvUs - sent.monoUs)
    return Math.max(0, (this.options.clock.nowMs() - sent.wallMs) * 1000)
  }
}
