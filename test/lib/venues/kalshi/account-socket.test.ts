import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocketServer, type WebSocket } from 'ws'
import { systemClock } from '../../../../src/lib/core/clock.js'
import { ACCOUNT_CHANNELS } from '../../../../src/lib/venues/kalshi/account-frames.js'
import { AccountSocket } from '../../../../src/lib/venues/kalshi/account-socket.js'
import { until } from '../../poll.js'
import { rsaCredentials } from './keys.js'

let server: WebSocketServer
let account: AccountSocket
let connections: WebSocket[]
let live: number
beforeEach(async () => {
  connections = []
  live = 0
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await new Promise((resolve) => server.once('listening', resolve))
  server.on('connection', (socket) => {
    connections.push(socket)
    socket.on('message', () =>
      ACCOUNT_CHANNELS.forEach((channel, index) =>
        socket.send(JSON.stringify({ type: 'subscribed', id: 1, msg: { channel, sid: index + 1 } })),
      ),
    )
  })
  account = new AccountSocket({
    wsUrl: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/trade-api/ws/v2`,
    ...{ credentials: rsaCredentials(), clock: systemClock },
    onFrame: () => undefined,
    onLive: () => live++,
    onNotice: () => undefined,
  })
  await until(() => live === 1, 'the channels are subscribed')
})
afterEach(() => {
  account.close()
  server.close()
})

describe("the account's channels", () => {
  it.each([
    ['the venue ends one for good', { type: 'error', sid: 4, seq: 9, msg: { code: 25, msg: 'overflow' } }],
    ['one is unsubscribed', { type: 'unsubscribed', sid: 4, seq: 9 }],
  ])('are asked for again when %s', async (_, frame) => {
    connections[0]!.send(JSON.stringify(frame))
    await until(() => live === 2, 'they are subscribed anew')
    expect(connections).toHaveLength(2)
  })
})
