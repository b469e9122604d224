/**
 * Latency of live traffic, hop by hop, as one more subscriber sees it. It publishes nothing and asks nobody on the bus
 * but publishers of other hosts, whose clocks it needs to know; Redis is asked for the mirror's checkpoints.
 */

import type { BusKeys } from '../bus/curve.js'
import type { PublisherEndpoint } from '../bus/endpoints.js'
import { Subscriber } from '../bus/subscriber.js'
import type { Problem, Received } from '../bus/subscriber.js'
import type { Gap } from '../bus/gap.js'
import { hostId } from '../core/ids.js'
import type { Heartbeat, HopBeat } from '../messages/heartbeat.js'
import { topicPrefixOf } from '../messages/sources.js'
import type { Env } from '../model/venue.js'
import { HostSkews } from './latency-clock.js'
import type { HostSkew } from './latency-clock.js'
import { HopMeter, between, momentOf } from './latency-hops.js'
import type { Sample } from './latency-hops.js'
import { MirrorLag } from './latency-mirror.js'
import { LatencyRecorder } from './latency-recorder.js'
import type { Interval, RecorderOptions } from './latency-recorder.js'
import { StreamBounds } from './stream-bounds.js'
import type { BoundOptions, EndReason } from './stream-bounds.js'
import { SilenceWatch } from './tap-silence.js'

export interface LatencyOptions extends BoundOptions, RecorderOptions {
  readonly endpoints: readonly PublisherEndpoint[]
  /** From `readPrefixes`: what is read is what is measured. */
  readonly prefixes: readonly string[]
  readonly env: Env
  readonly keys?: BusKeys | undefined
  /** Undefined: no mirror lag. */
  readonly redisUrl: string | undefined
  /** One line for people, without its newline. */
  readonly talk: (line: string) => void
  /** Silence worth a word, ms; 3 s when not said. */
  readonly silenceMs?: number
}

/** The messages of one life of a source that were measured: the first, the last, how many. */
export interface MeasuredChannel {
  readonly source: string
  readonly epoch: number
  readonly first_seq: number
  readonly last_seq: number
  readonly n: number
}

/** What a role says of a hop itself, since its start. */
export interface ReportedHop extends HopBeat {
  readonly role: string
  readonly hop: string
}

export interface LatencyRun extends Interval {
  readonly ended: EndReason
  readonly gaps: number
  /** Messages inside gaps whose two ends are known. */
  readonly missing: number
  /** Refused input by `kind:reason`. */
  readonly problems: Readonly<Record<string, number>>
  readonly channels: readonly MeasuredChannel[]
  /** Readings of one host's monotonic clock that were below zero: there can be none. */
  readonly backwards: number
  /** References to messages that were not read. */
  readonly unmatched: number
  /** Heartbeats of which Redis still lacked something at the end. */
  readonly unmirrored: number
  readonly skews: readonly HostSkew[]
  readonly reported: readonly ReportedHop[]
}

/** Runs until a bound is reached; never throws for what arrives, nor for a Redis that does not answer. */
export async function runLatency(options: LatencyOptions): Promise<LatencyRun> {
  const session = new LatencySession(options)
  try {
    const ended = await session.ended
    return session.finish(ended)
  } finally {
    session.close()
  }
}

class LatencySession {
  private readonly bounds: StreamBounds
  private readonly silence: SilenceWatch
  private readonly subscriber: Subscriber
  private readonly recorder: LatencyRecorder
  private readonly meter = new HopMeter((sample) => this.record(sample))
  private readonly skews: HostSkews
  private readonly mirror: MirrorLag | undefined
  private readonly channels = new Map<string, MeasuredChannel>()
  private readonly problems: Record<string, number> = {}
  private readonly reported = new Map<string, Readonly<Record<string, HopBeat>>>()
  private gaps = 0
  private missing = 0
  private backwards = 0

