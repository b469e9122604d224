/**
 * A replay onto the bus: a publisher of its own, whose topics and sources begin with `replay.<run>.` and whose env is
 * `replay`, so that nobody takes it for what happens now. Payloads are the same; place, times and stamps are new, and
 * the trace is the one that the message had.
 */

import { Publisher } from '../bus/publisher.js'
import { sleep } from '../core/backoff.js'
import { systemClock } from '../core/clock.js'
import type { LoadedSettings } from '../core/config.js'
import { ArbeesError, EXIT } from '../core/errors.js'
import { Lifecycle } from '../core/lifecycle.js'
import { isUnguarded } from '../history/past.js'
import type { PastMessage } from '../history/past.js'
import { decode, legacyPriceFields } from '../messages/codec.js'
import type { Message, Refusal } from '../messages/codec.js'
import { isRun, replaySource } from '../messages/sources.js'
import { formatTopic } from '../messages/topics.js'
import type { Env } from '../model/venue.js'
import { openRoleKeys } from '../roles/bus-keys.js'
import { replayEndpoint } from '../roles/wiring.js'
import { Counters } from '../telemetry/counters.js'
import { createLogger } from '../telemetry/logger.js'
import { takeReplayFolder } from './replay-folder.js'
import type { ReplaySink } from './replay.js'

export interface ReplayBusOptions {
  readonly loaded: LoadedSettings
  readonly run: string
  /** A message that cannot be published: left out. */
  readonly onProblem: (refusal: Refusal) => void
  /** It can be read there. */
  readonly onBound: (url: string) => void
}

/** Throws `BAD_RUN` (usage), and what `openRoleKeys`, `takeReplayFolder` and `Publisher.bind` throw. */
export async function replayBus({ loaded, run, onProblem, onBound }: ReplayBusOptions): Promise<ReplaySink> {
  const { settings } = loaded
  if (!isRun(run)) {
    throw new ArbeesError('BAD_RUN', `'${run}' cannot name a replay`, {
      exit: EXIT.USAGE,
      hint: 'small letters, digits and dashes, at most 32',
    })
  }
  const lifecycle = new Lifecycle()
  try {
    const publisher = await bind(loaded, run, lifecycle)
    onBound(publisher.url)
    await sleep(publisher.joinGraceLeftMs())
    const { sources } = replayEndpoint(settings, run)
    return {
      write: (items) => {
        for (const item of items) {
          const refusal =
            item.kind === 'message' ? publish(publisher, sources, run, item, settings.env) : undefined
          if (refusal !== undefined) onProblem(refusal)
        }
        return Promise.resolve()
      },
      close: async () => void (await lifecycle.close()),
    }
  } catch (error) {
    await lifecycle.close()
    throw error
  }
}

async function bind({ settings }: LoadedSettings, run: string, lifecycle: Lifecycle): Promise<Publisher> {
  const log = createLogger({ name: 'replay', level: settings.log_level, format: settings.log_format })
  const keys = await openRoleKeys('replay', settings, { counters: new Counters(), lifecycle, log })
  const { publisher: name, url, recoveryUrl, sources } = replayEndpoint(settings, run)
  // As long as it runs: a reader that is slow pulls what it lost.
  const folder = takeReplayFolder(settings.data_dir, run, (text) => log.warn(text))
  lifecycle.defer('journals', () => folder.remove())
  const publisher = await Publisher.bind({
    name,
    url,
    ...(recoveryUrl === undefined ? {} : { recoveryUrl }),
    journal: { root: folder.path, retainBytes: settings['journal.retain'] },
    keys,
    env: 'replay',
    clock: systemClock,
    sources,
    allowPlainBind: settings.allow_plain_bind,
    onNotice: (text) => log.warn(text),
  })
  lifecycle.defer('publisher', () => publisher.close())
  return publisher
}

/** Publishes it, or says why not. */
function publish(
  publisher: Publisher,
  sources: readonly string[],
  run: string,
  past: PastMessage,
  env: Env,
): Refusal | undefined {
  const source = replaySource(run, past.source)
  if (isUnguarded(past)) return { reason: 'unguarded', detail: `${past.topic} is of a first-design sender` }
  if (!sources.includes(source)) return { reason: 'unknown_source', detail: `${past.source}: see shards` }
  const decoded = decode(past.topic, past.data, env)
  if (decoded.kind === 'refused') return decoded.refusal
  if (decoded.kind === 'legacy') return { reason: 'entry_differs', detail: `no envelope on ${past.topic}` }
  const { message } = decoded
  const { venue_ms: venueMs } = message.header.stamps
  publisher.channel(source).publish(formatTopic({ ...message.topic, run }), message.payload, {
    // What a monotonic clock said then says nothing beside what it says now.
    stamps: venueMs === undefined ? {} : { venue_ms: venueMs },
    trace: message.header.trace,
    topLevel: topLevelOf(message),
  })
  return undefined
}

function topLevelOf({ family, payload }: Message): string {
  if (family !== 'prices') return ''
  return legacyPriceFields(payload.market_id, payload.yes_bid ?? null, payload.yes_ask ?? null)
}
