/** The recovery socket of a publisher: whoever can connect can write to it, and frames of any kind arrive. */

import { Dealer } from 'zeromq'
import { MAX_REQUEST_BYTES, formatRequest } from '../../src/lib/bus/recovery/messages.js'
import { until } from '../lib/poll.js'
import { SOURCE, answers, requestsOf, withPublisher } from './live-publisher.js'
import type { LivePublisher } from './live-publisher.js'
import { mutate } from './mutate.js'
import type { Frames } from './mutate.js'
import { Tally, exactly } from './target.js'
import type { FuzzTarget } from './target.js'

const BURST = 200
/** Heartbeats tell the counts every 200 ms: waited for now and then, or libzmq's queue is what is measured. */
const IN_FLIGHT = 20_000

const REFUSALS = ['not_json', 'bad_frames', 'bad_field', 'bad_version', 'not_an_object', 'bad_op', 'bad_id']
const MUST_COUNT = [
  ...REFUSALS.map((reason) => `recovery_bad_requests:${reason}`),
  ...['pong', 'range', 'snapshot'].map((reply) => `recovery_requests:${reply}`),
]

const seedsOf = (epoch: number): readonly Frames[] => [
  [Buffer.from(formatRequest({ op: 'ping', id: 1 }))],
  [Buffer.from(formatRequest({ op: 'range', id: 2, source: SOURCE, epoch, from: 3, to: 9 }))],
  [Buffer.from(formatRequest({ op: 'range', id: 3, source: SOURCE, epoch: 0, from: 1 }))],
  [Buffer.from(formatRequest({ op: 'snapshot', id: 4, source: SOURCE, cursor: 0 }))],
]

export const recoveryServerTarget: FuzzTarget = {
  name: 'recovery socket (publisher)',
  unit: 'requests',
  run: (runs, random, progress) =>
    withPublisher((live) => {
      const seeds = seedsOf(live.epoch)
      return shoot(live, runs, () => [...mutate(random, seeds)], progress)
    }),
}

async function shoot(
  live: LivePublisher,
  runs: number,
  next: () => Buffer[],
  progress: (done: number) => void,
) {
  const { endpoint } = live
  const url = endpoint.recoveryUrl ?? ''
  const hungUp = new Tally()
  const dealer = new Dealer({ linger: 0, sendHighWaterMark: 0, receiveHighWaterMark: 0 })
  dealer.connect(url)
  let replies = 0
  void (async () => {
    for await (const _reply of dealer) replies++
  })()
  const handled = () => requestsOf(live)
  const total = () => Object.values(handled()).reduce((sum, each) => sum + each, 0)
  /** What hangs up is not read, and not counted. */
  const keepsUp = (sent: number) =>
    until(() => total() >= sent - hungUp.total, `${sent - hungUp.total} are counted, not ${total()}`, 60_000)
  try {
    for (let sent = 0; sent < runs; sent++) {
      const frames = next()
      // It ends its connection, with everything on the way: on one of its own.
      if (frames.some(({ length }) => length > MAX_REQUEST_BYTES)) hungUp.add(await sendOversize(url, frames))
      else await dealer.send(frames)
      if (sent % BURST === 0) progress(sent)
      if (sent % IN_FLIGHT === 0) await keepsUp(sent)
    }
    await keepsUp(runs).catch(() => undefined)
    const expected = exactly(runs - hungUp.total)
    const worksAfter = replies > 0 && (await answers(live))
    return {
      sent: runs,
      counted: handled(),
      expected,
      mustCount: MUST_COUNT,
      seen: hungUp.counts,
      worksAfter,
    }
  } finally {
    dealer.close()
  }
}

async function sendOversize(url: string, frames: Buffer[]): Promise<string> {
  const dealer = new Dealer({ linger: 0 })
  const ended = new Promise<string>((resolve) => {
    dealer.events.on('disconnect', () => resolve('oversize: hung up'))
    setTimeout(() => resolve('oversize: let in'), 5_000).unref()
  })
  dealer.connect(url)
  await dealer.send(frames)
  const end = await ended
  dealer.close()
  return end
}
