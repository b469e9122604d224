/** The publishing process as its parent sees it: one question, one answer. */

import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { ArbeesError } from '../core/errors.js'
import type { FromPublisher, ToPublisher } from './hop-messages.js'

const ENTRY = fileURLToPath(new URL('./hop-publisher.js', import.meta.url))

type Answer<T extends FromPublisher['type']> = Extract<FromPublisher, { readonly type: T }>

export class HopPublisherProcess {
  private readonly child: ChildProcess
  private readonly answers: FromPublisher[] = []
  private wake: () => void = () => undefined
  private exited = false

  constructor() {
    this.child = fork(ENTRY, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    this.child.on('message', (message: FromPublisher) => {
      this.answers.push(message)
      this.wake()
    })
    this.child.once('exit', () => {
      this.exited = true
      this.wake()
    })
  }

  /** The next answer of a type. Throws `BENCH_FAILED` when the process fails or ends. */
  async answer<T extends FromPublisher['type']>(type: T): Promise<Answer<T>> {
    for (;;) {
      const next = this.answers.shift()
      if (next !== undefined) {
        if (isAnswer(next, type)) return next
        const said = next.type === 'failed' ? next.message : `'${next.type}' instead of '${type}'`
        throw new ArbeesError('BENCH_FAILED', `the publishing process says: ${said}`)
      }
      if (this.exited) throw new ArbeesError('BENCH_FAILED', 'the publishing process ended by itself')
      await new Promise<void>((resolve) => (this.wake = resolve))
    }
  }

  tell(message: ToPublisher): void {
    if (this.child.connected) this.child.send(message)
  }

  /** Resolves when the process is gone. */
  async close(): Promise<void> {
    if (this.exited) return
    const gone = new Promise<void>((resolve) => this.child.once('exit', () => resolve()))
    if (this.child.connected) this.child.disconnect()
    const deadline = setTimeout(() => this.child.kill('SIGKILL'), 2_000)
    await gone
    clearTimeout(deadline)
  }
}

function isAnswer<T extends FromPublisher['type']>(message: FromPublisher, type: T): message is Answer<T> {
  return message.type === type
}
