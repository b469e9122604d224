/** One session on a TCP connection, in bytes of our choice. */

import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Frames } from './mutate.js'

/** A session that neither ends nor is cut. */
const SESSION_MS = 1_500
/** What is cut was read by then, in part or not at all. */
const CUT_AFTER_MS = 5
/** A connecting socket drops what it has not handed on when its connection ends. */
const END_AFTER_MS = 20
/** Greeting and READY: what follows is read as a message only once the other side has said its own. */
const HANDSHAKE_PIECES = 2
/** Of the other side's greeting; its READY follows. */
const GREETING_BYTES = 64
/** A handshake that was garbled never gets an answer. */
const ANSWER_MS = 50

/**
 * Sends the pieces of a session, and then either says that nothing more comes, so that the other side reads all of them,
 * or cuts the connection. Resolves with how it ended.
 */
export async function rawSession(socket: Socket, pieces: Frames, isCut: boolean): Promise<string> {
  const done = new AbortController()
  const { signal } = done
  let how = 'closed by the socket'
  let heard = 0
  socket.on('data', ({ length }) => (heard += length))
  socket.on('error', ({ code }: NodeJS.ErrnoException) => {
    if (code !== 'ECONNRESET' && code !== 'EPIPE') how = `failed: ${code}`
  })
  socket.on('close', () => done.abort())
  try {
    socket.write(Buffer.concat(pieces.slice(0, HANDSHAKE_PIECES)))
    for (let ms = 0; heard <= GREETING_BYTES && ms < ANSWER_MS; ms++) await sleep(1, undefined, { signal })
    socket.write(Buffer.concat(pieces.slice(HANDSHAKE_PIECES)))
    await sleep(isCut ? CUT_AFTER_MS : END_AFTER_MS, undefined, { signal })
    if (!isCut) {
      socket.end()
      await sleep(SESSION_MS, undefined, { signal })
    }
    how = 'cut by us'
  } catch (error) {
    if (!signal.aborted) throw error
  }
  socket.destroy()
  if (!socket.closed) await once(socket, 'close')
  return how
}
