import { readFileSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { publisherNames, sourcesOf } from '../../../src/lib/bus/endpoints.js'
import { RecoveryClient } from '../../../src/lib/bus/recovery/recovery-client.js'
import { Subscriber } from '../../../src/lib/bus/subscriber.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import type { Heartbeat } from '../../../src/lib/messages/heartbeat.js'
import { bindPublisher } from '../../../src/lib/roles/bind-publisher.js'
import { until } from '../poll.js'
import { testRole } from './role-harness.js'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const WILDCARD = 'tcp://127.0.0.1:*'

/** A reader asks nobody whose heartbeat says that no journal is kept, not even for newest values. */
it.each(publisherNames(1))(
  '%s keeps a journal of every channel, and answers what is asked of it',
  async (name) => {
    const setting = name === 'shard-0' ? 'shards' : name
    const { context } = testRole(name, {
      [`endpoints.${setting}`]: WILDCARD,
      [`recovery.${setting}`]: WILDCARD,
    })
    cleanups.push(() => context.lifecycle.close())
    const { url, recoveryUrl } = await bindPublisher(context, name)
    const endpoint = { publisher: name, url, recoveryUrl: recoveryUrl!, sources: sourcesOf(name) }
    const client = new RecoveryClient({ endpoint, clock: systemClock })
    cleanups.push(() => client.close())
    expect(await client.ping()).toBe(true)
    let heartbeat: Heartbeat | undefined
    const subscriber = new Subscriber({
      ...{ endpoints: [endpoint], prefixes: [], env: 'sim', clock: systemClock },
      onMessage: () => undefined,
      onHeartbeat: (beat) => (heartbeat = beat),
    })
    cleanups.push(() => subscriber.close())
    await until(() => heartbeat !== undefined, 'its heartbeat')
    expect(heartbeat!.channels.map(({ source, journal }) => [source, journal])).toEqual(
      sourcesOf(name).map((source) => [source, 'on']),
    )
  },
)

it('wherever a recovery socket is bound a journal is kept', () => {
  const lib = resolve(import.meta.dirname, '../../../src/lib')
  const bindings = readdirSync(lib, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .flatMap((path) => readFileSync(join(lib, path), 'utf8').split('Publisher.bind(').slice(1))
    // On one line, or to the line that closes it.
    .map((text) => /^.*\}\)$|^[^]*?\n *\}\)/m.exec(text)?.[0] ?? text)
  expect(bindings.length).toBeGreaterThan(0)
  for (const binding of bindings.filter((text) => text.includes('recoveryUrl'))) {
    expect(binding).toContain('journal:')
  }
})
