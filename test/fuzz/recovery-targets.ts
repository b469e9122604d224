/** Both ends of the recovery socket: hostile clients at the publisher, a hostile publisher at the client. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Dealer, Router } from 'zeromq'
import { sourcesOf } from '../../src/lib/bus/endpoints.js'
import type { PublisherEndpoint } from '../../src/lib/bus/endpoints.js'
import { Publisher } from '../../src/lib/bus/publisher.js'
import { formatReply, formatRequest } from '../../src/lib/bus/recovery/messages.js'
import type { RecoveryReply } from '../../src/lib/bus/recovery/messages.js'
import { RecoveryClient } from '../../src/lib/bus/recovery/recovery-client.js'
import { Subscriber } from '../../src/lib/bus/subscriber.js'
import { systemClock } from '../../src/lib/core/clock.js'
import * as samples from '../lib/messages/samples.js'
import { until } from '../lib/poll.js'
import { mutate } from './mutate.js'
import type { Frames } from './mutate.js'
import { Tally } from './target.js'
import type { FuzzTarget } from './target.js'

export const SOURCE = 'kalshi.prices'
const MESSAGES = 50

/** A publisher with a journal of a few messages, as it runs in production. */
export async function withPublisher<T>(
  work: (publisher: Publisher, endpoint: PublisherEndpoint) => Promise<T>,
): Promise<T> {
  const root = mkdtempSync(join(tmpdir(), 'arbees-fuzz-'))
  const publisher = await Publisher.bind({
    name: 'kalshi',
    url: 'tcp://127.0.0.1:*',
    recoveryUrl: 'tcp://127.0.0.1:*',
    journal: { root, retainBytes: 2 ** 24 },
    env: 'sim',
    clock: systemClock,
    sources: sourcesOf('kalshi'),
  })
  for (let i = 0; i < MESSAGES; i++)
    publisher.channel(SOURCE).publish(`prices.kalshi.T${i % 7}`, samples.prices)
  try {
    const { url, recoveryUrl = '' } = publisher
    return await work(publisher, { publisher: 'kalshi', url, recoveryUrl, sources: sourcesOf('kalshi') })
  } finally {
    publisher.close()
    rmSync(root, { recursive: true, force: true })
  }
}

export async function answers(endpoint: PublisherEndpoint, epoch: number): Promise<boolean> {
  const client = new RecoveryClient({ endpoint, clock: systemClock })
  const reply = await client.range(SOURCE, { epoch, from: 1 })
  const snapshot = await client.snapshot(SOURCE)
  client.close()
  return reply?.records.length === MESSAGES && snapshot?.values.length === 7
}

const requestSeeds = (epoch: number): readonly Frames[] => [
  [Buffer.from(formatRequest({ op: 'ping', id: 1 }))],
  [Buffer.from(formatRequest({ op: 'range', id: 2, source: SOURCE, epoch, from: 3, to: 9 }))],
  [Buffer.from(formatRequest({ op: 'range', id: 3, source: SOURCE, epoch: 0, from: 1 }))],
  [Buffer.from(formatRequest({ op: 'snapshot', id: 4, source: SOURCE, cursor: 0 }))],
]

const BURST = 200

