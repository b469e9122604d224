/** The deciding process of the pipeline benchmark, forked by `pipeline.ts`: the shard as it is, over either transport. */

import { journalRoot } from '../bus/journal/paths.js'
import { shardPublisher, sourcesOf } from '../bus/endpoints.js'
import type { PublisherEndpoint } from '../bus/endpoints.js'
import { Publisher } from '../bus/publisher.js'
import { systemClock } from '../core/clock.js'
import { openBusReader } from '../history/open-bus-reader.js'
import { parseHeartbeat } from '../messages/heartbeat.js'
import { orderbookSource, pricesSource, signalsSource } from '../messages/sources.js'
import { HEALTH_PREFIX } from '../messages/topics.js'
import { VENUES } from '../model/venue.js'
import type { RoleContext } from '../roles/role.js'
import { Shard } from '../roles/shard.js'
import { Histogram } from '../telemetry/histogram.js'
import { serveParent } from './bench-child.js'
import { connectBroker } from './brokers.js'
import { costOf, createBenchContext } from './pipeline-context.js'
import { PIPELINE_ENV } from './pipeline-messages.js'
import type { FromShard, ToShard } from './pipeline-messages.js'
import { PlainPublisher } from './plain-publisher.js'
import { PlainReader } from './plain-reader.js'

const INDEX = 0
const NAME = shardPublisher(INDEX)
const PREFIXES = ['prices.', 'orderbook.', 'games.'] as const

type Open = Extract<ToShard, { type: 'open' }>

let context: RoleContext | undefined

const shardOn = (role: RoleContext, signals: ConstructorParameters<typeof Shard>[2]): Shard =>
  new Shard(
    role,
    INDEX,
    signals,
    { monitor_shard: new Histogram(), decision: new Histogram() },
    undefined,
    undefined,
  )

async function openBus(role: RoleContext, { endpoints }: Open): Promise<readonly PublisherEndpoint[]> {
  const publisher = await Publisher.bind({
    name: NAME,
    url: 'tcp://127.0.0.1:*',
    recoveryUrl: 'tcp://127.0.0.1:*',
    env: PIPELINE_ENV,
    clock: systemClock,
    sources: sourcesOf(NAME),
    journal: { root: journalRoot(role.settings), retainBytes: role.settings['journal.retain'] },
  })
  const shard = shardOn(role, publisher.channel(signalsSource(INDEX)))
  openBusReader('zmq', {
    redisUrl: role.settings.redis_url,
    name: NAME,
    mode: 'snapshot',
    endpoints,
    prefixes: PREFIXES,
    env: PIPELINE_ENV,
    clock: systemClock,
    onMessage: (received) => shard.onMessage(received),
    onGap: ({ source }) => {
      role.counters.add('gaps')
      shard.inputs.gap(source)
    },
    onConflated: () => role.counters.add('conflated'),
    onState: (of, state) => shard.sendLate(shard.inputs.state(of, state === 'LIVE')),
    onHeartbeat: (heartbeat, _endpoint, recvUs) =>
      shard.sendLate(shard.inputs.heartbeat(heartbeat, recvUs) ?? []),
    onProblem: (problem) => shard.onProblem(problem),
  })
  const { url, recoveryUrl = '' } = publisher
  return [{ publisher: NAME, url, recoveryUrl, sources: sourcesOf(NAME) }]
}

async function openRedis(role: RoleContext, redisUrl: string): Promise<readonly PublisherEndpoint[]> {
  const link = await connectBroker({ transport: 'redis', redisUrl, natsPort: 0 })
  const out = new PlainPublisher({
    name: NAME,
    env: PIPELINE_ENV,
    sources: sourcesOf(NAME),
    link,
    feeds: () => [],
  })
  const shard = shardOn(role, out.channel(signalsSource(INDEX)))
  for (const source of VENUES.flatMap((venue) => [pricesSource(venue), orderbookSource(venue)])) {
    shard.inputs.state(source, true)
  }
  let recvUs = 0
  const endpoint = { publisher: 'redis', url: '', recoveryUrl: '', sources: [] }
  const reader = new PlainReader(PIPELINE_ENV, (message, topic, bytes) =>
    shard.onMessage({ message, topic, bytes, recvUs, endpoint }),
  )
  // A connection that subscribes can do nothing else.
  const incoming = await connectBroker({ transport: 'redis', redisUrl, natsPort: 0 })
  await incoming.subscribe([...PREFIXES, HEALTH_PREFIX], (topic, bytes) => {
    recvUs = systemClock.monoUs()
    if (!topic.startsWith(HEALTH_PREFIX)) return reader.read(topic, bytes)
    const heartbeat = parseHeartbeat(bytes.toString('utf8'))
    if (heartbeat !== undefined) shard.sendLate(shard.inputs.heartbeat(heartbeat, recvUs) ?? [])
  })
  return []
}

serveParent<ToShard, FromShard>(async (message) => {
  switch (message.type) {
    case 'open': {
      const { link, dir } = message
      context = createBenchContext('shard', dir)
      const endpoints =
        link.transport === 'redis' ? await openRedis(context, link.redisUrl) : await openBus(context, message)
      return { type: 'opened', endpoints }
    }
    case 'cost':
      return costOf(context)
  }
})
