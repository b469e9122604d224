/** The newest message of each topic of a source, as its publisher keeps them. */

import type { BusKeys } from '../bus/curve.js'
import { RecoveryClient } from '../bus/recovery/recovery-client.js'
import type { Clock } from '../core/clock.js'
import type { Settings } from '../core/config.js'
import { pullSnapshot } from '../history/publisher-snapshot.js'
import { decode } from '../messages/codec.js'
import type { Message } from '../messages/codec.js'
import { endpointOf } from '../roles/wiring.js'

/** Undefined where the publisher does not answer; what cannot be read is left out. */
export async function newestMessages(
  settings: Settings,
  clock: Clock,
  keys: BusKeys | undefined,
  source: string,
): Promise<readonly Message[] | undefined> {
  const publisher = source.slice(0, source.indexOf('.'))
  const client = new RecoveryClient({ endpoint: endpointOf(settings, publisher), clock, keys })
  try {
    const snapshot = await pullSnapshot(client, source)
    return snapshot?.messages.flatMap(({ topic, data }) => {
      const decoded = decode(topic, data, settings.env)
      return decoded.kind === 'message' ? [decoded.message] : []
    })
  } finally {
    client.close()
  }
}
