import { PassThrough } from 'node:stream'
import type { ReadStream } from 'node:tty'

/** The part of a terminal's input that is used. */
export class FakeKeyboard extends PassThrough {
  readonly isTTY = true
  readonly modes: boolean[] = []

  setRawMode(isRaw: boolean): this {
    this.modes.push(isRaw)
    return this
  }

  get asInput(): ReadStream {
    return this as unknown as ReadStream
  }
}
