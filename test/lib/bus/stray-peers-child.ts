/** `ours|plain`: binds sockets a few hundred times and closes them while peers that speak no ZeroMQ are at them. */

import { connect } from 'node:net'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { Publisher as PubSocket, Router } from 'zeromq'
import { Publisher } from '../../../src/lib/bus/publisher.js'
import { systemClock } from '../../../src/lib/core/clock.js'

const ANY_PORT = 'tcp://127.0.0.1:*'
const ROUNDS = 300

/** The ports that are bound, and how to close them. */
async function bind(): Promise<{ ports: number[]; close: () => void }> {
  if (process.argv[2] === 'ours') {
    const publisher = await Publisher.bind({
      ...{ name: 'kalshi', url: ANY_PORT, recoveryUrl: ANY_PORT, env: 'sim' },
      ...{ clock: systemClock, sources: ['kalshi.prices'] },
    })
    return { ports: [publisher.url, publisher.recoveryUrl ?? ''].map(portOf), close: () => publisher.close() }
  }
  const sockets = [new PubSocket({ linger: 0 }), new Router({ linger: 0 })]
  for (const socket of sockets) await socket.bind(ANY_PORT)
  return {
    ports: sockets.map((socket) => portOf(socket.lastEndpoint ?? '')),
    close: () => sockets.forEach((socket) => socket.close()),
  }
}

const portOf = (url: string): number => Number(new URL(url.replace('tcp:', 'http:')).port)

/** Ten peers whose first bytes look like those of ZMTP 1.0: any first byte but 0xff does. */
function strangers(port: number): () => void {
  const peers = Array.from({ length: 10 }, (_, i) => {
    const peer = connect(port, '127.0.0.1')
    peer.on('error', () => undefined)
    peer.on('connect', () =>
      peer.write(Buffer.from(Array.from({ length: 400 }, (_, at) => (at * 37 + i * 11) & 0xff))),
    )
    return peer
  })
  return () => peers.forEach((peer) => peer.destroy())
}

for (let round = 0; round < ROUNDS; round++) {
  const { ports, close } = await bind()
  const leave = ports.map(strangers)
  await setTimeout((round % 9) / 2)
  close()
  await setImmediate()
  for (const each of leave) each()
}
process.exit(0)
