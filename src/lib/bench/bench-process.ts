/** A process of a benchmark as its parent sees it: one question, one answer. */

import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { ArbeesError } from '../core/errors.js'

/** Of every process: it cannot go on. */
interface Failed {
  readonly type: 'failed'
  readonly message: string
}

type Answer<From, T> = Extract<From, { readonly type: T }>

export class BenchProcess<To extends object, From extends { readonly type: string }> {
  private readonly child: ChildProcess
  private readonly answers: (From | Failed)[] = []
  private wake: () => void = () => undefined
  private exited = false

  /** Forks `entry`, a file beside this one; `name` is what errors call it. */
  constructor(
    entry: string,
    private readonly name: string,
  ) {
    const path = fileURLToPath(new URL(`./${entry}`, import.meta.url))
    this.child = fork(path, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    this.child.on('message', (message: From | Failed) => {
      this.answers.push(message)
      this.wake()
    })
    this.child.once('exit', () => {
      this.exited = true
      this.wake()
    })
  }

  /** The next answer of a type. Throws `BENCH_FAILED` when the process fails or ends. */
  async answer<T extends From['type']>(type: T): Promise<Answer<From, T>> {
    for (;;) {
      const next = this.answers.shift()
      if (next !== undefined) {
        if (isAnswer<From, T>(next, type)) return next
        const said = 'message' in next ? String(next.message) : `'${next.type}' instead of '${type}'`
        throw new ArbeesError('BENCH_FAILED', `the ${this.name} says: ${said}`)
      }
      if (this.exited) throw new ArbeesError('BENCH_FAILED', `the ${this.name} ended by itself`)
      await new Promise<void>((resolve) => (this.wake = resolve))
    }
  }

  tell(message: To): void {
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

function isAnswer<From extends { readonly type: string }, T extends From['type']>(
  message: From | Failed,
  type: T,
): message is Answer<From, T> {
  return message.type === type
}
