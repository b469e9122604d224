/** The heartbeats on the bus, as an operator's command hears them. */

import type { PublisherEndpoint } from '../bus/endpoints.js'
import type { BusKeys } from '../bus/curve.js'
import { Subscriber } from '../bus/subscriber.js'
import type { Problem } from '../bus/subscriber.js'
import type { Clock } from '../core/clock.js'
import type { Settings } from '../core/config.js'
import type { Heartbeat } from '../messages/heartbeat.js'
import { HEALTH_PREFIX } from '../messages/topics.js'
import { allEndpoints } from '../roles/wiring.js'
import { operatorKeys } from './operator-keys.js'
import type { ClosedDoor } from './operator-keys.js'

export interface HeardBeat {
  readonly heartbeat: Heartbeat
  /** Our monotonic clock on arrival. */
  readonly heardUs: number
}

/** Three heartbeats and some. */
export const LISTEN_MS = 700

export class BeatListener {
  readonly endpoints: readonly PublisherEndpoint[]
  /** Of the operator; undefined where the bus has none. */
  readonly keys: BusKeys | undefined
  /** The newest of each publisher, by name. */
  readonly beats = new Map<string, HeardBeat>()
  /** What answered at an endpoint and does not belong there. */
  readonly strangers: Problem[] = []
  /** Publishers that could not be listened to, and why. */
  readonly closedDoors: ClosedDoor[] = []
  private readonly subscriber: Subscriber

  /** Listens from now on. Throws for keys that cannot be read (exit 4). */
  constructor(settings: Settings, clock: Clock) {
    this.endpoints = allEndpoints(settings)
    this.keys = operatorKeys(settings, (door) => this.closedDoors.push(door))
    this.subscriber = new Subscriber({
      endpoints: this.endpoints,
      // Not only the publishers that belong there: a stranger on their port is to be named.
      prefixes: [HEALTH_PREFIX],
      env: settings.env,
      clock,
      keys: this.keys,
      onMessage: () => undefined,
      onHeartbeat: (heartbeat, _endpoint, recvUs) =>
        this.beats.set(heartbeat.publisher, { heartbeat, heardUs: recvUs }),
      onProblem: (problem) => this.noteStranger(problem),
    })
  }

  close(): void {
    this.subscriber.close()
  }

  /** Each reason of an endpoint once: a stranger beats as often as we do. */
  private noteStranger(problem: Problem): void {
    const isKnown = this.strangers.some(
      ({ endpoint, reason }) => endpoint.url === problem.endpoint.url && reason === problem.reason,
    )
    if (!isKnown) this.strangers.push(problem)
  }
}

/** The publisher's wall clock at a moment of our monotonic one: its last word, carried on. */
export const publisherNowMs = ({ heartbeat, heardUs }: HeardBeat, nowUs: number): number =>
  heartbeat.timestamp_ms + (nowUs - heardUs) / 1000
