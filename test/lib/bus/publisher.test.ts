import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Publisher } from '../../../src/lib/bus/publisher.js'
import type { PublisherOptions } from '../../../src/lib/bus/publisher.js'
import { RecoveryClient } from '../../../src/lib/bus/recovery/recovery-client.js'
import { Subscriber } from '../../../src/lib/bus/subscriber.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import type { Heartbeat } from '../../../src/lib/messages/heartbeat.js'
import * as samples from '../messages/samples.js'
import { until } from '../poll.js'

const SOURCE = 'kalshi.prices'
const ANY_PORT = 'tcp://127.0.0.1:*'

const cleanups: (() => void)[] = []
let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'publisher-'))
  cleanups.push(() => rmSync(root, { recursive: true, force: true }))
})
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup()
})

async function bind(options: Partial<PublisherOptions> = {}): Promise<Publisher> {
  const publisher = await Publisher.bind({
    ...{ name: 'kalshi', url: ANY_PORT, recoveryUrl: ANY_PORT, env: 'sim', clock: systemClock },
    ...{ sources: [SOURCE], journal: { root, retainBytes: 10_000_000 } },
    ...options,
  })
  cleanups.push(() => publisher.close())
  return publisher
}

function listen(url: string) {
  const seqs: number[] = []
  const heartbeats: Heartbeat[] = []
  const subscriber = new Subscriber({
    endpoints: [{ publisher: 'kalshi', url, sources: [SOURCE] }],
    ...{ prefixes: ['prices.'], env: 'sim', clock: systemClock },
    onMessage: ({ message }) => seqs.push(message.header.seq),
    onHeartbeat: (heartbeat) => heartbeats.push(heartbeat),
  })
  cleanups.push(() => subscriber.close())
  return { seqs, heartbeats }
}

async function pull(publisher: Publisher, epoch: number) {
  const endpoint = { publisher: 'kalshi', url: publisher.url, sources: [SOURCE] }
  const recoveryUrl = publisher.recoveryUrl!
  const client = new RecoveryClient({ endpoint: { ...endpoint, recoveryUrl }, clock: systemClock })
  cleanups.push(() => client.close())
  const reply = await client.range(SOURCE, { epoch, from: 1 })
  return { ...reply, seqs: reply!.records.map(({ seq }) => seq) }
}

const range = (to: number) => Array.from({ length: to }, (_, i) => i + 1)

describe('a publisher with a journal', () => {
  it('that dies between the write and the send has what nobody has heard', async () => {
    const child = fork(join(import.meta.dirname, 'publisher-child.ts'), [root], {
      execArgv: ['--import', join(import.meta.dirname, '../run-typescript.mjs')],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    cleanups.push(() => child.kill('SIGKILL'))
    const [{ url, epoch }] = (await once(child, 'message')) as [{ url: string; epoch: number }]
    const { seqs, heartbeats } = listen(url)
    await until(() => heartbeats.length > 0, 'the subscriber has joined')
    child.send('go')
    await until(() => seqs.length === 40, 'four bursts were sent')
    child.send('die')
    await once(child, 'exit')
    const heir = await bind()
    expect(await pull(heir, epoch)).toMatchObject({ seqs: range(50), last: 50, end: 'known', hole: null })
    expect(seqs).toEqual(range(40))
    expect(heir.channel(SOURCE).epoch).toBeGreaterThan(epoch)
  })

  it('that closes at once after it published has sent and written everything', async () => {
    const publisher = await bind()
    const { epoch } = publisher.channel(SOURCE)
    const { seqs, heartbeats } = listen(publisher.url)
    await until(() => heartbeats.length > 0, 'the subscriber has joined')
    for (let i = 0; i < 30; i++) publisher.channel(SOURCE).publish('prices.kalshi.M', samples.prices)
    publisher.close()
    await until(() => heartbeats.at(-1)!.closing, 'the closing word')
    expect(seqs).toEqual(range(30))
    expect(heartbeats.at(-1)!.channels[0]).toMatchObject({ last_seq: 30, oldest: { epoch, seq: 1 } })
    expect(await pull(await bind(), epoch)).toMatchObject({ seqs: range(30), end: 'known' })
  })

  it('tells no seq in a heartbeat that was not sent before it', async () => {
    const publisher = await bind()
    const { seqs, heartbeats } = listen(publisher.url)
    await until(() => heartbeats.length > 0, 'the subscriber has joined')
    const heard: [told: number, received: number][] = []
    const before = heartbeats.length
    const timer = setInterval(() => {
      for (let i = 0; i < 5; i++) publisher.channel(SOURCE).publish('prices.kalshi.M', samples.prices)
    }, 1)
    cleanups.push(() => clearInterval(timer))
    const push = heartbeats.push.bind(heartbeats)
    heartbeats.push = (...beats) => {
      for (const beat of beats) heard.push([beat.channels[0]!.last_seq, seqs.length])
      return push(...beats)
    }
    await until(() => heartbeats.length > before + 4, 'some heartbeats in the load')
    for (const [told, received] of heard) expect(received).toBe(told)
    expect(heard.at(-1)![0]).toBeGreaterThan(0)
  })

  it('that is closed takes nothing more, by name, and leaves its journal as it ended', async () => {
    const publisher = await bind()
    const channel = publisher.channel(SOURCE)
    channel.publish('prices.kalshi.M', samples.prices)
    publisher.close()
    expect(() => channel.publish('prices.kalshi.M', samples.prices)).toThrow(
      expect.objectContaining({ code: 'PUBLISHER_CLOSED' }),
    )
    const { journal } = channel.beat()
    expect(journal).toBe('on')
    expect(channel.range({ epoch: channel.epoch, from: 1 }, { records: 9, bytes: 1e6 })).toMatchObject({
      ...{ count: 1, last: 1, end: 'known' },
    })
  })

  it('says that nothing can be pulled where there is no journal', async () => {
    const publisher = await Publisher.bind({
      ...{ name: 'kalshi', url: ANY_PORT, env: 'sim', clock: systemClock, sources: [SOURCE] },
    })
    cleanups.push(() => publisher.close())
    expect(publisher.recoveryUrl).toBeUndefined()
    expect(publisher.channel(SOURCE).beat()).toMatchObject({ oldest: null, journal: 'none' })
  })

  it('names the recovery port when that is in use, and leaves its own ports and journal free', async () => {
    const holder = await bind({ journal: { root: join(root, 'other'), retainBytes: 1e6 } })
    const port = holder.recoveryUrl!.slice(holder.recoveryUrl!.lastIndexOf(':') + 1)
    await expect(bind({ recoveryUrl: holder.recoveryUrl! })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringContaining(port),
      hint: expect.stringContaining('recovery.kalshi'),
    })
    await bind()
  })

  it('refuses a journal that another publisher writes', async () => {
    await bind()
    const sources = ['kalshi.orderbook', SOURCE]
    await expect(bind({ sources })).rejects.toMatchObject({ code: 'JOURNAL_LOCKED' })
    // The one that it could open is free again.
    await bind({ sources: ['kalshi.orderbook'] })
  })

  it('refuses to bind its recovery socket beyond loopback without keys', async () => {
    await expect(bind({ recoveryUrl: 'tcp://0.0.0.0:*' })).rejects.toMatchObject({
      code: 'PLAIN_BIND_REFUSED',
      exit: 7,
    })
  })
})
