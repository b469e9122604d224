/** The publishers of the deployment: heard, or their ports free for them. */

import { createServer } from 'node:net'
import { isLoopback } from '../bus/endpoints.js'
import type { PublisherEndpoint } from '../bus/endpoints.js'
import { sleep } from '../core/backoff.js'
import type { Clock } from '../core/clock.js'
import type { Settings } from '../core/config.js'
import { messageOf } from '../core/errors.js'
import { SUSPECT_MS } from '../messages/heartbeat.js'
import { formatAge } from '../view/units.js'
import { BeatListener, LISTEN_MS } from './beat-listener.js'
import { failed, ok, skipped, warning } from './doctor-report.js'
import type { DoctorCheck } from './doctor-report.js'

/** One check a publisher. What holds its port and does not speak for it is a failure. */
export async function checkPublishers(settings: Settings, clock: Clock): Promise<DoctorCheck[]> {
  let bus: BeatListener
  try {
    bus = new BeatListener(settings, clock)
  } catch (error) {
    return [failed('publishers', messageOf(error), 'see keys')]
  }
  try {
    await sleep(LISTEN_MS)
    const publishers = bus.endpoints.filter(({ legacy }) => legacy !== true)
    return await Promise.all(publishers.map((endpoint) => checkPublisher(endpoint, bus, clock)))
  } finally {
    bus.close()
  }
}

async function checkPublisher(
  endpoint: PublisherEndpoint,
  { beats, strangers, closedDoors }: BeatListener,
  clock: Clock,
): Promise<DoctorCheck> {
  const { publisher, url, recoveryUrl } = endpoint
  const name = `publisher ${publisher}`
  const heard = beats.get(publisher)
  if (heard !== undefined) {
    const ageMs = (clock.monoUs() - heard.heardUs) / 1000
    return ageMs <= SUSPECT_MS
      ? ok(name, `heard at ${url}, pid ${heard.heartbeat.pid}`)
      : warning(name, `its last heartbeat was ${formatAge(ageMs)} ago`, 'its log says why it stopped')
  }
  const door = closedDoors.find((each) => each.publisher === publisher)
  if (door !== undefined) return failed(name, door.problem, door.hint)
  const stranger = strangers.find((each) => each.endpoint.url === url)
  if (stranger !== undefined) {
    return failed(name, `somebody else speaks at ${url}: ${stranger.detail}`, 'find out who holds that port')
  }
  if (!isLoopback(url)) return skipped(name, `not heard at ${url}, which is another host's to bind`)
  for (const each of [url, ...(recoveryUrl === undefined ? [] : [recoveryUrl])]) {
    const taken = await whyTaken(each)
    if (taken !== undefined) {
      return failed(
        name,
        `${each} cannot be bound: ${taken}`,
        `find out who holds that port, or set endpoints.${publisher}`,
      )
    }
  }
  return ok(name, `not running; its ports are free`)
}

/** Undefined for a port that can be bound. */
function whyTaken(url: string): Promise<string | undefined> {
  const { hostname, port } = new URL(url.replace('tcp:', 'http:'))
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error) => resolve(messageOf(error)))
    server.listen(Number(port), hostname, () => server.close(() => resolve(undefined)))
  })
}
