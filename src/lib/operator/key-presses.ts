/** One step for each key that is pressed; `q` and Ctrl-C are the end. */

import type { ReadStream } from 'node:tty'

const QUIT = /[q\u0003\u0004]/

export class KeyPresses {
  private waiting = 0
  private hasQuit = false
  private wake: () => void = () => undefined
  private readonly restore = () => void this.input.setRawMode(false)

  /** Takes the terminal over until it is closed, or the process ends. */
  constructor(private readonly input: ReadStream) {
    input.setRawMode(true)
    input.on('data', (keys: Buffer) => this.onKeys(keys.toString('utf8')))
    process.on('exit', this.restore)
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

  close(): void {
    process.off('exit', this.restore)
    this.restore()
    this.input.pause()
  }

  private onKeys(keys: string): void {
    if (QUIT.test(keys)) this.hasQuit = true
    // An arrow key is one press, whatever it sends.
    else this.waiting += keys.startsWith('\u001b') ? 1 : keys.length
    this.wake()
  }
}
