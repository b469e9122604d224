/**
 * Follows the bus as one more subscriber. It cannot slow a publisher: a reader that falls behind loses messages at the
 * publisher's high-water mark, and sees its own loss as gaps.
 */

import type { BusKeys } from '../bus/curve.js'
import type { PublisherEndpoint } from '../bus/endpoints.js'
import { Subscriber } from '../bus/subscriber.js'
import type { Problem, Received, ReceivedLegacy } from '../bus/subscriber.js'
import type { Clock } from '../core/clock.js'
import { hostId } from '../core/ids.js'
import { legacyItem, pastMessage } from '../history/live-past.js'
import type { Heartbeat } from '../messages/heartbeat.js'
import { healthTopic } from '../messages/topics.js'
import type { Env } from '../model/venue.js'
import { StreamBounds } from './stream-bounds.js'
import type { BoundOptions, EndReason } from './stream-bounds.js'
import type { TapDesk } from './tap-desk.js'
import { tapItem } from './tap-item.js'
import { SilenceWatch } from './tap-silence.js'

export interface TapOptions extends BoundOptions {
  readonly endpoints: readonly PublisherEndpoint[]
  /** From `readPrefixes`. */
  readonly prefixes: readonly string[]
  readonly env: Env
  readonly clock: Clock
  readonly keys?: BusKeys | undefined
  readonly desk: TapDesk
  /** Talk: one line, without its newline. */
  readonly talk: (line: string) => void
  /** Silence worth a word, ms; 3 s when not said. */
  readonly silenceMs?: number
}

/** Runs until a bound is reached; never throws for what arrives. */
export async function runTap(options: TapOptions): Promise<EndReason> {
  const tap = new Tap(options)
  try {
    return await tap.ended
  } finally {
    tap.close()
  }
}

class Tap {
  private readonly bounds: StreamBounds
  private readonly subscriber: Subscriber
  private readonly silence: SilenceWatch

  constructor(private readonly options: TapOptions) {
    const { endpoints, prefixes, env, clock, keys, desk, talk, silenceMs } = options
    this.bounds = new StreamBounds(options)
    this.silence = new SilenceWatch({
      endpoints,
      prefixes,
      talk,
      hints: () => desk.hints(),
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
      onGap: (gap) => {
        if (!this.bounds.isOver) desk.gap(gap)
      },
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

  private onMessage(received: Received): void {
    const { host, stamps, timestamp_ms: wallMs } = received.message.header
    const message = pastMessage(received)
    const ageUs = this.ageUs({ host, monoUs: stamps.pub, wallMs }, received.recvUs)
    this.offer({ ...tapItem(message), ageUs }, message)
  }

  private onLegacy(received: ReceivedLegacy): void {
    const message = legacyItem(received, this.options.clock.nowMs())
    this.offer(tapItem(message), message)
  }

  private onHeartbeat(heartbeat: Heartbeat, recvUs: number): void {
    if (this.bounds.isOver) return
    this.silence.beat(heartbeat)
    const { publisher, host, mono_us: monoUs, timestamp_ms: timestampMs } = heartbeat
    const ageUs = this.ageUs({ host, monoUs, wallMs: timestampMs }, recvUs)
    const topic = healthTopic(publisher)
    this.offer({ topic, source: publisher, timestampMs, ageUs, text: JSON.stringify(heartbeat) })
  }

  private onProblem(problem: Problem): void {
    if (!this.bounds.isOver) this.options.desk.problem(problem, problem.endpoint.url)
  }

  private offer(...[item, message]: Parameters<TapDesk['show']>): void {
    const { desk } = this.options
    if (this.bounds.isOver || !desk.wants(item)) return
    this.silence.heard()
    desk.show(item, message)
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
