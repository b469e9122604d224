/**
 * `<journal folder>` tells its parent where it is bound; on `go` it publishes four bursts of 10 prices, and on `die` a
 * fifth, and kills itself between the write of that and its first send.
 */

import { Journal } from '../../../src/lib/bus/journal/journal.js'
import { Publisher } from '../../../src/lib/bus/publisher.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import * as samples from '../messages/samples.js'

const [, , root = ''] = process.argv
const SOURCE = 'kalshi.prices'

let isLast = false
// eslint-disable-next-line @typescript-eslint/unbound-method -- called with the journal as its own
const { flush } = Journal.prototype
Journal.prototype.flush = function (this: Journal): boolean {
  const isWritten = flush.call(this)
  if (isLast) process.kill(process.pid, 'SIGKILL')
  return isWritten
}

const publisher = await Publisher.bind({
  ...{ name: 'kalshi', url: 'tcp://127.0.0.1:*', recoveryUrl: 'tcp://127.0.0.1:*', env: 'sim' },
  ...{ clock: systemClock, sources: [SOURCE], journal: { root, retainBytes: 10_000_000 } },
})
const channel = publisher.channel(SOURCE)
process.send?.({ url: publisher.url, epoch: channel.epoch })
const publish = (): void => {
  for (let i = 0; i < 10; i++) channel.publish('prices.kalshi.M', samples.prices)
}
process.on('message', (message: 'go' | 'die') => {
  if (message === 'go') for (let i = 0; i < 4; i++) setImmediate(publish)
  else {
    isLast = true
    publish()
  }
})
