/**
 * Writes down what a shard takes in before anybody hears what it made of it: one record a turn of the event loop, in
 * the order of the inputs, with every reading of the clock in between. From this and the journals of the publishers its
 * signals can be made again (`shard-rerun.ts`).
 */

import { Journal } from '../bus/journal/journal.js'
import { inputsDir } from '../bus/journal/paths.js'
import { FileStorage } from '../bus/journal/storage.js'
import type { Clock } from '../core/clock.js'
import { bootId } from '../core/ids.js'
import { inputsSource } from '../messages/sources.js'
import type { RoleContext } from './role.js'
import type { ShardInputs } from './shard-decider.js'
import { gapText, heartbeatText, messageText, stateText, turnText } from './shard-turn.js'
import type { ShardHead } from './shard-turn.js'

/** A turn that takes in more is written in parts. */
const MAX_TEXT = 32 * 1024
/** The head is told again after so many records. */
const HEAD_EVERY = 250
/** How much a crash of the machine may cost, ms; a crash of the process costs the turn that runs, without a signal. */
const SYNC_MS = 100

/** On this disk, below data_dir; the owner closes it. Throws what `Journal.open` throws. */
export function openRecorder(
  { settings, clock, log, lifecycle }: RoleContext,
  about: Omit<ShardHead, 'live'>,
): ShardRecorder {
  const source = inputsSource(about.shard)
  const journal = Journal.open({
    storage: new FileStorage(inputsDir(settings, source)),
    source,
    clock,
    retainBytes: settings['journal.retain'],
    bootId: bootId(),
    onNotice: (text) => log.warn(`journal of ${source}: ${text}`),
  })
  const timer = setInterval(() => void journal.sync(), SYNC_MS)
  lifecycle.defer('sync of inputs', () => clearInterval(timer))
  return new ShardRecorder(journal, clock, about)
}

export class ShardRecorder implements Clock {
  private readonly topic: Buffer
  private readonly live = new Set<string>()
  /** Before the inputs of this turn. */
  private head: ShardHead | undefined
  /** The inputs of this turn. */
  private text = ''
  private records = 0
  private turnEnd: NodeJS.Immediate | undefined

  constructor(
    private readonly journal: Journal,
    /** Read for the shard, and written down. */
    private readonly clock: Clock,
    private readonly about: Omit<ShardHead, 'live'>,
  ) {
    this.topic = Buffer.from(`inputs.shard-${about.shard}`)
  }

  nowMs(): number {
    return this.reading(this.clock.nowMs())
  }

  monoUs(): number {
    return this.reading(this.clock.monoUs())
  }

  /** What goes in is written down, and handed on to `inner`, whose clock this is. */
  around(inner: ShardInputs): ShardInputs {
    return {
      message: (message, recvUs) => {
        const { source, epoch, seq } = message.header
        return this.take(messageText(source, epoch, seq, recvUs), () => inner.message(message, recvUs))
      },
      heartbeat: (beat, recvUs) =>
        this.take(heartbeatText(beat, recvUs), () => inner.heartbeat(beat, recvUs)),
      gap: (source) => this.take(gapText(source), () => inner.gap(source)),
      state: (source, isLive) => {
        const decisions = this.take(stateText(source, isLive), () => inner.state(source, isLive))
        if (isLive) this.live.add(source)
        else this.live.delete(source)
        return decisions
      },
    }
  }

  /** Writes what was taken in so far: before a signal goes out, and at the end of the turn. Never throws. */
  flush(): void {
    if (this.text === '') return
    const { journal, head } = this
    journal.stage(++this.records, this.clock.nowMs(), this.topic, turnText(this.text, head))
    this.text = ''
    this.head = undefined
    journal.flush()
  }

  close(): void {
    clearImmediate(this.turnEnd)
    this.flush()
    this.journal.close()
  }

  private take<T>(text: string, work: () => T): T {
    if (this.text === '') {
      if (this.records % HEAD_EVERY === 0) this.head = { ...this.about, live: [...this.live] }
      this.text = text
    } else this.text += `,${text}`
    this.turnEnd ??= setImmediate(() => {
      this.turnEnd = undefined
      this.flush()
    })
    try {
      return work()
    } finally {
      this.text += ']'
      if (this.text.length > MAX_TEXT) this.flush()
    }
  }

  private reading(value: number): number {
    this.text += `,${value}`
    return value
  }
}
