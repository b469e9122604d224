/**
 * A fixed-rate schedule that wakes this process through its event loop, as frames of a venue do. What delays one tick
 * delays no later one: lateness is part of the latency that is measured, not hidden by it.
 */

import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { ArbeesError } from '../core/errors.js'

const ENTRY = fileURLToPath(new URL('./hop-metronome.js', import.meta.url))

/** Tick `i` is due at `startUs + i * tickUs` on the host's monotonic clock. */
export interface Schedule {
  readonly startUs: number
  readonly tickUs: number
  readonly ticks: number
}

export class Metronome {
  private readonly child: ChildProcess
  private onBytes: (count: number) => void = () => undefined
  private onExit: () => void = () => undefined

  constructor() {
    this.child = fork(ENTRY, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
    this.child.stdout?.on('data', (chunk: Buffer) => this.onBytes(chunk.length))
    this.child.once('exit', () => this.onExit())
  }

  /** Calls `onTick` for every tick in order; resolves after the last. Throws `BENCH_FAILED`. */
  run(schedule: Schedule, onTick: (tick: number, dueUs: number) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      let tick = 0
      this.onExit = () => reject(new ArbeesError('BENCH_FAILED', 'the metronome ended by itself'))
      this.onBytes = (count) => {
        for (let i = 0; i < count; i++) {
          onTick(tick, schedule.startUs + tick * schedule.tickUs)
          tick++
        }
        if (tick === schedule.ticks) resolve()
      }
      this.child.send(schedule)
    })
  }

  /** A run that is under way does not come to its end: who ticks hears nothing else. */
  close(): void {
    this.child.kill()
  }
}
