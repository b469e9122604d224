/**
 * The pulling process of the refill benchmark, forked by `refill.ts`: a reader that has everything to catch up with, as
 * a mirror has after a long absence. Pulls the whole range again and again until it is told to stop.
 */

import { RecoveryClient } from '../bus/recovery/recovery-client.js'
import { systemClock } from '../core/clock.js'
import { messageOf } from '../core/errors.js'
import type { FromPuller, ToPuller } from './refill-messages.js'

const tell = (message: FromPuller): void => {
  process.send?.(message, undefined, undefined, () => undefined)
}

let stopping = false

async function pull({ endpoint, source, epoch, last }: Extract<ToPuller, { type: 'pull' }>): Promise<void> {
  const client = new RecoveryClient({ endpoint, clock: systemClock })
  stopping = false
  let messages = 0
  let bytes = 0
  let unanswered = 0
  let maxRss = 0
  const beganUs = systemClock.monoUs()
  for (let from = 1; !stopping; from = from > last ? 1 : from) {
    const reply = await client.range(source, { epoch, from, to: last })
    if (reply === undefined) unanswered++
    else if (reply.records.length === 0)
      throw new Error(`nothing from ${from} on: ${JSON.stringify(reply.hole)}`)
    for (const { value } of reply?.records ?? []) bytes += value?.data.length ?? 0
    messages += reply?.records.length ?? 0
    from += reply?.records.length ?? 0
    maxRss = Math.max(maxRss, process.memoryUsage.rss())
  }
  client.close()
  const seconds = (systemClock.monoUs() - beganUs) / 1e6
  tell({
    type: 'pulled',
    messages,
    bytes,
    unanswered,
    perSecond: messages / seconds,
    maxRssMib: maxRss / 2 ** 20,
  })
}

process.on('message', (message: ToPuller) => {
  if (message.type === 'stop') stopping = true
  else pull(message).catch((error: unknown) => tell({ type: 'failed', message: messageOf(error) }))
})
process.on('disconnect', () => process.exit(0))
// A terminal's Ctrl-C reaches the whole group: the parent decides when this process ends.
process.on('SIGINT', () => undefined)
