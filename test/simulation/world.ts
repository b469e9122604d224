/** One simulated run: a channel, its readers and mirrors, chaos for a while, then peace, then the verdict. */

import { isSame } from '../../src/lib/bus/position.js'
import { Prng } from '../../src/lib/sim/prng.js'
import { heal, unleash } from './chaos.js'
import type { Victims } from './chaos.js'
import { EventLoop } from './event-loop.js'
import { Link } from './network.js'
import { judgeLog } from './oracle.js'
import type { Parts } from './parts.js'
import { RecoveryPath } from './recovery-path.js'
import { SimMirror } from './sim-mirror.js'
import { SimPublisher } from './sim-publisher.js'
import { SimReader } from './sim-reader.js'
import { SimSnapshotReader } from './sim-snapshot-reader.js'
import { SimStore } from './sim-store.js'
import { Truth } from './truth.js'
import { Violation } from './violation.js'

const OUT_OF_REACH_MS = 1_500
/** After healing, everything has arrived by then. */
const PATIENCE_MS = 30_000
/** A source in an epoch of the past stays there until somebody mends it. */
const OPERATOR_MS = 5_000

export class World {
  readonly loop = new EventLoop()
  private readonly prng: Prng
  private readonly truth = new Truth()
  private readonly publisher: SimPublisher
  private readonly reader: SimReader
  private readonly snapshotReader: SimSnapshotReader
  private readonly mirrors: SimMirror[] = []
  private readonly store: SimStore
  private readonly victims: Victims
  private readonly liveLinks: Link[] = []
  private readonly recoveryLinks: Link[] = []
  private readonly storeLinks: Link[] = []

  constructor(
    seed: number,
    private readonly parts: Parts,
    private readonly onTrace?: (text: string) => void,
  ) {
    this.prng = new Prng(seed, 'simulation')
    const { loop, prng, truth } = this
    const trace = (text: string): void => this.trace(text)
    const isTight = prng.chance(0.4)
    const maxWaiting = prng.chance(0.3) ? prng.int(2, 20) : 10_000
    const hasSnapshots = prng.chance(0.75)
    const disk = this.parts.disk(prng)
    this.publisher = new SimPublisher(
      loop,
      prng,
      truth,
      disk,
      {
        source: hasSnapshots ? 'kalshi.prices' : 'shard-0.signals',
        retainBytes: isTight ? prng.int(1, 16) * 1_024 : 64 * 1_024,
        topics: prng.int(1, 6),
        chunk: { records: prng.int(1, 40), bytes: prng.int(200, 20_000) },
      },
      trace,
    )
    this.store = new SimStore(loop, prng, this.parts.store(), trace)
    const limits = { maxWaiting, outOfReachMs: OUT_OF_REACH_MS }
    this.reader = new SimReader(
      loop,
      prng,
      this.parts.reader,
      'reader',
      truth,
      this.publisher,
      this.recoveryPath(),
      limits,
      trace,
    )
    this.subscribe(this.reader)
    this.snapshotReader = new SimSnapshotReader(
      loop,
      this.parts.snapshotReader,
      truth,
      this.publisher,
      this.recoveryPath(),
      limits,
      trace,
    )
    if (hasSnapshots) this.subscribe(this.snapshotReader)
    const maxBehind = prng.chance(0.3) ? prng.int(10, 100) : 100_000
    for (const name of ['mirror-a', 'mirror-b']) {
      const [there, back] = [this.link(this.storeLinks), this.link(this.storeLinks)]
      const connection = this.store.connect(there, back, () => mirror.onStoreClosed())
      const mirror: SimMirror = new SimMirror(
        loop,
        name,
        truth,
        this.publisher,
        this.recoveryPath(),
        this.store,
        connection,
        { ...limits, maxBehind },
        trace,
      )
      this.mirrors.push(mirror)
      this.subscribe(mirror)
    }
    const { publisher, store, liveLinks, recoveryLinks, storeLinks } = this
    const newest = hasSnapshots ? [this.snapshotReader] : []
    const readers = [this.reader, ...newest, ...this.mirrors]
    this.victims = {
      loop,
      truth,
      disk,
      publisher,
      readers,
      store,
      liveLinks,
      recoveryLinks,
      storeLinks,
      trace,
    }
  }

  /** Throws `Violation` when the promise is broken. */
  async run(): Promise<void> {
    const { prng, loop } = this
    const chaosMs = prng.int(500, 4_000)
    heal(this.victims)
    this.work(chaosMs)
    unleash(this.victims, prng, chaosMs)
    await loop.runUntil(chaosMs + 4_000)
    this.trace('healed')
    heal(this.victims)
    if (prng.chance(0.7)) this.publisher.publish(prng.int(1, 5))
    await this.settle()
    this.judge()
  }

  private work(durationMs: number): void {
    const { prng, loop } = this
    const bursts = prng.int(3, 40)
    for (let i = 0; i < bursts; i++) {
      loop.after(prng.range(0, durationMs), () =>
        this.publisher.publish(prng.int(1, prng.chance(0.1) ? 30 : 5)),
      )
    }
    for (let i = 0; i < 6; i++) loop.after(prng.range(0, durationMs), () => this.store.save())
  }

  private async settle(): Promise<void> {
    const { loop } = this
    const healedMs = loop.nowMs
    let isMended = false
    while (!this.isQuiet) {
      if (loop.nowMs > healedMs + PATIENCE_MS) throw new Violation('stuck', this.describe())
      await loop.runUntil(loop.nowMs + 100)
      if (loop.nowMs > healedMs + OPERATOR_MS) this.snapshotReader.judgeEpoch()
      if (!isMended && loop.nowMs > healedMs + OPERATOR_MS && this.isRegressed) {
        isMended = true
        const { furthest } = this.snapshotReader
        this.publisher.restartAbove(Math.max(this.reader.position.epoch, this.store.read().epoch, furthest))
      }
    }
  }

  private get isRegressed(): boolean {
    return (
      this.reader.isRegressed ||
      this.snapshotReader.isRegressed ||
      this.mirrors.some(({ isRegressed }) => isRegressed)
    )
  }

  private get isQuiet(): boolean {
    const { head } = this.publisher
    const isWhole = !this.snapshotReader.alive || this.snapshotReader.isCurrent
    return isWhole && isSame(this.reader.position, head) && isSame(this.store.read(), head)
  }

  private judge(): void {
    judgeLog('reader', this.reader.entries, this.reader.position, this.truth)
    this.snapshotReader.judge()
    this.store.judgeStrings()
    judgeLog('stream', this.store.log(), this.store.read(), this.truth)
  }

  private describe(): string {
    const at = ({ epoch, seq }: { readonly epoch: number; readonly seq: number }): string => `${epoch}:${seq}`
    return `source at ${at(this.publisher.head)}, reader at ${at(this.reader.position)}, store at ${at(this.store.read())}`
  }

  private subscribe({ onMessage, onBeat }: Pick<SimReader, 'onMessage' | 'onBeat'>): void {
    this.publisher.subscriptions.push({ link: this.link(this.liveLinks), onMessage, onBeat })
  }

  private recoveryPath(): RecoveryPath {
    return new RecoveryPath(this.loop, this.link(this.recoveryLinks), this.link(this.recoveryLinks))
  }

  private link(group: Link[]): Link {
    const link = new Link(this.loop, this.prng)
    group.push(link)
    return link
  }

  private trace(text: string): void {
    this.onTrace?.(`${this.loop.nowMs.toFixed(1).padStart(9)} ${text}`)
  }
}
