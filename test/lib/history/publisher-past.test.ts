import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RecoveryClient } from '../../../src/lib/bus/recovery/recovery-client.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import { readPublisher } from '../../../src/lib/history/publisher-past.js'
import type { PublisherPastOptions } from '../../../src/lib/history/publisher-past.js'
import { pullSnapshot } from '../../../src/lib/history/publisher-snapshot.js'
import { LivePublisher } from './live-publisher.js'
import { SOURCE, all, told } from './past-samples.js'

let publisher: LivePublisher
let client: RecoveryClient
let asked: number
beforeEach(async () => {
  publisher = await LivePublisher.start()
  connect()
})
afterEach(() => {
  client.close()
  publisher.remove()
})

function connect(): void {
  const [endpoint] = publisher.reader.endpoints
  client = new RecoveryClient({ endpoint: endpoint!, clock: systemClock, timeoutMs: 500 })
  asked = 0
  const range = client.range.bind(client)
  client.range = (...question) => {
    asked++
    return range(...question)
  }
}

async function pull(options: Partial<PublisherPastOptions> & Pick<PublisherPastOptions, 'from'>) {
  const problems: string[] = []
  let silent = 0
  const items = await all(
    readPublisher({
      client,
      source: SOURCE,
      env: 'sim',
      before: undefined,
      onNoAnswer: () => void silent++,
      onProblem: ({ reason }) => void problems.push(reason),
      ...options,
    }),
  )
  return { got: told(items), problems, silent }
}

const span = (epoch: number, from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => `${epoch}/${from + i}`)

/** Until the next millisecond: a message of before is older than one of after. */
async function nextMs(): Promise<number> {
  const nowMs = Date.now()
  while (Date.now() <= nowMs + 1) await new Promise((resolve) => setTimeout(resolve, 1))
  return Date.now()
}

describe("a publisher's journal as a past", () => {
  it('begins at a time, found in few questions, and ends before another past', async () => {
    const { epoch } = publisher
    publisher.publish(7_000)
    const sinceMs = await nextMs()
    publisher.publish(1_500)
    const { got } = await pull({ from: { sinceMs } })
    expect(got).toEqual(span(epoch, 7_001, 8_500))
    // 1,500 messages weigh some 20 chunks.
    expect(asked).toBeLessThan(60)
    const cut = await pull({ from: { sinceMs }, before: { epoch, seq: 7_101 } })
    expect(cut.got).toEqual(span(epoch, 7_001, 7_100))
    expect((await pull({ from: { sinceMs }, before: { epoch, seq: 6_000 } })).got).toEqual([])
    expect((await pull({ from: { sinceMs: Date.now() + 1_000 } })).got).toEqual([])
  })

  it('goes over the ends of epochs, and leaves out those that ended before', async () => {
    const epochs = [publisher.epoch]
    publisher.publish(5)
    for (let life = 0; life < 2; life++) {
      publisher.stop()
      await nextMs()
      await publisher.start()
      epochs.push(publisher.epoch)
      publisher.publish(5)
    }
    connect()
    const [first, second, third] = epochs as [number, number, number]
    expect((await pull({ from: { sinceMs: 0 } })).got).toEqual([
      ...span(first, 1, 5),
      ...span(second, 1, 5),
      ...span(third, 1, 5),
    ])
    expect((await pull({ from: { sinceMs: third } })).got).toEqual(span(third, 1, 5))
    expect((await pull({ from: { sinceMs: 0 }, before: { epoch: second, seq: 3 } })).got).toEqual([
      ...span(first, 1, 5),
      ...span(second, 1, 2),
    ])
    expect((await pull({ from: { last: 7 } })).got).toEqual([...span(second, 4, 5), ...span(third, 1, 5)])
    expect((await pull({ from: { last: 2 }, before: { epoch: second, seq: 1 } })).got).toEqual(
      span(first, 4, 5),
    )
  })

  it('names what is gone', async () => {
    const first = publisher.epoch
    publisher.publish(5)
    publisher.stop()
    await nextMs()
    const folder = join(publisher.root, SOURCE)
    for (const name of readdirSync(folder)) if (name.endsWith('.seg')) rmSync(join(folder, name))
    await publisher.start()
    connect()
    publisher.publish(2)
    const { epoch } = publisher
    const everything = await pull({ from: { sinceMs: 0 } })
    expect(everything.got.slice(-2)).toEqual(span(epoch, 1, 2))
    expect(everything.got[0]).toMatch(new RegExp(`^${first}/1\\.\\.5 (retention|corrupt)$`))
  })

  it('says when nobody answers', async () => {
    publisher.publish(5)
    publisher.stop()
    expect(await pull({ from: { sinceMs: 0 } })).toEqual({ got: [], problems: [], silent: 1 })
  })

  it('says where the answers end, and what is missing behind', async () => {
    publisher.publish(2_000)
    const { epoch } = publisher
    const range = client.range.bind(client)
    client.range = (source, request) =>
      request.from > 600 && request.to === 2_000 ? Promise.resolve(undefined) : range(source, request)
    const { got, silent } = await pull({ from: { sinceMs: 0 } })
    expect(silent).toBe(1)
    expect(got[0]).toBe(`${epoch}/1`)
    expect(got.at(-1)).toBe(`${epoch}/${got.length}..2000 out_of_reach`)
  })
})

describe("a publisher's newest values", () => {
  it('are one of each topic, and say as of when', async () => {
    publisher.publish(30)
    const snapshot = await pullSnapshot(client, SOURCE)
    expect(snapshot).toMatchObject({ at: { epoch: publisher.epoch, seq: 30 }, isComplete: true })
    expect(told(snapshot!.messages)).toEqual([`${publisher.epoch}/30`])
    publisher.stop()
    expect(await pullSnapshot(client, SOURCE)).toBeUndefined()
  })
})
