/** The other end of `BenchProcess`: a forked process that answers its parent's questions, and ends when it does. */

import { messageOf } from '../core/errors.js'

/** Answers each message with what `handle` gives; what it throws is told to the parent. Gives the way to say more. */
export function serveParent<To, From extends { readonly type: string }>(
  handle: (message: To) => Promise<From>,
): (message: From) => void {
  const tell = (message: From | { readonly type: 'failed'; readonly message: string }) => {
    process.send?.(message, undefined, undefined, () => undefined)
  }
  process.on('message', (message: To) => {
    handle(message).then(tell, (error: unknown) => tell({ type: 'failed', message: messageOf(error) }))
  })
  process.on('disconnect', () => process.exit(0))
  // A terminal's Ctrl-C reaches the whole group: the parent decides when this process ends.
  process.on('SIGINT', () => undefined)
  return tell
}
