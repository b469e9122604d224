/** A shard's publisher in a process of its own, journal and recovery socket included: made to be killed. */

import { sourcesOf } from '../../../src/lib/bus/endpoints.js'
import { Publisher } from '../../../src/lib/bus/publisher.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import { signals } from '../messages/samples.js'

export interface SignalsChild {
  readonly url: string
  readonly recoveryUrl: string
  readonly root: string
  readonly perSecond: number
}

const { url, recoveryUrl, root, perSecond } = JSON.parse(process.argv[2] ?? '{}') as SignalsChild
const publisher = await Publisher.bind({
  name: 'shard-0',
  url,
  recoveryUrl,
  journal: { root, retainBytes: 64 * 1024 * 1024 },
  env: 'sim',
  clock: systemClock,
  sources: sourcesOf('shard-0'),
})
const channel = publisher.channel('shard-0.signals')
await new Promise((resolve) => setTimeout(resolve, publisher.joinGraceLeftMs()))
let quiet = false
process.on('message', () => (quiet = true))
setInterval(() => {
  if (!quiet) {
    const id = `id-${channel.epoch}-${channel.nextSeq}`
    channel.publish(`signals.trade.${id}`, { ...signals, id })
  }
  process.send?.({ epoch: channel.epoch, seq: channel.lastSeq })
}, 1_000 / perSecond)
