/** The topics that there are: what moves while one looks, and what publishers keep of those that stand still. */

import type { BusKeys } from '../bus/curve.js'
import type { PublisherEndpoint } from '../bus/endpoints.js'
import { RecoveryClient } from '../bus/recovery/recovery-client.js'
import { Subscriber } from '../bus/subscriber.js'
import { sleep } from '../core/backoff.js'
import type { Clock } from '../core/clock.js'
import { pullSnapshot } from '../history/publisher-snapshot.js'
import { familyOfSource, topicPrefixOf } from '../messages/sources.js'
import type { Env } from '../model/venue.js'

export interface TopicsOptions {
  readonly endpoints: readonly PublisherEndpoint[]
  /** From `readPrefixes`. */
  readonly prefixes: readonly string[]
  readonly env: Env
  readonly clock: Clock
  readonly keys?: BusKeys | undefined
  readonly forMs: number
  /** Ends it early, with what was seen. */
  readonly signal: AbortSignal
}

export interface TopicRow {
  readonly topic: string
  readonly source: string
  readonly seq: number
  /** Since its newest message, by the wall clocks, ms. */
  readonly age_ms: number
  /** While one looked. */
  readonly messages: number
  readonly per_s: number
  /** Of the newest message. */
  readonly bytes: number
}

export interface TopicsReport {
  readonly looked_ms: number
  /** The busiest first. */
  readonly topics: readonly TopicRow[]
  /** Topics beyond those that are remembered. */
  readonly more: number
  /** Channels whose publisher did not tell what stands still. */
  readonly silent: readonly string[]
}

/** Signals and orders have a topic each: a long look must not grow without bound. */
const MAX_TOPICS = 20_000
/** Families of which publishers keep the newest of each topic. */
const KEPT = new Set(['prices', 'orderbook', 'games'])

interface Seen {
  readonly source: string
  seq: number
  timestampMs: number
  messages: number
  bytes: number
}

/** Never throws for what arrives. Throws what `RecoveryClient` throws. */
export async function lookAtTopics(options: TopicsOptions): Promise<TopicsReport> {
  const { endpoints, prefixes, env, clock, keys, forMs, signal } = options
  const seen = new Map<string, Seen>()
  let more = 0
  const note = (
    topic: string,
    source: string,
    seq: number,
    timestampMs: number,
    bytes: number,
    n: number,
  ) => {
    const known = seen.get(topic)
    if (known === undefined) {
      if (seen.size >= MAX_TOPICS) more++
      else seen.set(topic, { source, seq, timestampMs, messages: n, bytes })
      return
    }
    known.messages += n
    // What stands still may be told after what moved since.
    if (timestampMs < known.timestampMs) return
    Object.assign(known, { seq, timestampMs, bytes })
  }
  const subscriber = new Subscriber({
    ...{ endpoints, prefixes, env, clock, keys },
    onMessage: ({ topic, bytes, message: { header } }) =>
      note(topic, header.source, header.seq, header.timestamp_ms, bytes.length, 1),
    onHeartbeat: () => undefined,
    onProblem: () => undefined,
  })
  const clients: RecoveryClient[] = []
  const startedUs = clock.monoUs()
  const wants = (topic: string): boolean => prefixes.some((prefix) => topic.startsWith(prefix))
  const pull = async (client: RecoveryClient, source: string): Promise<string[]> => {
    const snapshot = await pullSnapshot(client, source)
    if (snapshot === undefined) return [source]
    for (const { topic, seq, timestampMs, data } of snapshot.messages) {
      if (wants(topic)) note(topic, source, seq, timestampMs, data.length, 0)
    }
    return []
  }
  try {
    const pulls = endpoints.flatMap((endpoint) => {
      const sources = endpoint.sources.filter(
        (source) => KEPT.has(familyOfSource(source)) && reads(prefixes, topicPrefixOf(source)),
      )
      if (sources.length === 0 || endpoint.recoveryUrl === undefined) return []
      const client = new RecoveryClient({ endpoint, clock, keys })
      clients.push(client)
      return sources.map((source) => pull(client, source))
    })
    const [silent] = await Promise.all([Promise.all(pulls), sleep(forMs, signal)])
    const lookedMs = (clock.monoUs() - startedUs) / 1000
    const nowMs = clock.nowMs()
    const topics = [...seen].map(([topic, { source, seq, timestampMs, messages, bytes }]) => ({
      ...{ topic, source, seq, messages, bytes, age_ms: Math.max(0, nowMs - timestampMs) },
      per_s: Math.round((messages * 10_000) / lookedMs) / 10,
    }))
    topics.sort((a, b) => b.messages - a.messages || (a.topic < b.topic ? -1 : 1))
    return { looked_ms: Math.round(lookedMs), topics, more, silent: silent.flat() }
  } finally {
    for (const client of clients) client.close()
    subscriber.close()
  }
}

const reads = (prefixes: readonly string[], channel: string): boolean =>
  prefixes.some((prefix) => prefix.startsWith(channel) || channel.startsWith(prefix))
