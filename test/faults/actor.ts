/**
 * The processes that a fault meets: spawned, told what to do over IPC, paused, killed, and started again as they were.
 * A process that ends by itself is a failure of its case.
 */

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { compile } from '../lib/execution/compiled.js'
import type { Compiled, Finished } from '../lib/execution/compiled.js'

/** Node's start on a busy machine, and the ports' owners that must have gone. */
const START_MS = 20_000
/** After a request to end, before it is killed. */
const END_MS = 5_000

/** The sources, transpiled once: a child starts in a third of a second. */
export class Programs {
  private readonly compiled: Compiled

  constructor() {
    this.compiled = compile(
      'src/lib',
      'test/faults',
      'test/lib/execution',
      'test/lib/risk',
      'test/lib/venues/kalshi',
      'test/lib/venues/polymarket',
    )
  }

  /** Path of a program of this folder that Node can run. */
  pathOf(name: string): string {
    return this.compiled.pathOf(`test/faults/${name}.ts`)
  }

  /** Runs `file` (repository path) to its end. */
  run(file: string, args: readonly string[]): Finished['done'] {
    return this.compiled.run(file, args).done
  }

  remove(): void {
    this.compiled.remove()
  }
}

/** What a child says; `event` names it. */
export interface ActorEvent {
  readonly event: string
  readonly [field: string]: unknown
}

export interface ActorOptions {
  readonly programs: Programs
  /** `publisher-child`, ... in this folder. */
  readonly program: string
  /** Handed over as JSON in the first argument. */
  readonly config: object
  /** What it writes is kept here, by name. */
  readonly dir: string
  readonly name: string
  /** Settings of a role. */
  readonly environment?: Readonly<Record<string, string>>
  /** Network namespace to live in. */
  readonly namespace?: string | undefined
}

export class Actor {
  private child: ChildProcess | undefined
  private waiting: { readonly event: string; readonly found: (event: ActorEvent) => void }[] = []
  private readonly listeners = new Map<string, (event: ActorEvent) => void>()
  /** Exits that nobody asked for, with the end of what was written. */
  readonly accidents: string[] = []
  private expected = true
  private exited: Promise<void> = Promise.resolve()

  constructor(private readonly options: ActorOptions) {}

  get name(): string {
    return this.options.name
  }

  get pid(): number | undefined {
    return this.child?.pid
  }

  get isRunning(): boolean {
    return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null
  }

  /**
   * Resolves with what it said when it was ready. Throws with its last words when it does not get there. `changes` hold
   * for this life.
   */
  async start(changes: object = {}): Promise<ActorEvent> {
    const { programs, program, config, environment, namespace } = this.options
    const text = JSON.stringify({ ...config, ...changes })
    const node = [process.execPath, '--enable-source-maps', programs.pathOf(program), text]
    const [file = '', ...args] = namespace === undefined ? node : ['ip', 'netns', 'exec', namespace, ...node]
    const log = openSync(this.logPath, 'a')
    const child = spawn(file, args, {
      stdio: ['ignore', log, log, 'ipc'],
      env: { PATH: process.env['PATH'], NODE_OPTIONS: '', ...environment },
    })
    closeSync(log)
    this.child = child
    this.expected = false
    child.on('message', (message) => this.hear(message as ActorEvent))
    this.exited = new Promise((done) => {
      child.once('error', () => done())
      child.once('exit', (code, signal) => {
        if (!this.expected) this.accidents.push(`${this.name} ended (${signal ?? code}): ${this.lastWords()}`)
        done()
      })
    })
    return this.next('ready', START_MS)
  }

  tell(command: object): void {
    this.child?.send(command, () => undefined)
  }

  /** The next event of that name. Throws when it does not come, or when the process ends before. */
  next(event: string, ms: number): Promise<ActorEvent> {
    return new Promise((found, refuse) => {
      const entry = {
        event,
        found: (message: ActorEvent) => {
          clearTimeout(deadline)
          found(message)
        },
      }
      const give = (why: string) => {
        clearTimeout(deadline)
        this.waiting = this.waiting.filter((other) => other !== entry)
        refuse(new Error(`${this.name} ${why} (${event}): ${this.lastWords()}`))
      }
      const deadline = setTimeout(() => give(`did not answer in ${ms} ms`), ms)
      this.waiting.push(entry)
      void this.exited.then(() => {
        if (this.waiting.includes(entry)) give('ended')
      })
    })
  }

  /** Every event of that name. */
  on(event: string, found: (event: ActorEvent) => void): void {
    this.listeners.set(event, found)
  }

  async kill(): Promise<void> {
    this.expected = true
    this.child?.kill('SIGKILL')
    await this.exited
  }

  pause(): void {
    this.child?.kill('SIGSTOP')
  }

  resume(): void {
    this.child?.kill('SIGCONT')
  }

  /** Ends it in its own way; by force when it takes too long. */
  async end(): Promise<void> {
    if (!this.isRunning) return
    this.expected = true
    this.resume()
    this.tell({ op: 'end' })
    const force = setTimeout(() => this.child?.kill('SIGKILL'), END_MS)
    await this.exited
    clearTimeout(force)
  }

  /** What it and its earlier lives wrote, by lines. */
  get said(): readonly string[] {
    return readFileSync(this.logPath, 'utf8').trim().split('\n')
  }

  private hear(message: ActorEvent): void {
    this.listeners.get(message.event)?.(message)
    const found = this.waiting.filter(({ event }) => event === message.event)
    this.waiting = this.waiting.filter(({ event }) => event !== message.event)
    for (const entry of found) entry.found(message)
  }

  private get logPath(): string {
    return join(this.options.dir, `${this.name}.log`)
  }

  private lastWords(): string {
    return this.said.slice(-6).join(' | ').slice(-800)
  }
}
