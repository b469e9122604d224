import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sourcesOf } from '../../../src/lib/bus/endpoints.js'
import { Publisher } from '../../../src/lib/bus/publisher.js'
import { sleep } from '../../../src/lib/core/backoff.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import { lookAtTopics } from '../../../src/lib/operator/topics.js'
import { renderTopics } from '../../../src/lib/operator/topics-view.js'
import * as samples from '../messages/samples.js'

const ANY_PORT = 'tcp://127.0.0.1:*'
let dir: string
let kalshi: Publisher
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'arbees-topics-'))
  kalshi = await Publisher.bind({
    ...{ name: 'kalshi', url: ANY_PORT, recoveryUrl: ANY_PORT, env: 'sim', clock: systemClock },
    ...{ sources: sourcesOf('kalshi'), journal: { root: dir, retainBytes: 1e7 } },
  })
})
afterEach(() => {
  kalshi.close()
  rmSync(dir, { recursive: true, force: true })
})

const look = (prefixes: readonly string[], recoveryUrl = kalshi.recoveryUrl!, forMs = 1_200) =>
  lookAtTopics({
    endpoints: [{ publisher: 'kalshi', url: kalshi.url, recoveryUrl, sources: sourcesOf('kalshi') }],
    ...{ prefixes, env: 'sim', clock: systemClock, forMs, signal: new AbortController().signal },
  })
const publish = (id: string) => kalshi.channel('kalshi.prices').publish(`prices.kalshi.${id}`, samples.prices)

describe('topics', () => {
  it('are those that move, the busiest first, and those that stand still', async () => {
    publish('STILL')
    publish('MOVES')
    // Sent before anybody listens.
    await sleep(100)
    const timer = setInterval(() => publish('MOVES'), 20)
    const { topics, silent, more } = await look(['prices.'])
    clearInterval(timer)
    expect([silent, more]).toEqual([[], 0])
    expect(topics.map(({ topic }) => topic)).toEqual(['prices.kalshi.MOVES', 'prices.kalshi.STILL'])
    const [moves, still] = topics
    expect(moves!.messages).toBeGreaterThan(5)
    expect(moves!.seq).toBeGreaterThan(2 + 5)
    expect(still).toMatchObject({ seq: 1, messages: 0, per_s: 0, source: 'kalshi.prices' })
    expect(still!.age_ms).toBeGreaterThan(1_000)
    expect(renderTopics({ topics, silent, more, looked_ms: 1_200 }, { width: 60, color: false })).toContain(
      '2 topics, 1 moved within',
    )
  })

  it('of another prefix are left out, and who does not tell what stands still is named', async () => {
    publish('STILL')
    expect((await look(['games.'], undefined, 300)).topics).toEqual([])
    const { topics, silent } = await look(['prices.kalshi.'], 'tcp://127.0.0.1:1', 300)
    expect(topics).toEqual([])
    expect(silent).toEqual(['kalshi.prices'])
  })
})
