/** `doctor`: every check once, each with the line that mends it. */

import type { Clock } from '../core/clock.js'
import type { Settings } from '../core/config.js'
import { checkPublishers } from './doctor-bus.js'
import {
  checkCredentials,
  checkDataDir,
  checkDisk,
  checkHalt,
  checkKeys,
  checkNode,
  checkZeromq,
} from './doctor-machine.js'
import { checkRedisServer } from './doctor-redis.js'
import { skipped } from './doctor-report.js'
import type { DoctorReport } from './doctor-report.js'

export interface DoctorOptions {
  readonly settings: Settings
  readonly clock: Clock
  /** Ask the venues too. */
  readonly live: boolean
}

/** What is broken is a check that failed, never thrown. */
export async function runDoctor({ settings, clock, live }: DoctorOptions): Promise<DoctorReport> {
  const venues = async () => {
    if (!live) return [skipped('venues', 'not asked; --live asks them')]
    const { checkVenues } = await import('./doctor-venues.js')
    return checkVenues(settings, clock)
  }
  const zeromq = await checkZeromq(clock)
  const groups = await Promise.all([checkPublishers(settings, clock), checkRedisServer(settings), venues()])
  const checks = [
    checkNode(),
    zeromq,
    checkDataDir(settings),
    checkDisk(settings),
    checkKeys(settings),
    checkCredentials(settings),
    checkHalt(settings),
    ...groups.flat(),
  ]
  return { healthy: checks.every(({ state }) => state !== 'failed'), env: settings.env, checks }
}
