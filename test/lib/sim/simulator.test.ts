/* eslint-disable @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-return -- foreign JSON, asserted by field */
import { readFile, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readTape } from '../../../src/lib/sim/tape.js'
import { startSimulator } from '../../../src/lib/sim/simulator.js'
import { bookHash, call, connect, kalshiSocket, startBench, until, type Json } from './harness.js'

const ports = { kalshi: 0, poly: 0, gamma: 0, espn: 0 }

describe('the simulator', () => {
  it('names the port in use, and closes what had started', async () => {
    const blocker = createServer()
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve))
    const { port } = blocker.address() as AddressInfo
    const bench = await startBench()
    try {
      const starting = startSimulator({
        seed: 1,
        speed: 1,
        ports: { ...ports, espn: port },
        accountsDir: bench.dir,
        onNotice: () => undefined,
      })
      await expect(starting).rejects.toMatchObject({
        code: 'PORT_IN_USE',
        exit: 1,
        message: expect.stringMatching(new RegExp(`sim.*${port}`)),
      })
    } finally {
      blocker.close()
      await bench.close()
    }
  })

  it('listens on loopback only', async () => {
    const base = { seed: 1, ports, accountsDir: '/nowhere', onNotice: () => undefined }
    await expect(startSimulator({ ...base, speed: 1, host: '0.0.0.0' })).rejects.toMatchObject({
      code: 'BAD_BIND',
    })
    await expect(startSimulator({ ...base, speed: 0 })).rejects.toMatchObject({ code: 'BAD_SPEED' })
    await expect(startSimulator({ ...base, speed: 1 })).rejects.toMatchObject({ code: 'SIM_ACCOUNTS' })
  })

  it('closes sockets and timers, and answers nothing afterwards', async () => {
    const bench = await startBench({ speed: 5 })
    const connection = await kalshiSocket(bench)
    let closed = false
    connection.socket.on('close', () => (closed = true))
    const poly = await connect(bench.sim.urls.polyWs)
    await bench.close()
    await until(() => closed, 'the socket to close')
    const { frames, lastSignOfLifeMs } = bench.sim.stats()
    await expect(fetch(`${bench.sim.urls.gamma}/sports`)).rejects.toThrow()
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(bench.sim.stats()).toMatchObject({ frames, lastSignOfLifeMs })
    poly.close()
  })
})

describe('a tape', () => {
  it('plays each venue its frames as they are, to whoever subscribes, instead of the scenario', async () => {
    const source = await startBench()
    const file = join(source.dir, 'tape.jsonl')
    const raw = '{"type":"orderbook_delta","sid":1,"seq":2,  "msg":{"market_ticker":"OLD"}}'
    const lines = [
      {
        venue: 'kalshi',
        at_ms: 0,
        frame: { type: 'orderbook_snapshot', sid: 1, seq: 1, msg: { market_ticker: 'OLD' } },
      },
      { venue: 'poly', at_ms: 0, frame: [{ event_type: 'book', asset_id: '1' }] },
      { venue: 'kalshi', at_ms: 30, frame: raw },
      { venue: 'poly', at_ms: 60, frame: 'not json' },
    ]
    await writeFile(file, `${lines.map((line) => JSON.stringify(line)).join('\n')}\n\n`)
    const bench = await startBench({ tape: file })
    try {
      const texts: string[] = []
      const kalshi = await kalshiSocket(bench)
      kalshi.socket.on('message', (data: Buffer) => texts.push(data.toString()))
      kalshi.send({
        id: 1,
        cmd: 'subscribe',
        params: { channels: ['orderbook_delta'], market_tickers: ['OLD'], use_yes_price: false },
      })
      await until(() => texts.includes(raw), 'the last frame')
      expect(kalshi.frames.map(({ type }) => type)).toEqual([
        'subscribed',
        'orderbook_snapshot',
        'orderbook_delta',
      ])
      const poly = await connect(bench.sim.urls.polyWs)
      poly.send({ assets_ids: ['1'], type: 'market' })
      await poly.next((frame) => frame === 'not json', 'the raw frame')
      expect(poly.frames).toEqual([[{ event_type: 'book', asset_id: '1' }], 'not json'])
      // A second connection gets the whole tape again.
      const second = await kalshiSocket(bench)
      second.send({
        id: 1,
        cmd: 'subscribe',
        params: { channels: ['orderbook_delta'], market_tickers: ['X'] },
      })
      await until(() => second.frames.length === 3, 'three frames')
      expect((await call(`${bench.sim.urls.kalshiRest}/markets`)).body.markets).toHaveLength(8)
      for (const connection of [kalshi, poly, second]) connection.close()
    } finally {
      await bench.close()
      await source.close()
    }
  })

  it.each([
    ['{"venue":"espn","at_ms":0,"frame":{}}'],
    ['{"venue":"kalshi","at_ms":-1,"frame":{}}'],
    ['{"venue":"kalshi","at_ms":"0","frame":{}}'],
    ['{"venue":"kalshi","at_ms":0}'],
    ['nonsense'],
    [''],
  ])('is refused whole when a line is %s', async (line) => {
    const source = await startBench()
    const file = join(source.dir, 'bad.jsonl')
    await writeFile(file, line)
    await expect(readTape(file)).rejects.toMatchObject({ code: 'BAD_TAPE', exit: 4 })
    await source.close()
  })
})

const fixtures = process.env['ARBEES_FIXTURES']

describe.skipIf(fixtures === undefined)('the hash that these tests compute', () => {
  it('is the one of a recorded session', async () => {
    const file = join(fixtures ?? '', 'polymarket/ws_market_sequence_excerpt_start.json')
    const [book, ...deltas] = JSON.parse(await readFile(file, 'utf8')) as Json[]
    const flip = (levels: Json[]) =>
      levels.map(({ price, size }) => ({
        price: String(Math.round((1 - Number(price)) * 1000) / 1000),
        size,
      }))
    const books = new Map<string, { bids: Json[]; asks: Json[] }>()
    books.set(book.asset_id, { bids: book.bids, asks: book.asks })
    let hashes = 0
    for (const delta of deltas) {
      for (const { asset_id: id, price, size, side, hash } of delta.price_changes) {
        if (!books.has(id)) books.set(id, { bids: flip(book.asks), asks: flip(book.bids) })
        const state = books.get(id)!
        const key = side === 'BUY' ? 'bids' : 'asks'
        const sign = key === 'bids' ? 1 : -1
        state[key] = [
          ...state[key].filter((level) => level.price !== price),
          ...(size === '0' ? [] : [{ price, size }]),
        ].toSorted((a, b) => sign * (Number(a.price) - Number(b.price)))
        const own = {
          ...state,
          market: book.market,
          asset_id: id,
          timestamp: delta.timestamp,
          min_order_size: '5',
          tick_size: '0.001',
          neg_risk: false,
          last_trade_price: '0.255',
        }
        expect(bookHash(own)).toBe(hash)
        hashes += 1
      }
    }
    expect(hashes).toBe(30)
  })
})
