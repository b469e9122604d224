/** Keys as they are pressed, not line by line. */

import type { ReadStream } from 'node:tty'

const CTRL_Z = '\u001a'

/** `q` by itself, which pasted text is not, Ctrl-C, or Ctrl-D. */
export const isQuit = (keys: string): boolean => keys === 'q' || /[\u0003\u0004]/.test(keys)

export const isSuspend = (keys: string): boolean => keys.includes(CTRL_Z)

/**
 * Takes the keyboard over: nothing that is typed is shown, and Ctrl-C is a key like others. Gives it back when the
 * returned function is called, or the process ends.
 */
export function takeKeys(input: ReadStream, onKeys: (keys: string) => void): () => void {
  const restore = () => void input.setRawMode(false)
  const listener = (keys: Buffer) => onKeys(keys.toString('utf8'))
  input.setRawMode(true)
  input.on('data', listener)
  input.resume()
  process.on('exit', restore)
  return () => {
    process.off('exit', restore)
    input.off('data', listener)
    restore()
    input.pause()
  }
}
