/** Ports that a test may bind. */

import { createServer } from 'node:net'

/**
 * Below the range that the kernel gives to outgoing connections and to whoever asks for any port, so that nobody takes
 * it between this and its use; each worker has a part of its own, and goes through it once.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + ((PORTS_OF_WORKER * WORKER + nextPort++) % PORTS)
    if (await isFree(port)) return port
  }
}

const FIRST_PORT = 12_000
const PORTS = 18_000
const PORTS_OF_WORKER = 300
const WORKER = process.pid % (PORTS / PORTS_OF_WORKER)
let nextPort = 0

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}
