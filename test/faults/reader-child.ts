/**
 * Our gap-filled reader. What it saw is its only memory: it starts behind the last line of its file, as a service does
 * that keeps its position with its work.
 */

import { RecoveringSubscriber } from '../../src/lib/bus/recovering-subscriber.js'
import { systemClock } from '../../src/lib/core/clock.js'
import { NOWHERE } from '../../src/lib/bus/position.js'
import { Histogram } from '../../src/lib/telemetry/histogram.js'
import { onCommands, readConfig, tell } from './child.js'
import { HarmedLog } from './harm.js'
import type { Harm } from './harm.js'
import { PREFIX, PUBLISHER, SOURCE } from './market-load.js'
import { SightingLog, lastPlace } from './sightings.js'

export interface ReaderConfig {
  readonly url: string
  readonly recoveryUrl: string
  readonly notes: string
  /** Blocks for so long over each message. */
  readonly slowMs?: number
  /** Harmed on purpose, to see whether the harness sees it. */
  readonly harm?: Harm | undefined
}

/** Answered by `hops`: from publish to receipt, of the messages since the last time. */
export interface ReaderCommand {
  readonly op: 'hops'
}

const OUT_OF_REACH_MS = 10_000

const config = readConfig<ReaderConfig>()
const last = lastPlace(config.notes)
const log =
  config.harm === undefined ? new SightingLog(config.notes) : new HarmedLog(config.notes, config.harm)
let hops = new Histogram()
const pause = new Int32Array(new SharedArrayBuffer(4))

const subscriber = new RecoveringSubscriber({
  endpoints: [{ publisher: PUBLISHER, url: config.url, recoveryUrl: config.recoveryUrl, sources: [SOURCE] }],
  prefixes: [PREFIX],
  env: 'sim',
  clock: systemClock,
  mode: 'gap-filled',
  startAt: () => (last === undefined ? NOWHERE : { ...last, closed: false }),
  outOfReachMs: OUT_OF_REACH_MS,
  onMessage: ({ message, recvUs }) => {
    if (message.family !== 'prices') return
    const { epoch, seq, stamps } = message.header
    hops.record(recvUs - (stamps.pub ?? recvUs))
    log.message({ epoch, seq, n: message.payload.book_seq })
    if (config.slowMs === undefined) return
    log.flush()
    Atomics.wait(pause, 0, 0, config.slowMs)
  },
  onGap: (gap) => log.gap(gap),
})
onCommands<ReaderCommand>(
  () => {
    tell('hops', { p50_us: hops.percentile(50), p99_us: hops.percentile(99), n: hops.count })
    hops = new Histogram()
  },
  () => subscriber.close(),
)
tell('ready')
