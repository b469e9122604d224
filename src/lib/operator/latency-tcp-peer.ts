/** The thread that sends back what `latency-echoes.ts` sends it. */

import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { parentPort } from 'node:worker_threads'

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => undefined)
  socket.pipe(socket)
})
server.listen(0, '127.0.0.1', () => parentPort?.postMessage((server.address() as AddressInfo).port))