  constructor(private readonly options: LatencyOptions) {
    const { endpoints, prefixes, env, clock, keys, talk, silenceMs } = options
    this.recorder = new LatencyRecorder(options)
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
      onHeartbeat: (heartbeat, _endpoint, recvUs) => this.onHeartbeat(heartbeat, recvUs),
      onGap: (gap) => this.onGap(gap),
      onProblem: (problem) => this.onProblem(problem),
      onRefused: (_reason, publisher) => this.silence.refusedBy(publisher),
    })
    this.skews = new HostSkews({ endpoints, clock, keys })
    this.mirror = this.openMirror()
  }

  private openMirror(): MirrorLag | undefined {
    const { endpoints, prefixes, env, clock, redisUrl, talk } = this.options
    if (redisUrl === undefined) return undefined
    return new MirrorLag({
      redisUrl,
      env,
      clock,
      sources: endpoints.flatMap(({ sources }) => sources).filter((source) => reads(prefixes, source)),
      onLag: (source, us) => {
        const reading = { us, clock: 'monotonic' } as const
        this.record({ hop: 'mirror_lag', reading, source, topic: topicPrefixOf(source) })
      },
      onUnreachable: (why) => talk(`no mirror lag: ${why}`),
    })
  }

  get ended(): Promise<EndReason> {
    return this.bounds.ended
  }

  finish(ended: EndReason): LatencyRun {
    const unmirrored = this.mirror?.close() ?? 0
    const { gaps, missing, problems, backwards } = this
    return {
      ...this.recorder.finish(),
      ended,
      gaps,
      missing,
      problems,
      backwards,
      unmirrored,
      channels: [...this.channels.values()],
      unmatched: this.meter.unmatched,
      skews: this.skews.list(),
      reported: [...this.reported].flatMap(([role, hops]) =>
        Object.entries(hops).map(([hop, beat]) => ({ role, hop, ...beat })),
      ),
    }
  }

  close(): void {
    this.recorder.close()
    this.subscriber.close()
    this.silence.close()
    this.mirror?.close()
    this.skews.close()
  }

  private onMessage({ message, topic, recvUs }: Received): void {
    if (this.bounds.isOver) return
    const { header } = message
    this.silence.heard()
    this.recorder.count()
    this.note(header.source, header.epoch, header.seq)
    this.meter.take(message, topic)
    if (header.stamps.pub !== undefined) {
      const here = { host: hostId(), monoUs: recvUs, wallMs: this.options.clock.nowMs() }
      const reading = between(momentOf(header, header.stamps.pub), here)
      this.record({ hop: 'receive', reading, source: header.source, topic })
    }
    this.bounds.tick()
  }

  private onHeartbeat(heartbeat: Heartbeat, recvUs: number): void {
    if (this.bounds.isOver) return
    this.silence.beat(heartbeat)
    this.skews.beat(heartbeat)
    this.mirror?.beat(heartbeat, recvUs)
    this.reported.set(heartbeat.publisher, heartbeat.hops)
  }

  private onGap({ from, to }: Gap): void {
    if (this.bounds.isOver) return
    this.gaps++
    if (to !== null) this.missing += to - from + 1
  }

  private onProblem({ kind, reason }: Problem): void {
    if (this.bounds.isOver) return
    const name = kind === reason ? kind : `${kind}:${reason}`
    this.problems[name] = (this.problems[name] ?? 0) + 1
  }

  private record(sample: Sample): void {
    const { clock, us } = sample.reading
    if (clock === 'monotonic' && us < 0) this.backwards++
    this.recorder.record(sample)
  }

  private note(source: string, epoch: number, seq: number): void {
    const key = `${source} ${epoch}`
    const known = this.channels.get(key)
    this.channels.set(key, {
      source,
      epoch,
      first_seq: known?.first_seq ?? seq,
      last_seq: seq,
      n: (known?.n ?? 0) + 1,
    })
  }
}

/** Whether the prefixes take something of what a source publishes. */
export function reads(prefixes: readonly string[], source: string): boolean {
  const whole = topicPrefixOf(source)
  return prefixes.some((prefix) => whole.startsWith(prefix) || prefix.startsWith(whole))
}
