import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocketServer, type WebSocket } from 'ws'
import { sleep } from '../../../../src/lib/core/backoff.js'
import { systemClock } from '../../../../src/lib/core/clock.js'
import { ACCOUNT_CHANNELS } from '../../../../src/lib/venues/kalshi/account-frames.js'
import { AccountSocket } from '../../../../src/lib/venues/kalshi/account-socket.js'
import { until } from '../../poll.js'
import { rsaCredentials } from './keys.js'

let http: Server
let server: WebSocketServer
let account: AccountSocket
let connections: WebSocket[]
let handshakes: number
let live: number
let holes: number
/** What the venue says once all is subscribed. */
let andThen: object | undefined
let refuses: boolean
beforeEach(async () => {
  connections = []
  handshakes = live = holes = 0
  andThen = undefined
  refuses = false
  server = new WebSocketServer({ noServer: true })
  http = createServer()
  http.on('upgrade', (request, socket, head) => {
    handshakes++
    if (refuses) socket.end('HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n')
    else server.handleUpgrade(request, socket, head, (client) => server.emit('connection', client))
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  server.on('connection', (socket: WebSocket) => {
    connections.push(socket)
    socket.on('message', () => {
      ACCOUNT_CHANNELS.forEach((channel, index) =>
        socket.send(JSON.stringify({ type: 'subscribed', id: 1, msg: { channel, sid: index + 1 } })),
      )
      if (andThen !== undefined) socket.send(JSON.stringify(andThen))
    })
  })
})
afterEach(() => {
  account.close()
  server.close()
  http.close()
})

function connect(): void {
  account = new AccountSocket({
    wsUrl: `ws://127.0.0.1:${(http.address() as AddressInfo).port}/trade-api/ws/v2`,
    ...{ credentials: rsaCredentials(), clock: systemClock },
    onFrame: () => undefined,
    onGroupGap: () => holes++,
    onLive: () => live++,
    onNotice: () => undefined,
  })
}

const ENDED = { type: 'error', sid: 4, seq: 9, msg: { code: 25, msg: 'overflow' } }

describe("the account's channels", () => {
  it.each([
    ['the venue ends one for good', ENDED],
    ['one is unsubscribed', { type: 'unsubscribed', sid: 4, seq: 9 }],
  ])('are asked for again when %s', async (_, frame) => {
    connect()
    await until(() => live === 1, 'the channels are subscribed')
    connections[0]!.send(JSON.stringify(frame))
    await until(() => live === 2, 'they are subscribed anew')
    expect(connections).toHaveLength(2)
  })

  it('are asked for more and more seldom where the venue subscribes them and ends one each time', async () => {
    andThen = ENDED
    connect()
    const everyMs = [0]
    for (let after = 0; after < 20; after++) {
      const begunMs = performance.now()
      const dials = handshakes
      await until(() => handshakes > dials, 'it is dialed again', 10_000)
      everyMs.push(performance.now() - begunMs)
      if (Math.max(...everyMs) > 400) return
    }
    expect(everyMs).toContain('a pause of more than 400 ms')
  })

  it('are not asked for within a second where the handshake is refused', async () => {
    refuses = true
    connect()
    await until(() => handshakes === 1, 'it is dialed')
    await sleep(700)
    expect(handshakes).toBe(1)
  })

  it('tell of a hole in what was told of order groups, and of none where there is none', async () => {
    connect()
    await until(() => live === 1, 'the channels are subscribed')
    const say = (seq: number) => {
      const msg = { event_type: 'limit_updated', order_group_id: 'g', ts_ms: 1 }
      connections[0]!.send(JSON.stringify({ type: 'order_group_updates', sid: 4, seq, msg }))
    }
    for (const seq of [7, 8, 8, 9]) say(seq)
    await sleep(30)
    expect(holes).toBe(0)
    say(11)
    await until(() => holes === 1, 'the hole is told')
  })
})
