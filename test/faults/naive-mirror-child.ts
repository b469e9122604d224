/**
 * The first design's mirror, as a control: a plain SUB, one awaited XADD a message, an error logged and gone on from.
 * `resends` leaves ioredis as it comes: it queues while Redis is away and sends again what was not answered.
 */

import { Redis } from 'ioredis'
import { Subscriber } from 'zeromq'
import { onCommands, readConfig, tell } from './child.js'
import { PREFIX } from './market-load.js'

export interface NaiveMirrorConfig {
  readonly url: string
  readonly redisUrl: string
  readonly stream: string
  readonly resends: boolean
}

const config = readConfig<NaiveMirrorConfig>()
const redis = new Redis(config.redisUrl, {
  ...(config.resends
    ? {}
    : { enableOfflineQueue: false, autoResendUnfulfilledCommands: false, maxRetriesPerRequest: 0 }),
  retryStrategy: () => 100,
})
redis.on('error', () => undefined)
await new Promise((done) => redis.once('ready', done))
const socket = new Subscriber({ linger: 0 })
socket.subscribe(PREFIX)
socket.connect(config.url)
onCommands(
  () => undefined,
  () => socket.close(),
)
tell('ready')
for await (const [topic, body] of socket) {
  if (topic === undefined || body === undefined) continue
  try {
    await redis.xadd(config.stream, '*', 'topic', topic, 'data', body)
  } catch (error) {
    console.error(String(error))
  }
}
