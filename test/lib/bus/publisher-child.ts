/**
 * `<journal folder>` publishes prices in bursts of 10, tells its parent what it is about to publish, and kills itself
 * between the write of the fifth burst and its first send.
 */

import { Journal } from '../../../src/lib/bus/journal/journal.js'
import { Publisher } from '../../../src/lib/bus/publisher.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import * as samples from '../messages/samples.js'

const [, , root = ''] = process.argv
const SOURCE = 'kalshi.prices'

let burst = 0
// eslint-disable-next-line @typescript-eslint/unbound-method -- called with the journal as its own
const { flush } = Journal.prototype
Journal.prototype.flush = function (this: Journal): boolean {
  const isWritten = flush.call(this)
  if (burst === 5) process.kill(process.pid, 'SIGKILL')
  return isWritten
}

const publisher = await Publisher.bind({
  ...{ name: 'kalshi', url: 'tcp://127.0.0.1:*', recoveryUrl: 'tcp://127.0.0.1:*', env: 'sim' },
  ...{ clock: systemClock, sources: [SOURCE], journal: { root, retainBytes: 10_000_000 } },
})
const channel = publisher.channel(SOURCE)
process.send?.({ url: publisher.url, epoch: channel.epoch })
process.once('message', () => {
  const timer = setInterval(() => {
    burst++
    for (let i = 0; i < 10; i++) channel.publish('prices.kalshi.M', samples.prices)
    if (burst === 5) clearInterval(timer)
  }, 20)
})
