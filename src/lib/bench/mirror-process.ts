/** A mirroring process of the mirror benchmark, forked by `mirror.ts`: one kind of mirror and what it is measured by. */

import type { PublisherEndpoint } from '../bus/endpoints.js'
import { Subscriber } from '../bus/subscriber.js'
import { sleep } from '../core/backoff.js'
import { systemClock } from '../core/clock.js'
import { HEARTBEAT_MS } from '../messages/heartbeat.js'
import { FAMILIES } from '../messages/topics.js'
import { recordOf } from '../mirror/routes.js'
import { RedisLink } from '../redis/connection.js'
import { redisKeys } from '../redis/keys.js'
import { serveParent } from './bench-child.js'
import { ArbeesMirror, PlainMirror, awaitEach, pipelineAll } from './mirror-kinds.js'
import type { BenchMirror } from './mirror-kinds.js'
import { MIRROR_ENV } from './mirror-messages.js'
import type { FromMirror, MirrorKind, MirrorResult, ToMirror } from './mirror-messages.js'
import { MirrorWindow } from './mirror-window.js'
import { rssMib } from './process-cost.js'

/** A publisher that is not heard for so long is not there. */
const JOIN_US = 10e6

/** One kind of mirror between its publishers and its Redis. */
class Session {
  private constructor(
    readonly mirror: BenchMirror,
    private readonly link: RedisLink,
    private readonly subscriber: Subscriber,
  ) {}

  /** Resolves when every publisher was heard: the subscriptions stand. */
  static async join(
    kind: MirrorKind,
    redisUrl: string,
    endpoints: readonly PublisherEndpoint[],
  ): Promise<Session> {
    const link = new RedisLink({ url: redisUrl, name: `bench-${kind}` })
    await link.ready()
    const keys = redisKeys(MIRROR_ENV)
    const mirror = mirrorOf(kind, link, endpoints)
    const silent = new Set(endpoints.map(({ publisher }) => publisher))
    const subscriber = new Subscriber({
      endpoints,
      prefixes: FAMILIES.map((family) => `${family}.`),
      env: MIRROR_ENV,
      clock: systemClock,
      gate: 'none',
      onMessage: ({ message, topic, bytes }) => {
        const record = recordOf(keys, message, topic, bytes)
        if (record !== undefined) mirror.add(message.header, record)
      },
      onHeartbeat: (heartbeat) => {
        silent.delete(heartbeat.publisher)
        mirror.onHeartbeat(heartbeat)
      },
    })
    for (const sinceUs = systemClock.monoUs(); silent.size > 0;) {
      if (systemClock.monoUs() - sinceUs > JOIN_US)
        throw new Error(`nothing is heard of ${[...silent].join()}`)
      await sleep(5)
    }
    return new Session(mirror, link, subscriber)
  }

  close(): void {
    this.subscriber.close()
    this.mirror.close()
    this.link.close()
  }
}

let session: Session | undefined
let window: MirrorWindow | undefined

const onWritten = (source: string, seq: number, pubUs: number, nowUs: number): void =>
  window?.record(source, seq, pubUs, nowUs)

function mirrorOf(kind: MirrorKind, link: RedisLink, endpoints: readonly PublisherEndpoint[]): BenchMirror {
  switch (kind) {
    case 'arbees':
      return new ArbeesMirror(link, endpoints, onWritten)
    case 'await':
      return new PlainMirror(awaitEach(link.redis), onWritten)
    case 'pipeline':
      return new PlainMirror(pipelineAll(link.redis), onWritten)
  }
}

async function finish(endedUs: number, withinMs: number): Promise<MirrorResult> {
  const noted = window
  if (noted === undefined || session === undefined) throw new Error('nothing is watched')
  const { mirror } = session
  while (!noted.complete && systemClock.monoUs() < endedUs + withinMs * 1000) await sleep(10)
  const result = { written: noted.written(), failedCalls: mirror.failedCalls, rssMib: rssMib() }
  // What comes later is not of the next stretch: what was lost on the way shows with the next heartbeat.
  window = undefined
  if (!noted.complete) await sleep(2 * HEARTBEAT_MS)
  await mirror.settle()
  return result
}

serveParent<ToMirror, FromMirror>(async (message) => {
  switch (message.type) {
    case 'join': {
      session = await Session.join(message.kind, message.redisUrl, message.endpoints)
      return { type: 'joined' }
    }
    case 'watch': {
      window = new MirrorWindow(message.watch)
      return { type: 'watching' }
    }
    case 'finish':
      return { type: 'finished', result: await finish(message.endedUs, message.withinMs) }
    case 'leave': {
      session?.close()
      session = undefined
      return { type: 'left' }
    }
  }
})
