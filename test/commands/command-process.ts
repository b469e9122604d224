/** A process that runs the built `arbees` as often as it is told to: a start costs half a second, a command a hundredth. */

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import type { Duplex } from 'node:stream'
import type { Run } from '../e2e/launch.js'
import type { Answered, Asked } from './command-child.js'

const LOADER = resolve(import.meta.dirname, '../lib/run-typescript.mjs')
const CHILD = resolve(import.meta.dirname, 'command-child.ts')

/** What was written is there once it has ended. */
type Ended = Pick<Run, 'stdout' | 'stderr'> & { readonly ended: Promise<number> }

export class CommandProcess {
  private readonly child: ChildProcess
  private readonly channel: Duplex
  private readonly answers: AsyncIterator<string>
  private last: Promise<unknown> = Promise.resolve()

  constructor() {
    this.child = spawn(process.execPath, ['--import', LOADER, CHILD], {
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
      stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    })
    this.channel = this.child.stdio[3] as Duplex
    this.answers = createInterface({ input: this.channel })[Symbol.asyncIterator]()
  }

  /** One after the other. */
  run(asked: Asked): Promise<Answered> {
    const answer = this.last.then(async () => {
      this.channel.write(`${JSON.stringify(asked)}\n`)
      const { value, done } = await this.answers.next()
      if (done === true) throw new Error(`the process ended at: arbees ${asked.argv.join(' ')}`)
      return JSON.parse(value) as Answered
    })
    this.last = answer.catch(() => undefined)
    return answer
  }

  /** As `launch` of test/e2e/launch.ts, for what ends by itself. */
  launch(argv: readonly string[], environment: Asked['environment'] = {}, cwd = process.cwd()): Ended {
    const answer = this.run({ argv, environment, cwd })
    let answered: Answered | undefined
    return {
      ended: answer.then((told) => (answered = told).exit),
      stdout: () => answered?.stdout ?? '',
      stderr: () => answered?.stderr ?? '',
    }
  }

  /** Its exit code: it ends by itself when no command left anything running. */
  async end(): Promise<number | null> {
    this.channel.end()
    if (this.child.exitCode === null) await once(this.child, 'exit')
    return this.child.exitCode
  }

  kill(): void {
    this.child.kill('SIGKILL')
  }
}
