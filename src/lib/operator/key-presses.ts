/** One step for each key that is pressed; `q` and Ctrl-C are the end. */

import type { ReadStream } from 'node:tty'
import { isQuit, takeKeys } from '../view/terminal-keys.js'

export class KeyPresses {
  private waiting = 0
  private hasQuit = false
  private wake: () => void = () => undefined
  /** Gives the terminal back. */
  readonly close: () => void

  /** Takes the terminal over until it is closed, or the process ends. */
  constructor(input: ReadStream) {
    this.close = takeKeys(input, (keys) => this.onKeys(keys))
  }

  /** True for the next key, false for the end. */
  async next(signal: AbortSignal): Promise<boolean> {
    while (this.waiting === 0 && !this.hasQuit && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.wake = resolve
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
    }
    if (this.hasQuit || signal.aborted) return false
    this.waiting--
    return true
  }

  private onKeys(keys: string): void {
    if (isQuit(keys)) this.hasQuit = true
    // An arrow key is one press, whatever it sends.
    else this.waiting += keys.startsWith('\u001b') ? 1 : keys.length
    this.wake()
  }
}
