/** From settings to the endpoints that a role binds and connects to. */

import type { Settings } from '../core/config.js'
import { defaultPort, publisherNames, recoveryUrlOf, shardPublisher, sourcesOf } from '../bus/endpoints.js'
import type { PublisherEndpoint } from '../bus/endpoints.js'
import { replaySource } from '../messages/sources.js'

/** Where a publisher binds and is reached. Throws `UNKNOWN_PUBLISHER`. */
export function endpointUrl(settings: Settings, publisher: string): string {
  switch (publisher) {
    case 'kalshi':
      return settings['endpoints.kalshi']
    case 'poly':
      return settings['endpoints.poly']
    case 'orchestrator':
      return settings['endpoints.orchestrator']
    case 'exec':
      return settings['endpoints.exec']
    case 'replay':
      return settings['endpoints.replay']
    default: {
      const fallback = `tcp://127.0.0.1:${defaultPort(publisher)}`
      const index = Number(publisher.slice('shard-'.length))
      return settings['endpoints.shards'][index] ?? fallback
    }
  }
}

/** Where a publisher's recovery socket binds and is reached. Throws `UNKNOWN_PUBLISHER`. */
export function recoveryUrl(settings: Settings, publisher: string): string {
  const said = publisher.startsWith('shard-')
    ? settings['recovery.shards'][Number(publisher.slice('shard-'.length))]
    : SAID_BY_PUBLISHER[publisher]?.(settings)
  return said === undefined || said === '' ? recoveryUrlOf(endpointUrl(settings, publisher)) : said
}

const SAID_BY_PUBLISHER: Readonly<Record<string, (settings: Settings) => string>> = {
  kalshi: (settings) => settings['recovery.kalshi'],
  poly: (settings) => settings['recovery.poly'],
  orchestrator: (settings) => settings['recovery.orchestrator'],
  exec: (settings) => settings['recovery.exec'],
  replay: (settings) => settings['recovery.replay'],
}

export const endpointOf = (settings: Settings, publisher: string): PublisherEndpoint => ({
  publisher,
  url: endpointUrl(settings, publisher),
  recoveryUrl: recoveryUrl(settings, publisher),
  sources: sourcesOf(publisher),
})

/** The shards of this deployment. */
export const shardEndpoints = (settings: Settings): PublisherEndpoint[] =>
  Array.from({ length: settings.shards }, (_, index) => endpointOf(settings, shardPublisher(index)))

/** Senders of the first design: no source is expected of them, nothing is promised about them. */
export const legacyEndpoints = (settings: Settings): PublisherEndpoint[] =>
  settings.legacy_endpoints.map((url) => ({ publisher: `legacy ${url}`, url, sources: [], legacy: true }))

/** Every publisher of the deployment, legacy senders last. */
export const allEndpoints = (settings: Settings): PublisherEndpoint[] => [
  ...['kalshi', 'poly', 'orchestrator'].map((publisher) => endpointOf(settings, publisher)),
  ...shardEndpoints(settings),
  endpointOf(settings, 'exec'),
  ...legacyEndpoints(settings),
]

/** Who publishes the replay `run`; its data are of the env `replay`. */
export const replayEndpoint = (settings: Settings, run: string): PublisherEndpoint => ({
  publisher: 'replay',
  url: endpointUrl(settings, 'replay'),
  recoveryUrl: recoveryUrl(settings, 'replay'),
  sources: publisherNames(settings.shards)
    .flatMap(sourcesOf)
    .map((source) => replaySource(run, source)),
})
