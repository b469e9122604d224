/**
 * What a channel of our publisher does with a message before journal and socket: numbers and encodes it. For transports
 * that our bus is compared with, so that only the transport differs.
 */

import type { PublishOptions, Published, SealPayload } from '../bus/channel.js'
import { systemClock } from '../core/clock.js'
import { hostId } from '../core/ids.js'
import { encode } from '../messages/codec.js'
import type { Env } from '../model/venue.js'

export class PlainChannel {
  readonly epoch = systemClock.nowMs()
  private seq = 0
  private readonly lastByTopic = new Map<string, number>()

  constructor(
    readonly source: string,
    private readonly env: Env,
    private readonly send: (topic: string, text: string) => void,
  ) {}

  get nextSeq(): number {
    return this.seq + 1
  }

  publish(
    topic: string,
    payload: object | SealPayload,
    { stamps, trace, topLevel }: PublishOptions = {},
  ): Published {
    const { source, env, epoch } = this
    const seq = ++this.seq
    const timestampMs = systemClock.nowMs()
    const prev = this.lastByTopic.get(topic) ?? 0
    this.lastByTopic.set(topic, seq)
    const text = encode(
      {
        env,
        source,
        epoch,
        seq,
        prev,
        timestampMs,
        host: hostId(),
        ...(trace === undefined ? {} : { trace }),
        stamps: { ...stamps, pub: systemClock.monoUs() },
      },
      typeof payload === 'function' ? (payload as SealPayload)({ source, epoch, seq, timestampMs }) : payload,
      topLevel,
    )
    this.send(topic, text)
    return { epoch, seq }
  }
}