export const recoveryServerTarget: FuzzTarget = {
  name: 'recovery socket (publisher)',
  unit: 'requests',
  cost: 1,
  run: (runs, random, progress) =>
    withPublisher(async (publisher, endpoint) => {
      let counts: Readonly<Record<string, number>> = {}
      const subscriber = new Subscriber({
        endpoints: [endpoint],
        prefixes: [],
        env: 'sim',
        clock: systemClock,
        onMessage: () => undefined,
        onHeartbeat: (heartbeat) => (counts = heartbeat.counts),
      })
      const { epoch } = publisher.channel(SOURCE)
      const dealer = new Dealer({ linger: 0, sendHighWaterMark: 0, receiveHighWaterMark: 0 })
      dealer.connect(endpoint.recoveryUrl ?? '')
      let replies = 0
      void (async () => {
        for await (const _reply of dealer) replies++
      })()
      const handled = () =>
        Object.fromEntries(Object.entries(counts).filter(([name]) => /^recovery_(bad_)?requests:/.test(name)))
      const total = () => Object.values(handled()).reduce((sum, each) => sum + each, 0)
      const seeds = requestSeeds(epoch)
      try {
        for (let sent = 0; sent < runs; sent += BURST) {
          for (let i = 0; i < Math.min(BURST, runs - sent); i++) await dealer.send([...mutate(random, seeds)])
          // Heartbeats tell every 200 ms: wait for them now and then, or libzmq's queue is what is measured.
          if (sent % 20_000 === 0) await until(() => total() >= sent, 'the publisher keeps up', 60_000)
          progress(Math.min(runs, sent + BURST))
        }
        await until(() => total() >= runs, `all of ${runs} are accounted for, not ${total()}`, 60_000).catch(
          () => undefined,
        )
        const outcomes = { ...handled() }
        const worksAfter = replies > 0 && (await answers(endpoint, epoch))
        return { sent: runs, outcomes, expected: runs, worksAfter }
      } finally {
        dealer.close()
        subscriber.close()
      }
    }),
}

/** Mutants that come before each right answer. */
const BEFORE = 20

export const recoveryClientTarget: FuzzTarget = {
  name: 'recovery client (reader)',
  unit: 'replies',
  cost: 4,
  run: (runs, random, progress) =>
    withPublisher(async (publisher, endpoint) => {
      const { epoch } = publisher.channel(SOURCE)
      const seeds = await recordedReplies(endpoint, epoch)
      const router = new Router({ linger: 0, sendHighWaterMark: 0 })
      await router.bind('tcp://127.0.0.1:*')
      let sent = 0
      void (async () => {
        for await (const [client = Buffer.alloc(0), request = Buffer.alloc(0)] of router) {
          const { id } = JSON.parse(request.toString()) as { id: number }
          const withId = seeds.map(([header, ...rest]) => [
            Buffer.from(String(header).replace(/"id":\d+/, `"id":${id}`)),
            ...rest,
          ])
          for (let i = 0; i < BEFORE; i++) {
            const frames = mutate(random, withId)
            sent++
            router.send([client, ...frames]).catch(() => undefined)
          }
          router.send([client, ...withId[0]!]).catch(() => undefined)
        }
      })()
      const client = new RecoveryClient({
        endpoint: { ...endpoint, recoveryUrl: router.lastEndpoint ?? '' },
        clock: systemClock,
        timeoutMs: 100,
      })
      const tally = new Tally()
      let asked = 0
      try {
        while (sent < runs) {
          asked++
          const reply = await client.range(SOURCE, { epoch, from: 1 })
          tally.add(
            reply === undefined
              ? 'no answer'
              : reply.records.length === MESSAGES
                ? 'answered'
                : 'answered less',
          )
          progress(sent)
        }
        const after = new RecoveryClient({ endpoint, clock: systemClock })
        const worksAfter = (await after.range(SOURCE, { epoch, from: 1 }))?.records.length === MESSAGES
        after.close()
        return {
          sent,
          outcomes: tally.counts,
          expected: asked,
          worksAfter: worksAfter && (tally.counts['answered'] ?? 0) > 0,
        }
      } finally {
        client.close()
        router.close()
      }
    }),
}

/** What the real publisher answers, to be made wrong. */
async function recordedReplies(endpoint: PublisherEndpoint, epoch: number): Promise<Frames[]> {
  const dealer = new Dealer({ linger: 0 })
  dealer.connect(endpoint.recoveryUrl ?? '')
  const replies: Frames[] = []
  for (const request of [
    formatRequest({ op: 'range', id: 1, source: SOURCE, epoch, from: 1 }),
    formatRequest({ op: 'range', id: 1, source: SOURCE, epoch: 0, from: 1 }),
    formatRequest({ op: 'snapshot', id: 1, source: SOURCE, cursor: 0 }),
    formatRequest({ op: 'ping', id: 1 }),
  ]) {
    await dealer.send(request)
    replies.push(await dealer.receive())
  }
  dealer.close()
  const limited: RecoveryReply = { op: 'rate_limited', id: 1, retry_ms: 1 }
  return [...replies, [Buffer.from(formatReply(limited))]]
}
