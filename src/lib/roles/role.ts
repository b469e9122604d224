/**
 * The frame that every role runs in: settings, clock, logger, counters, ordered cleanup, and a word to the
 * supervisor when it is ready and what it counts. Signals are the command line's to handle (`cli/role-command.ts`).
 */

import type { BusKeys } from '../bus/curve.js'
import type { KeyRing } from '../bus/key-ring.js'
import type { LoadedSettings, Settings } from '../core/config.js'
import { systemClock } from '../core/clock.js'
import type { Clock } from '../core/clock.js'
import { messageOf } from '../core/errors.js'
import { Lifecycle } from '../core/lifecycle.js'
import type { Counts, Heartbeat, HopBeat } from '../messages/heartbeat.js'
import { Counters } from '../telemetry/counters.js'
import { createLogger } from '../telemetry/logger.js'
import type { Logger } from '../telemetry/logger.js'
import { openRoleKeys } from './bus-keys.js'
import { openMetrics } from './role-metrics.js'

/** What a role tells about itself: in heartbeats when it publishes, to its supervisor always. */
export interface RoleReport {
  readonly counts: Counts
  readonly hops: Readonly<Record<string, HopBeat>>
}

/** From a role to the `up` that started it. */
export type RoleMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'report'; readonly report: RoleReport }
  /** The last one before a clean exit: nothing changes after it. */
  | { readonly type: 'final'; readonly report: RoleReport }

export interface RoleContext {
  readonly name: string
  readonly settings: Settings
  readonly clock: Clock
  readonly log: Logger
  readonly counters: Counters
  readonly lifecycle: Lifecycle
  /** The bus's keys; undefined where it has none. */
  readonly keys: BusKeys | undefined
  /** Reads again who may connect, and says what came of it. */
  reloadKeys(): void
  /** Say once that the role does its work from now on. */
  ready(): void
  /** What the supervisor and heartbeats are told; counters alone when a role adds nothing. */
  report: () => RoleReport
  /** What it tells on the bus or in Redis, where it does. */
  heartbeat?: () => Heartbeat
}

/** How often a supervised role reports. */
const REPORT_MS = 250

/** Throws `NO_KEY`, `BAD_KEY`, `OPEN_SECRET` (exit 4), and `PORT_IN_USE` or `BIND_FAILED` for the metrics. */
export async function createRoleContext(name: string, { settings }: LoadedSettings): Promise<RoleContext> {
  const lifecycle = new Lifecycle()
  const counters = new Counters()
  const log = createLogger({ name, level: settings.log_level, format: settings.log_format })
  // Before any socket binds, and closed after the last of them.
  const ring = await openRoleKeys(name, settings, { counters, lifecycle, log })
  const context: RoleContext = {
    name,
    settings,
    clock: systemClock,
    log,
    counters,
    lifecycle,
    keys: ring,
    reloadKeys: () => reloadKeys(ring, log),
    ready: () => {
      tellSupervisor({ type: 'ready' })
      log.info(`${name} is ready`)
    },
    report: () => ({ counts: counters.snapshot(), hops: {} }),
  }
  // Not its report, which is the supervisor's: exec remembers what it told there.
  const figures = () => context.heartbeat?.() ?? { counts: counters.snapshot(), hops: {} }
  await openMetrics({ name, settings, lifecycle, log, figures })
  if (process.send !== undefined) {
    const timer = setInterval(() => tellSupervisor({ type: 'report', report: context.report() }), REPORT_MS)
    lifecycle.defer('reports', () => clearInterval(timer))
  }
  return context
}

/** A list that cannot be used changes nothing. */
function reloadKeys(ring: KeyRing | undefined, log: Logger): void {
  if (ring === undefined) return log.info('SIGHUP: there are no keys to read again')
  try {
    log.info(`SIGHUP: ${ring.reload()} keys are allowed`)
  } catch (error) {
    log.error(`SIGHUP: the allow-list stays as it was: ${messageOf(error)}`)
  }
}

/** Sends to the supervisor, when there is one and it still listens. */
export function tellSupervisor(message: RoleMessage): void {
  if (process.send === undefined || !process.connected) return
  process.send(message, undefined, undefined, () => undefined)
}
