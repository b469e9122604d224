/** One channel's mirror on a Redis, fed by a source of a test's own, wired as the role wires it. */

import { systemClock } from '../../../src/lib/core/clock.js'
import { ChannelMirror } from '../../../src/lib/mirror/channel-mirror.js'
import type { MirrorCoreOptions } from '../../../src/lib/mirror/mirror-core.js'
import { BatchWriter } from '../../../src/lib/mirror/writer.js'
import { RedisLink } from '../../../src/lib/redis/connection.js'
import { Counters } from '../../../src/lib/telemetry/counters.js'
import { until } from '../poll.js'
import { SOURCE } from './journaled-source.js'
import type { JournaledSource } from './journaled-source.js'

export interface RigOptions extends Partial<MirrorCoreOptions> {
  readonly timeoutMs?: number
}

export type ChannelRig = ReturnType<typeof channelRig>

export function channelRig(
  url: string,
  source: JournaledSource,
  { timeoutMs = 1_500, maxBehind = 1_000_000, ...core }: RigOptions = {},
) {
  const counters = new Counters()
  const events: string[] = []
  /** `up`, or the code of what the connection came to. */
  const linkEvents: string[] = []
  let pull: JournaledSource['pull'] = (request) => source.pull(request)
  const link = new RedisLink({
    url,
    name: 'test-mirror',
    writes: true,
    commandTimeoutMs: timeoutMs,
    onUp: () => {
      linkEvents.push('up')
      channel.resume()
    },
    onDown: ({ code }) => linkEvents.push(code),
  })
  const writer = new BatchWriter({ redis: link.redis, env: 'sim', source: SOURCE, maxLength: maxBehind })
  const channel: ChannelMirror = new ChannelMirror({
    source: SOURCE,
    writer,
    clock: systemClock,
    counters,
    isUp: () => link.isUp,
    pull: (request) => pull(request),
    events: {
      onGap: (_, gap) => events.push(`gap ${String(gap.reason)}`),
      onFailing: (_, code) => events.push(`failing ${code}`),
      onRecovered: () => events.push('recovered'),
    },
    maxBehind,
    ...core,
  })
  source.listeners.push(channel)
  const timer = setInterval(() => channel.step(), 10)
  const end = () => {
    clearInterval(timer)
    channel.stop()
    link.close()
  }
  /** Hears the source alone from now on. */
  const follow = (next: JournaledSource) => {
    next.listeners.push(channel)
    pull = (request) => next.pull(request)
  }
  const settled = (ms?: number) => until(() => link.isUp && !channel.isBehind, 'everything is written', ms)
  return { channel, counters, events, linkEvents, link, settled, follow, end }
}
