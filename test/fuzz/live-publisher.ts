/** A publisher as it runs in production, to be shot at, and the proof that it still does its work. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPair } from '../../src/lib/bus/curve.js'
import type { BusKeys } from '../../src/lib/bus/curve.js'
import { sourcesOf } from '../../src/lib/bus/endpoints.js'
import type { PublisherEndpoint } from '../../src/lib/bus/endpoints.js'
import { Publisher } from '../../src/lib/bus/publisher.js'
import { RecoveryClient } from '../../src/lib/bus/recovery/recovery-client.js'
import { Subscriber } from '../../src/lib/bus/subscriber.js'
import { ZapHandler } from '../../src/lib/bus/zap.js'
import { systemClock } from '../../src/lib/core/clock.js'
import * as samples from '../lib/messages/samples.js'
import { until } from '../lib/poll.js'
import { Tally } from './target.js'

export const SOURCE = 'kalshi.prices'
/** What its journal holds of `SOURCE`. */
export const MESSAGES = 50
/** On so many topics. */
export const TOPICS = 7

export interface LivePublisher {
  readonly publisher: Publisher
  readonly endpoint: PublisherEndpoint
  readonly epoch: number
  /** Of a reader that it lets in. */
  readonly readerKeys: BusKeys | undefined
  /** Handshakes that its sockets refused, by reason; without keys they count none. */
  readonly refusals: Tally
}

/** A publisher with a journal of a few messages; `url` and `recoveryUrl` where it must be at a certain port. */
export async function withPublisher<T>(
  work: (live: LivePublisher) => Promise<T>,
  at: { readonly url?: string; readonly recoveryUrl?: string; readonly hasKeys?: boolean } = {},
): Promise<T> {
  const root = mkdtempSync(join(tmpdir(), 'arbees-fuzz-'))
  const own = generateKeyPair()
  const reader = generateKeyPair()
  const keysOf = (pair: typeof own): BusKeys => ({ own: pair, serverKeyOf: () => own.publicKey })
  const refusals = new Tally()
  const zap = at.hasKeys ? await startZap((key) => key === reader.publicKey) : undefined
  const publisher = await Publisher.bind({
    name: 'kalshi',
    url: at.url ?? 'tcp://127.0.0.1:*',
    recoveryUrl: at.recoveryUrl ?? 'tcp://127.0.0.1:*',
    journal: { root, retainBytes: 2 ** 24 },
    env: 'sim',
    clock: systemClock,
    sources: sourcesOf('kalshi'),
    ...(at.hasKeys ? { keys: { ...keysOf(own), onRefused: (reason) => refusals.add(reason) } } : {}),
  })
  const channel = publisher.channel(SOURCE)
  for (let i = 0; i < MESSAGES; i++) channel.publish(`prices.kalshi.T${i % TOPICS}`, samples.prices)
  try {
    const { url, recoveryUrl = '' } = publisher
    const endpoint = { publisher: 'kalshi', url, recoveryUrl, sources: sourcesOf('kalshi') }
    const readerKeys = at.hasKeys ? keysOf(reader) : undefined
    return await work({ publisher, endpoint, epoch: channel.epoch, readerKeys, refusals })
  } finally {
    publisher.close()
    zap?.close()
    rmSync(root, { recursive: true, force: true })
  }
}

/** The handler of the publisher before may still be on its way out. */
async function startZap(allows: (publicKey: string) => boolean): Promise<ZapHandler> {
  const started: ZapHandler[] = []
  const start = async () => {
    await ZapHandler.start({ allows, onRefused: () => undefined }).then(
      (zap) => started.push(zap),
      () => undefined,
    )
    return started.length > 0
  }
  await until(start, 'the address of the key handler is free')
  return started[0]!
}

/** Whoever comes now gets the whole journal and the newest values. */
export async function answers({ endpoint, epoch, readerKeys: keys }: LivePublisher): Promise<boolean> {
  const client = new RecoveryClient({ endpoint, clock: systemClock, keys })
  const reply = await client.range(SOURCE, { epoch, from: 1 })
  const snapshot = await client.snapshot(SOURCE)
  client.close()
  return reply?.records.length === MESSAGES && snapshot?.values.length === TOPICS
}

/** Whoever joins now hears it. */
export async function hears({ endpoint, readerKeys: keys }: LivePublisher): Promise<boolean> {
  let heard = false
  const subscriber = new Subscriber({
    endpoints: [endpoint],
    prefixes: [],
    env: 'sim',
    clock: systemClock,
    keys,
    onMessage: () => undefined,
    onHeartbeat: () => (heard = true),
  })
  await until(() => heard, 'the publisher is heard').catch(() => undefined)
  subscriber.close()
  return heard
}

/** What its recovery socket says that it got, by kind. */
export const requestsOf = ({ publisher }: Pick<LivePublisher, 'publisher'>): Record<string, number> =>
  Object.fromEntries(
    Object.entries(publisher.heartbeat.counts).filter(([name]) => /^recovery_(bad_)?requests:/.test(name)),
  )
