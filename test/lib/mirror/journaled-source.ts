/** A channel as the mirror meets it: a real journal on a disk in memory, and what went over the bus or did not. */

import { Journal } from '../../../src/lib/bus/journal/journal.js'
import { readRecords } from '../../../src/lib/bus/journal/record.js'
import type { RangeReply, RangeRequest } from '../../../src/lib/bus/range.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import type { Clock } from '../../../src/lib/core/clock.js'
import { decode, encode } from '../../../src/lib/messages/codec.js'
import type { ChannelBeat } from '../../../src/lib/messages/heartbeat.js'
import type { ChannelMirror } from '../../../src/lib/mirror/channel-mirror.js'
import type { MirrorRecord } from '../../../src/lib/mirror/item.js'
import { mirrorReply } from '../../../src/lib/mirror/pulled.js'
import { recordOf } from '../../../src/lib/mirror/routes.js'
import { redisKeys } from '../../../src/lib/redis/keys.js'
import { MemoryStorage } from '../bus/journal/memory-storage.js'
import * as samples from '../messages/samples.js'

export const SOURCE = 'kalshi.prices'
export const STREAM = 'sim:prices:kalshi'
const CHUNK = { records: 500, bytes: 256 * 1024 }

export interface SourceOptions {
  readonly storage?: MemoryStorage
  readonly clock?: Clock
  readonly retainBytes?: number
  readonly epochFloor?: number
  readonly bootId?: string
}

export class JournaledSource {
  private readonly channel = { env: 'sim', source: SOURCE, keys: redisKeys('sim') } as const
  private readonly storage: MemoryStorage
  private readonly journal: Journal
  /** Who hears what is sent. */
  readonly listeners: ChannelMirror[] = []
  /** The journal does not answer. */
  mute = false
  seq = 0
  asked = 0

  constructor({ storage, clock, retainBytes, epochFloor, bootId }: SourceOptions = {}) {
    this.storage = storage ?? new MemoryStorage()
    this.journal = Journal.open({
      storage: this.storage,
      source: SOURCE,
      clock: clock ?? systemClock,
      retainBytes: retainBytes ?? 1_000_000_000,
      epochFloor: epochFloor ?? 0,
      bootId: bootId ?? 'boot-1',
      onNotice: () => undefined,
    })
  }

  get epoch(): number {
    return this.journal.epoch
  }

  /** Publishes up to message `to`; a lost one is in the journal alone. */
  publish(to: number, { lost = false }: { readonly lost?: boolean } = {}): void {
    while (this.seq < to) {
      const seq = ++this.seq
      const topic = `prices.kalshi.T${seq % 7}`
      const { epoch } = this
      const envelope = {
        env: 'sim',
        source: SOURCE,
        epoch,
        seq,
        timestampMs: 1_000,
        host: 'h',
        stamps: {},
      } as const
      const text = encode(envelope, { ...samples.prices, market_id: `T${seq % 7}`, book_seq: seq })
      const data = this.journal.stage(seq, 1_000, Buffer.from(topic), text)
      if (lost) continue
      const decoded = decode(topic, data, 'sim')
      if (decoded.kind !== 'message') throw new Error(`${text} does not decode`)
      const record = recordOf(this.channel.keys, decoded.message, topic, data)
      for (const listener of this.listeners) listener.add({ epoch, seq }, record!)
    }
    this.journal.flush()
  }

  /** In bursts with pauses, as messages come. */
  async publishSlowly(to: number): Promise<void> {
    while (this.seq < to) {
      this.publish(Math.min(this.seq + 20, to))
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }

  beat({
    closing = false,
    journal = 'on',
  }: { closing?: boolean; journal?: ChannelBeat['journal'] } = {}): void {
    const { epoch, seq } = this
    const beat: ChannelBeat = { source: SOURCE, epoch, last_seq: seq, oldest: null, journal }
    for (const listener of this.listeners) listener.reached(beat, closing)
  }

  /** Ends in order: the journal is on disk, closed. */
  close(): void {
    this.beat({ closing: true })
    this.journal.close()
  }

  /** What the disk holds when the process is killed: everything that was flushed. */
  crash(): MemoryStorage {
    return this.storage.copy()
  }

  async pull(request: RangeRequest): Promise<RangeReply<MirrorRecord> | undefined> {
    this.asked++
    await new Promise((resolve) => setTimeout(resolve, 1))
    return this.mute ? undefined : this.answer(request)
  }

  answer(request: RangeRequest): RangeReply<MirrorRecord> {
    for (;;) {
      const answer = this.journal.answer(request, CHUNK)
      if (answer.kind === 'load') {
        this.journal.loaded(answer.segment, this.storage.read(answer.segment))
        continue
      }
      const { epoch, from, known, hole, last, end, next } = answer
      const records = (readRecords(answer.bytes) ?? []).map((value) => ({ seq: value.seq, value }))
      return mirrorReply({ epoch, from, known, records, hole, last, end, next }, this.channel)
    }
  }
}
