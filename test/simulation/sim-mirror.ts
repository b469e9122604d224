/** A mirror process: the real core, and a shell that performs what it asks for. */

import type { RangeReply } from '../../src/lib/bus/range.js'
import { isGap } from '../../src/lib/mirror/item.js'
import type { Item, MirrorRecord } from '../../src/lib/mirror/item.js'
import { MirrorCore } from '../../src/lib/mirror/mirror-core.js'
import type { MirrorAction } from '../../src/lib/mirror/mirror-core.js'
import { Process } from './event-loop.js'
import type { EventLoop } from './event-loop.js'
import { judgeGap } from './oracle.js'
import type { RecoveryPath } from './recovery-path.js'
import type { Beat, SimPublisher } from './sim-publisher.js'
import type { SimStore, StoreConnection } from './sim-store.js'
import type { Envelope, Truth } from './truth.js'
import { brief } from './parts.js'

const TICK_MS = 50
const STREAM = 'sim:prices:kalshi'

export class SimMirror extends Process {
  private core: MirrorCore | undefined

  constructor(
    loop: EventLoop,
    private readonly name: string,
    private readonly truth: Truth,
    private readonly source: SimPublisher,
    private readonly recovery: RecoveryPath,
    private readonly store: SimStore,
    private readonly connection: StoreConnection,
    private readonly options: {
      readonly maxBehind: number
      readonly maxWaiting: number
      readonly outOfReachMs: number
    },
    private readonly trace: (text: string) => void,
  ) {
    super(loop)
  }

  get isRegressed(): boolean {
    return this.core?.regressedEpoch !== undefined
  }

  start(): void {
    if (this.alive) return
    this.begin()
    const { maxBehind, maxWaiting, outOfReachMs } = this.options
    this.core = new MirrorCore({
      maxBehind,
      maxWaiting: { records: maxWaiting, bytes: Infinity },
      outOfReachMs,
    })
    this.recovery.answeredMs = this.loop.nowMs
    this.tick()
  }

  kill(): void {
    if (!this.alive) return
    this.trace(`${this.name} killed`)
    this.end()
    this.recovery.forget()
    this.core = undefined
  }

  readonly onMessage = (message: Envelope): void => {
    const { epoch, seq } = message
    this.core?.receive({ epoch, seq, value: recordOf(message) }, this.loop.nowMs)
    this.pump()
  }

  readonly onBeat = (beat: Beat): void => {
    this.core?.beat(beat, this.loop.nowMs)
    this.pump()
  }

  readonly onStoreClosed = (): void => {
    this.core?.forget()
  }

  private tick(): void {
    this.pump()
    this.later(TICK_MS, () => this.tick())
  }

  private pump(): void {
    const { core, store } = this
    if (core === undefined) return
    const action = store.up ? core.nextAction(this.loop.nowMs) : undefined
    if (action !== undefined) this.perform(core, action)
    this.pull(core)
  }

  private perform(core: MirrorCore, action: MirrorAction): void {
    const settle = <T>(take: (reply: T) => void) => {
      return (reply: T | undefined): void => {
        if (this.core !== core) return
        if (reply === undefined) core.onFailure(this.loop.nowMs)
        else take(reply)
        this.pump()
      }
    }
    if (action.kind === 'read') {
      const { store } = this
      this.connection.call(
        () => store.read(),
        settle((checkpoint) => core.onRead(checkpoint, this.loop.nowMs)),
      )
      return
    }
    const { base, items } = action
    this.judge(base.seq, items)
    this.trace(`${this.name} writes ${items.length} steps from ${base.epoch}:${base.seq}`)
    this.connection.call(
      () => this.store.write(base, items),
      settle((outcome) => core.onWritten(outcome, this.loop.nowMs)),
    )
  }

  private pull(core: MirrorCore): void {
    const request = core.nextRequest(this.loop.nowMs)
    if (request === undefined) return
    this.trace(`${this.name} asks ${request.epoch}:${request.from}-${request.to ?? ''}`)
    this.recovery.ask<RangeReply<Envelope>>(
      (reply) => this.source.answerRange(request, reply),
      (reply) => {
        if (reply === undefined) core.onNoReply(this.loop.nowMs)
        else core.onReply(recordsOf(reply), this.loop.nowMs)
        this.pump()
      },
    )
  }

  private judge(base: number, items: readonly Item[]): void {
    let at = base
    for (const item of items) {
      if (item.kind !== 'record') this.trace(`${this.name} steps ${brief(item)}`)
      if (isGap(item)) {
        const { reason } = item
        const gap =
          item.kind === 'gap' ? item : { epoch: item.from, from: at + 1, to: null, reason: reason ?? '' }
        judgeGap(this.name, { ...gap, kind: 'gap' }, this.truth, {
          head: this.source.head,
          oldest: this.source.oldest,
          maxBehind: this.options.maxBehind,
          unansweredMs: this.loop.nowMs - this.recovery.answeredMs,
          outOfReachMs: this.options.outOfReachMs,
        })
      }
      at = item.kind === 'gap' ? item.to : item.kind === 'epoch' ? 0 : item.seq
    }
  }
}

const recordOf = ({ topic, data }: Envelope): MirrorRecord => ({
  stream: STREAM,
  topic,
  data,
  snapshot: { key: topic, expireAtMs: 0 },
})

const recordsOf = (reply: RangeReply<Envelope>): RangeReply<MirrorRecord> => ({
  ...reply,
  records: reply.records.map(({ seq, value }) => ({ seq, value: value === null ? null : recordOf(value) })),
})
