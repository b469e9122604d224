import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Publisher } from '../../../src/lib/bus/publisher.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import { loadSettings } from '../../../src/lib/core/config.js'
import type { PastMessage } from '../../../src/lib/history/past.js'
import { newestValues } from '../../../src/lib/operator/tap-origin.js'
import { prices } from '../messages/samples.js'
import { SOURCE } from '../history/past-samples.js'

const TOPICS = 1_500

let root: string
let publisher: Publisher
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'arbees-newest-'))
  const url = 'tcp://127.0.0.1:*'
  const journal = { root, retainBytes: 64 * 1024 * 1024 }
  const shared = { env: 'sim', clock: systemClock, sources: [SOURCE], journal } as const
  publisher = await Publisher.bind({ name: 'kalshi', url, recoveryUrl: url, ...shared })
})
afterEach(() => {
  publisher.close()
  rmSync(root, { recursive: true, force: true })
})

/** Forwards first, backwards then: what comes while a snapshot is pulled is in a part of it that is still to come. */
const idOf = (seq: number) => `T${seq <= TOPICS ? seq : TOPICS - (seq % TOPICS)}`
function publish(): void {
  const id = idOf(publisher.channel(SOURCE).nextSeq)
  publisher.channel(SOURCE).publish(`prices.kalshi.${id}`, { ...prices, market_id: id })
}

describe('the newest values, and what comes behind', () => {
  it('have nothing twice and miss nothing, whatever comes while they are pulled', async () => {
    for (let i = 0; i < TOPICS; i++) publish()
    const endpoint = {
      publisher: 'kalshi',
      url: publisher.url,
      recoveryUrl: publisher.recoveryUrl!,
      sources: [SOURCE],
    }
    const stop = new AbortController()
    const pages = newestValues(
      {
        settings: loadSettings({ flags: { data_dir: root } }).settings,
        endpoints: [endpoint],
        env: 'sim',
        from: 'zmq',
        selection: { prefixes: ['prices.'] },
        clock: systemClock,
        keys: undefined,
        onProblem: ({ reason }) => expect.unreachable(reason),
        onNoAnswer: (name) => expect.unreachable(name),
        talk: () => undefined,
        onRedisDown: () => undefined,
      },
      true,
    )(stop.signal)
    const messages: PastMessage[] = []
    // In each turn of the loop: between any two chunks something comes.
    let isFlooding = true
    const flood = async (): Promise<void> => {
      for (; messages.length < TOPICS + 500; publish()) await setImmediate()
      isFlooding = false
    }
    void flood()
    for await (const page of pages) {
      for (const item of page) messages.push(item as PastMessage)
      if (!isFlooding && messages.at(-1)!.seq === publisher.channel(SOURCE).lastSeq) break
    }
    stop.abort()
    const seqs = messages.map(({ seq }) => seq)
    expect(new Set(seqs).size).toBe(seqs.length)
    const behind = new Set(seqs.slice(TOPICS))
    const newest = new Map(messages.slice(0, TOPICS).map(({ topic, seq }) => [topic, seq]))
    const lastOfTopic = new Map<string, number>()
    for (const { topic, seq } of messages) {
      expect(seq).toBeGreaterThan(lastOfTopic.get(topic) ?? 0)
      lastOfTopic.set(topic, seq)
    }
    // Whatever is not told is older than what is told of its topic.
    for (let seq = TOPICS + 1; seq <= publisher.channel(SOURCE).lastSeq; seq++) {
      const topic = `prices.kalshi.${idOf(seq)}`
      expect(behind.has(seq) || seq <= (newest.get(topic) ?? 0)).toBe(true)
    }
  })
})
