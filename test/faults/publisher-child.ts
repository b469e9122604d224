/** Our publisher under load; notes each message that it accepted once the loop turn that published it is over. */

import { systemClock } from '../../src/lib/core/clock.js'
import { Publisher } from '../../src/lib/bus/publisher.js'
import type { Channel } from '../../src/lib/bus/channel.js'
import { onCommands, readConfig, tell } from './child.js'
import { PUBLISHER, SOURCE, priceOf } from './market-load.js'
import { SightingLog, lastMessage } from './sightings.js'

export interface PublisherConfig {
  readonly url: string
  readonly recoveryUrl: string
  readonly journalRoot: string
  readonly retainBytes: number
  /** Where it notes what it accepted. */
  readonly notes: string
  readonly markets: number
  /** Its wall clock is so much off. */
  readonly clockOffsetMs?: number
}

export type PublisherCommand =
  /** So many a second from now on; 0 is quiet. */
  | { readonly op: 'rate'; readonly perSecond: number }
  /** So many at once, as fast as turns go; answered by `sent`. */
  | { readonly op: 'burst'; readonly count: number }
  | { readonly op: 'end' }

const TICK_MS = 2
/** As many in one loop turn as a busy venue socket brings. */
const MOST_PER_TURN = 50

class Load {
  private readonly log: SightingLog
  private readonly channel: Channel
  private n: number
  private perSecond = 0
  private owed = 0
  private lastUs = systemClock.monoUs()

  constructor(
    private readonly publisher: Publisher,
    private readonly config: PublisherConfig,
  ) {
    this.n = lastMessage(config.notes)?.n ?? 0
    this.log = new SightingLog(config.notes)
    this.channel = publisher.channel(SOURCE)
    setInterval(() => this.tick(), TICK_MS)
  }

  rate(perSecond: number): void {
    this.perSecond = perSecond
    this.owed = 0
  }

  async burst(count: number): Promise<void> {
    await this.joined()
    for (let left = count; left > 0; left -= MOST_PER_TURN) {
      this.publish(Math.min(left, MOST_PER_TURN))
      await new Promise((done) => setImmediate(done))
    }
    tell('sent')
  }

  private tick(): void {
    const nowUs = systemClock.monoUs()
    const elapsedUs = nowUs - this.lastUs
    this.lastUs = nowUs
    if (this.perSecond === 0 || this.publisher.joinGraceLeftMs() > 0) return
    // A pause is not made up for: the rate is what a venue sends, not what we owe it.
    this.owed = Math.min(this.owed + (this.perSecond * elapsedUs) / 1e6, MOST_PER_TURN)
    const count = Math.floor(this.owed)
    this.owed -= count
    this.publish(count)
  }

  private publish(count: number): void {
    for (let i = 0; i < count; i++) {
      const n = ++this.n
      const { topic, payload } = priceOf(n, this.config.markets)
      const { epoch, seq } = this.channel.publish(topic, payload)
      this.log.message({ epoch, seq, n })
    }
    // Behind the publisher's own microtask, which ends the turn: what is noted is in the journal and was sent.
    queueMicrotask(() => this.log.flush())
  }

  private async joined(): Promise<void> {
    await new Promise((done) => setTimeout(done, this.publisher.joinGraceLeftMs()))
  }
}

const config = readConfig<PublisherConfig>()
const { clockOffsetMs = 0 } = config
const clock = { nowMs: () => systemClock.nowMs() + clockOffsetMs, monoUs: () => systemClock.monoUs() }
const publisher = await Publisher.bind({
  name: PUBLISHER,
  url: config.url,
  recoveryUrl: config.recoveryUrl,
  env: 'sim',
  clock,
  sources: [SOURCE],
  allowPlainBind: true,
  journal: { root: config.journalRoot, retainBytes: config.retainBytes },
  onNotice: (text) => console.error(text),
})
const load = new Load(publisher, config)
onCommands<PublisherCommand>(
  (command) => {
    if (command.op === 'rate') load.rate(command.perSecond)
    if (command.op === 'burst') void load.burst(command.count)
  },
  () => publisher.close(),
)
tell('ready', { epoch: publisher.channel(SOURCE).epoch })
