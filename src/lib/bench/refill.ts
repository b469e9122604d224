/**
 * What a reader that catches up costs the others: live latency at a steady rate, alone and while another process pulls
 * the journal of the same publisher as fast as it is given, in turns.
 */

import { HOP_PUBLISHER } from './hop-messages.js'
import { sourcesOf } from '../bus/endpoints.js'
import { Lifecycle } from '../core/lifecycle.js'
import { pricesSource } from '../messages/sources.js'
import { formatCount } from '../view/units.js'
import { BenchProcess } from './bench-process.js'
import { HopReceiver } from './hop-receiver.js'
import { drained, startPublisher } from './hop.js'
import type { HopOptions } from './hop.js'
import { HopWindow } from './hop-window.js'
import { paceOf } from './pacing.js'
import { summarizeRefill } from './refill-report.js'
import type { RefillRound, RefillSummary } from './refill-report.js'
import type { FromPuller, ToPuller } from './refill-messages.js'

const TRANSPORT = 'zeromq+journal'
const SOURCE = pricesSource(HOP_PUBLISHER)

export interface RefillOptions extends Omit<HopOptions, 'rates'> {
  readonly rate: number
  /** Messages in the journal before anything is measured. */
  readonly journaled: number
}

/** Throws `BENCH_FAILED` when a process fails. */
export async function benchRefill(options: RefillOptions): Promise<RefillSummary> {
  const lifecycle = new Lifecycle()
  try {
    const rounds = await measureRounds(options, lifecycle)
    return summarizeRefill(rounds, options)
  } finally {
    for (const failure of await lifecycle.close()) options.say(`while stopping: ${failure}`)
  }
}

async function measureRounds(options: RefillOptions, lifecycle: Lifecycle): Promise<RefillRound[]> {
  const { rounds, forMs, rate, journaled, signal, say } = options
  const publisher = startPublisher()
  lifecycle.defer('publishing process', () => publisher.close())
  const { urls } = await publisher.answer('bound')
  say(`publishing ${formatCount(journaled)} messages into the journal`)
  publisher.tell({ type: 'fill', transport: TRANSPORT, count: journaled })
  const { recoveryUrl, epoch, last } = await publisher.answer('filled')
  const endpoint = {
    publisher: HOP_PUBLISHER,
    url: urls[TRANSPORT],
    recoveryUrl,
    sources: sourcesOf(HOP_PUBLISHER),
  }
  const receiver = new HopReceiver()
  lifecycle.defer('receiver', () => receiver.close())
  await receiver.join(TRANSPORT, endpoint.url)
  const puller = new BenchProcess<ToPuller, FromPuller>('refill-puller.js', 'pulling process')
  lifecycle.defer('pulling process', () => puller.close())

  const measure = async (ms: number) => {
    const run = { transport: TRANSPORT, ...paceOf(rate, ms / 4, ms) } as const
    publisher.tell({ type: 'prepare', run })
    const { firstSeq } = await publisher.answer('prepared')
    const window = new HopWindow(firstSeq + run.warmUp, run)
    receiver.watch(TRANSPORT, window)
    publisher.tell({ type: 'go' })
    const { result } = await publisher.answer('done')
    await drained(window)
    const { received, fromSchedule } = window.arrivals()
    const { p50_us, p99_us, max_us } = fromSchedule
    const sent = run.measured
    return {
      rate,
      p50_us,
      p99_us,
      max_us,
      sent,
      received,
      dropped: sent - received,
      publisher_rss_mib: result.rssMib,
    }
  }
  const measureRefilling = async (): Promise<RefillRound> => {
    puller.tell({ type: 'pull', endpoint, source: SOURCE, epoch, last })
    const live = await measure(forMs)
    puller.tell({ type: 'stop' })
    const { perSecond, unanswered, maxRssMib } = await puller.answer('pulled')
    const pulled = { pulled_per_s: Math.round(perSecond), unanswered, puller_rss_mib: Math.round(maxRssMib) }
    return { refilling: true, ...live, ...pulled }
  }
  const measureAlone = async (): Promise<RefillRound> => {
    const live = await measure(forMs)
    return { refilling: false, ...live, pulled_per_s: 0, unanswered: 0, puller_rss_mib: 0 }
  }

  await measure(forMs / 2)
  const results: RefillRound[] = []
  for (let round = 0; round < rounds && !signal.aborted; round++) {
    const turns = [measureAlone, measureRefilling]
    // Whoever goes first meets the machine as the other left it: take turns.
    for (const turn of round % 2 === 0 ? turns : turns.reverse()) {
      const result = await turn()
      results.push(result)
      const beside = result.refilling ? `beside a refill of ${formatCount(result.pulled_per_s)}/s` : 'alone'
      say(
        `round ${round + 1}/${rounds}: ${rate}/s ${beside}: p50 ${result.p50_us} us, p99 ${result.p99_us} us`,
      )
    }
  }
  return results
}
