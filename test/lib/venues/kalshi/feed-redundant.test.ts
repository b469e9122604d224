import { afterEach, describe, expect, it } from 'vitest'

import { Backoff } from '../../../../src/lib/core/backoff.js'
import { systemClock } from '../../../../src/lib/core/clock.js'
import { KalshiFeed } from '../../../../src/lib/venues/kalshi/feed.js'
import { rsaCredentials } from './keys.js'
import { ManyServer } from './many-server.js'
import { catalogMarket } from './markets.js'
import { until } from './until.js'

const credentials = rsaCredentials()
const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function setUp() {
  const server = await ManyServer.start(['A', 'B'])
  closers.push(() => server.close())
  for (const ticker of ['A', 'B']) server.rest(ticker, 'yes', 4700, 300, 1)
  const seen: string[] = []
  const feed = new KalshiFeed({
    wsUrl: server.url,
    credentials,
    clock: systemClock,
    redundant: true,
    pingMs: 20,
    // Staleness is a matter of this machine's load.
    staleMs: 60_000,
    backoff: () => new Backoff({ minMs: 10, maxMs: 40 }),
    listener: {
      onBook: ({ market, book, state }) =>
        seen.push(`${market.marketId} ${state} ${book.best('bid')?.join('x') ?? '-'}`),
      onVerdict: () => undefined,
      onNotice: () => undefined,
    },
  })
  closers.push(() => feed.close())
  feed.follow(['A', 'B'].map(catalogMarket))
  await until('both connections', () => feed.status().connections === 2)
  return { server, feed, seen }
}

describe('Kalshi feed over two connections', () => {
  it('says each change once, whoever tells it first', async () => {
    const { server, seen } = await setUp()
    expect(seen).toEqual(['A LIVE 4700x300', 'B LIVE 4700x300'])
    for (let ms = 2; ms < 42; ms++) server.rest('A', 'yes', 4700, 300 + ms, ms)
    await until('the last', () => seen.at(-1) === 'A LIVE 4700x341')
    server.rest('B', 'yes', 4700, 0, 50)
    await until('B is empty', () => seen.at(-1) === 'B EMPTY -')
    const sizes = seen.filter((text) => text.startsWith('A')).map((text) => Number(text.split('x')[1]))
    expect(sizes).toEqual([...new Set(sizes)].sort((a, b) => a - b))
  })

  it.each([0, 1])('the death of connection %i shows in the status alone', async (index) => {
    const { server, feed, seen } = await setUp()
    for (let ms = 2; ms < 8; ms++) {
      server.rest('A', 'yes', 4700, 300 + ms, ms)
      server.rest('B', 'yes', 4700, 300 + ms, ms)
    }
    await until('told', () => seen.at(-1) === 'B LIVE 4700x307' && seen.includes('A LIVE 4700x307'))
    // Both have read the last change: one more goes round.
    const provedUs = systemClock.monoUs()
    await until('proved', () => (feed.status().provedUs ?? 0) > provedUs)
    const before = seen.length
    server.clients[index]?.socket.destroy()
    await until('one is gone', () => feed.status().connections === 1)
    expect(feed.status().state).toBe('LIVE')
    server.rest('A', 'yes', 4700, 999, 20)
    await until('told by the other', () => seen.at(-1) === 'A LIVE 4700x999')
    expect(seen.slice(before)).toEqual(['A LIVE 4700x999'])
    await until('two again', () => feed.status().connections === 2)
    expect(feed.status().reconnects).toBe(1)
    expect(seen.slice(before)).toEqual(['A LIVE 4700x999'])
  })

  it('both dead is BROKEN, and LIVE again with the first snapshot', async () => {
    const { server, feed, seen } = await setUp()
    for (const { socket } of [...server.clients]) socket.destroy()
    await until('BROKEN', () => seen.includes('A BROKEN 4700x300') && seen.includes('B BROKEN 4700x300'))
    await until('LIVE', () => seen.slice(-2).every((text) => text.includes('LIVE')))
    await until('two again', () => feed.status().connections === 2)
  })

  it('a connection that stands still is overtaken, not waited for', async () => {
    const { server, seen } = await setUp()
    server.rest('A', 'yes', 4700, 400, 2)
    server.rest('A', 'yes', 4700, 401, 3)
    await until('told', () => seen.at(-1) === 'A LIVE 4700x401')
    server.clients[0]?.socket.pause()
    // What it wrote before still comes; what is told now comes over the other one.
    server.clients.splice(0, 1)
    server.rest('A', 'yes', 4700, 500, 10)
    await until('the other one', () => seen.at(-1) === 'A LIVE 4700x500')
  })
})
