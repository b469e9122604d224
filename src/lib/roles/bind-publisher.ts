/** A role's publisher, from its settings. */

import { sourcesOf } from '../bus/endpoints.js'
import { Publisher } from '../bus/publisher.js'
import type { BeatDetails } from '../bus/publisher.js'
import type { RoleContext } from './role.js'
import { endpointUrl } from './wiring.js'

/** Binds, and says where; closed with the role. Throws what `Publisher.bind` throws. */
export async function bindPublisher(
  context: RoleContext,
  name: string,
  details: () => BeatDetails = () => context.report(),
): Promise<Publisher> {
  const { settings, clock, lifecycle, log } = context
  const publisher = await Publisher.bind({
    name,
    url: endpointUrl(settings, name),
    env: settings.env,
    clock,
    sources: sourcesOf(name),
    allowPlainBind: settings.allow_plain_bind,
    details,
  })
  lifecycle.defer('publisher', () => publisher.close())
  log.info(`publishes on ${publisher.url}`)
  return publisher
}
