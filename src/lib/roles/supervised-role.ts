/**
 * One child process of `up`: started, watched, restarted after a crash, stopped in good order. Its counts survive
 * its deaths: what a dead incarnation last reported is added to what the living one reports.
 */

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { Backoff } from '../core/backoff.js'
import { EXIT } from '../core/errors.js'
import type { Counts, HopBeat } from '../messages/heartbeat.js'
import { sumCounts } from '../telemetry/counters.js'
import type { RoleMessage, RoleReport } from './role.js'

export type SupervisedState = 'waiting' | 'starting' | 'ready' | 'restarting' | 'failed' | 'stopped'

export interface RoleSpec {
  readonly name: string
  /** Arguments of `arbees`. */
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  /** Publishers are ready when a heartbeat arrives, the others when they say so. */
  readonly readyBy: 'heartbeat' | 'report'
}

export interface SupervisedEvents {
  onLog(name: string, line: string): void
  onStateChange(role: SupervisedRole, what: string): void
}

/** Exits that a restart cannot mend: usage, config, a safety rule. */
const HOPELESS_EXITS: ReadonlySet<number> = new Set([EXIT.USAGE, EXIT.CONFIG, EXIT.REFUSED])
/** A role that lived so long has recovered: its next crash is a new one. */
const STABLE_AFTER_MS = 30_000
/** Longer than a role gives itself to stop (`cli/role-command.ts`): its own emergency exit comes first. */
const KILL_AFTER_MS = 23_000

export class SupervisedRole {
  state: SupervisedState = 'waiting'
  pid: number | undefined
  /** From the first start until ready; undefined before. */
  readyMs: number | undefined
  /** From this life's start until ready. */
  private startedMs = 0
  restarts = 0
  hops: Readonly<Record<string, HopBeat>> = {}
  private readonly backoff = new Backoff({ minMs: 250, maxMs: 5_000 })
  private child: ChildProcess | undefined
  private buriedCounts: Counts = {}
  private currentCounts: Counts = {}
  private lastReported: Counts = {}
  private firstStartMs = 0
  private lastExit: number | undefined
  private restartTimer: NodeJS.Timeout | undefined
  private stopping = false
  private readonly waiters = new Set<() => void>()

  constructor(
    readonly spec: RoleSpec,
    private readonly binary: string,
    private readonly events: SupervisedEvents,
  ) {}

  get name(): string {
    return this.spec.name
  }

  /** Over all its lives. */
  get counts(): Counts {
    return sumCounts(this.buriedCounts, this.currentCounts)
  }

  /** What was last reported: gauges are not added up over lives. */
  get latestCounts(): Counts {
    return this.lastReported
  }

  /** How its last life ended, when a restart cannot mend it. */
  get failedExit(): number | undefined {
    return this.state === 'failed' ? this.lastExit : undefined
  }

  start(): void {
    this.firstStartMs = Date.now()
    this.spawn()
  }

  /** A heartbeat of this role's publisher, by the process that sent it. */
  heard(pid: number): void {
    if (this.spec.readyBy === 'heartbeat' && pid === this.pid) this.becomeReady()
  }

  /** Resolves when ready; false when it failed, was stopped, or took longer than `ms`. */
  async waitUntilReady(ms: number): Promise<boolean> {
    const deadline = Date.now() + ms
    while (this.state === 'starting' || this.state === 'restarting') {
      const left = deadline - Date.now()
      if (left <= 0) return false
      await this.nextChange(left)
    }
    return this.isReady
  }

  get isReady(): boolean {
    return this.state === 'ready'
  }

  /** SIGTERM, then SIGKILL; resolves when the process is gone. */
  async stop(): Promise<void> {
    this.stopping = true
    clearTimeout(this.restartTimer)
    const { child } = this
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) {
      // What never ran needs no word.
      if (this.state === 'restarting') this.enter('stopped', 'stopped')
      return
    }
    const killer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS)
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    child.kill('SIGTERM')
    await gone
    clearTimeout(killer)
  }

  /** Tells the process to read its allowed keys again; one that is not ready reads them by itself. */
  reloadKeys(): void {
    if (this.isReady) this.child?.kill('SIGHUP')
  }

  /** No second chance: for the supervisor's own emergency exit. */
  kill(): void {
    this.stopping = true
    clearTimeout(this.restartTimer)
    this.child?.kill('SIGKILL')
  }

  private spawn(): void {
    this.startedMs = Date.now()
    const child = spawn(process.execPath, [this.binary, ...this.spec.args], {
      // A group of its own: Ctrl-C reaches the supervisor alone, which then stops the roles in order.
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      // Node warns on stderr when both color variables are set.
      env: { ...process.env, FORCE_COLOR: undefined, ...this.spec.environment },
    })
    this.child = child
    this.pid = child.pid
    const state = this.restarts === 0 ? 'starting' : 'restarting'
    this.enter(state, `${state}, pid ${child.pid ?? '-'}`)
    if (child.stderr !== null) {
      createInterface({ input: child.stderr }).on('line', (line) => this.events.onLog(this.name, line))
    }
    child.on('message', (message) => this.handle(message as RoleMessage))
    child.on('error', (error) => this.events.onLog(this.name, `cannot start: ${error.message}`))
    child.on('exit', (code, signal) => this.buried(code, signal, Date.now() - this.startedMs))
  }

  private handle(message: RoleMessage): void {
    switch (message.type) {
      case 'ready':
        if (this.spec.readyBy === 'report') this.becomeReady()
        break
      case 'report':
      case 'final':
        this.take(message.report)
        break
    }
  }

  private take(report: RoleReport): void {
    this.currentCounts = report.counts
    this.lastReported = report.counts
    this.hops = mergeHops(this.hops, report.hops)
  }

  private becomeReady(): void {
    if (this.state === 'ready' || this.stopping) return
    this.readyMs ??= Date.now() - this.firstStartMs
    this.enter('ready', `ready after ${Date.now() - this.startedMs} ms`)
  }

  private buried(code: number | null, signal: NodeJS.Signals | null, livedMs: number): void {
    this.buriedCounts = this.counts
    this.currentCounts = {}
    this.child = undefined
    this.pid = undefined
    if (this.stopping) {
      this.enter('stopped', code === 0 ? 'stopped' : `stopped with ${signal ?? `code ${code}`}`)
      return
    }
    const how = signal === null ? `exited with code ${code}` : `was killed by ${signal}`
    if (code !== null && HOPELESS_EXITS.has(code)) {
      this.lastExit = code
      this.enter('failed', `${how}; a restart cannot mend that`)
      return
    }
    if (livedMs > STABLE_AFTER_MS) this.backoff.reset()
    const delayMs = this.backoff.nextMs()
    this.restarts++
    this.enter('restarting', `${how}; restart ${this.restarts} in ${delayMs} ms`)
    this.restartTimer = setTimeout(() => this.spawn(), delayMs)
  }

  private enter(state: SupervisedState, what: string): void {
    this.state = state
    this.events.onStateChange(this, what)
    for (const wake of [...this.waiters]) wake()
  }

  private nextChange(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer)
        this.waiters.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, ms)
      this.waiters.add(wake)
    })
  }
}

/** A restarted role begins its histograms again: keep whichever has seen more. */
function mergeHops(
  known: Readonly<Record<string, HopBeat>>,
  reported: Readonly<Record<string, HopBeat>>,
): Record<string, HopBeat> {
  const merged: Record<string, HopBeat> = { ...known }
  for (const [name, hop] of Object.entries(reported)) {
    if (hop.n >= (merged[name]?.n ?? 0)) merged[name] = hop
  }
  return merged
}
