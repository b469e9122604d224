/**
 * The venue of the hop benchmark, forked by `metronome.ts`: writes a byte to its stdout at each tick of a fixed-rate
 * schedule, to which the publisher wakes as a monitor wakes to a frame. Node's timers are up to a millisecond late,
 * several times what is measured; here most of the wait is a futex and its end a short spin.
 */

import { writeSync } from 'node:fs'
import { systemClock } from '../core/clock.js'
import type { Schedule } from './metronome.js'

/** How long before a tick the futex gives way to the spin: later than it wakes up, nearly always. */
const SPIN_US = 120
const STDOUT = 1
const TICK = Buffer.from([1])
const cell = new Int32Array(new SharedArrayBuffer(4))

function waitUntil(dueUs: number): void {
  const leftUs = dueUs - systemClock.monoUs()
  if (leftUs > SPIN_US) Atomics.wait(cell, 0, 0, (leftUs - SPIN_US) / 1000)
  while (systemClock.monoUs() < dueUs);
}

process.on('message', ({ startUs, tickUs, ticks }: Schedule) => {
  try {
    for (let tick = 0; tick < ticks; tick++) {
      waitUntil(startUs + tick * tickUs)
      writeSync(STDOUT, TICK)
    }
  } catch {
    // Nobody reads any more.
    process.exit(0)
  }
})
process.on('disconnect', () => process.exit(0))
// A terminal's Ctrl-C reaches the whole group: the parent decides when this process ends.
process.on('SIGINT', () => undefined)
