/** A role's publisher, from its settings. */

import { journalRoot } from '../bus/journal/paths.js'
import { sourcesOf } from '../bus/endpoints.js'
import { Publisher } from '../bus/publisher.js'
import type { BeatDetails } from '../bus/publisher.js'
import type { ExecRequests } from '../bus/recovery/recovery-server.js'
import type { RoleContext } from './role.js'
import { endpointUrl, recoveryUrl } from './wiring.js'

/** Binds, and says where; closed with the role. Throws what `Publisher.bind` throws. */
export async function bindPublisher(
  context: RoleContext,
  name: string,
  details: () => BeatDetails = () => context.report(),
  exec?: ExecRequests,
): Promise<Publisher> {
  const { settings, clock, lifecycle, log } = context
  const publisher = await Publisher.bind({
    name,
    url: endpointUrl(settings, name),
    recoveryUrl: recoveryUrl(settings, name),
    journal: {
      root: journalRoot(settings),
      retainBytes: settings['journal.retain'],
      epochFloor: settings.epoch_floor,
    },
    keys: context.keys,
    env: settings.env,
    clock,
    sources: sourcesOf(name),
    allowPlainBind: settings.allow_plain_bind,
    details,
    exec,
    onNotice: (text) => log.warn(text),
  })
  context.heartbeat = () => publisher.heartbeat
  lifecycle.defer('publisher', () => publisher.close())
  log.info(`publishes on ${publisher.url}`)
  return publisher
}
