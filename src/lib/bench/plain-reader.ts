/** What our subscriber does with the two frames of a message, behind another transport: decode, check, judge the order. */

import { SequenceTracker } from '../bus/sequence-tracker.js'
import { decode } from '../messages/codec.js'
import type { Message } from '../messages/codec.js'
import type { Env } from '../model/venue.js'

export class PlainReader {
  private readonly tracker = new SequenceTracker(() => true)

  constructor(
    private readonly env: Env,
    private readonly onMessage: (message: Message, topic: string, bytes: Buffer) => void,
  ) {}

  read(topic: string, bytes: Buffer): void {
    const decoded = decode(topic, bytes, this.env)
    if (decoded.kind !== 'message') return
    const { message } = decoded
    const { kind } = this.tracker.observe(message.header, topic, () => undefined)
    if (kind !== 'duplicate') this.onMessage(message, topic, bytes)
  }
}
