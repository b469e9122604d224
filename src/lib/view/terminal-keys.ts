/** Keys as they are pressed, not line by line. */

import type { ReadStream } from 'node:tty'

/** `q`, Ctrl-C, Ctrl-D. */
const QUIT = /[q\u0003\u0004]/

export const isQuit = (keys: string): boolean => QUIT.test(keys)

/**
 * Takes the keyboard over: nothing that is typed is shown, and Ctrl-C is a key like others. Gives it back when the
 * returned function is called, or the process ends.
 */
export function takeKeys(input: ReadStream, onKeys: (keys: string) => void): () => void {
  const restore = () => void input.setRawMode(false)
  const listener = (keys: Buffer) => onKeys(keys.toString('utf8'))
  input.setRawMode(true)
  input.on('data', listener)
  process.on('exit', restore)
  return () => {
    process.off('exit', restore)
    input.off('data', listener)
    restore()
    input.pause()
  }
}
