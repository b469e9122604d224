import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocketServer, type WebSocket } from 'ws'
import { systemClock } from '../../../src/lib/core/clock.js'
import { SportsFeed } from '../../../src/lib/games/sports-feed.js'
import { MAX_SPORTS_FRAME_BYTES } from '../../../src/lib/games/sports-message.js'
import { until } from '../poll.js'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** A server that does what each test says to each connection, and the feed against it. */
async function connect(serve: (socket: WebSocket, number: number) => void, silenceMs = 5000) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await new Promise((resolve) => server.once('listening', resolve))
  const told: string[] = []
  let connections = 0
  server.on('connection', (socket) => {
    connections += 1
    socket.on('message', (data: Buffer) => told.push(data.toString()))
    serve(socket, connections)
  })
  const readings: string[] = []
  const problems: string[] = []
  let connected = 0
  const feed = new SportsFeed({
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    userAgent: 'arbees/test (+https://example.org)',
    clock: systemClock,
    onConnected: () => (connected += 1),
    onReading: (reading) => readings.push(reading.kind === 'word' ? reading.word.slug : reading.kind),
    onProblem: (reason) => problems.push(reason),
    timings: { silenceMs, backoffMinMs: 1, backoffMaxMs: 20 },
  })
  cleanups.push(async () => {
    await feed.close()
    for (const client of server.clients) client.terminate()
    server.close()
  })
  feed.start()
  return { feed, told, readings, problems, connected: () => connected }
}

const slug = (number: number) => `nba-hou-uta-2025-12-0${number}`
const message = (number: number) => JSON.stringify({ slug: slug(number), live: true, ended: false })

describe('the sports channel', () => {
  it('answers ping with pong, and reads on after nonsense', async () => {
    const { told, readings, feed } = await connect((socket) => {
      for (const text of ['ping', message(1), '{"half', '[]', Buffer.from([0xff, 0x00]), message(2), 'ping'])
        socket.send(text)
    })
    await until(() => told.length === 2, 'both pings are answered')
    expect(told).toEqual(['pong', 'pong'])
    expect(readings).toEqual([slug(1), 'refused', 'refused', slug(2)])
    expect(feed.downMs).toBe(0)
  })

  it.each<[string, (socket: WebSocket) => void, string[]]>([
    ['cut', (socket) => socket.terminate(), ['closed']],
    ['that closes', (socket) => socket.close(1001), ['closed']],
    [
      'that sends too much',
      (socket) => socket.send('x'.repeat(MAX_SPORTS_FRAME_BYTES + 1)),
      ['oversize', 'closed'],
    ],
  ])('is dialed again after a connection %s', async (_, end, expected) => {
    const { readings, problems, connected } = await connect((socket, number) => {
      socket.send(message(number))
      if (number === 1) end(socket)
    })
    await until(() => readings.includes(slug(2)), 'the second connection speaks')
    expect(problems).toEqual(expected)
    expect(connected()).toBe(2)
  })

  it('is dialed again when it falls silent, pings and all', async () => {
    const { problems, connected, feed } = await connect(() => undefined, 50)
    await until(() => connected() >= 2, 'it is dialed again')
    expect(problems).toContain('silent')
    await feed.close()
    const before = connected()
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(connected()).toBe(before)
  })
})
