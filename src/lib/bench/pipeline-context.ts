/** The frame that the roles of the pipeline benchmark run in: a role's, without supervisor, keys and metrics. */

import { join } from 'node:path'
import { systemClock } from '../core/clock.js'
import { loadSettings } from '../core/config.js'
import { Lifecycle } from '../core/lifecycle.js'
import type { RoleContext } from '../roles/role.js'
import { Counters } from '../telemetry/counters.js'
import { createLogger } from '../telemetry/logger.js'
import { PIPELINE_ENV } from './pipeline-messages.js'
import type { Cost } from './pipeline-messages.js'
import { cpuUs } from './process-cost.js'

/** Defaults, whatever the environment says; state below `dir`. */
export function createBenchContext(name: string, dir: string): RoleContext {
  const { settings } = loadSettings({
    flags: { data_dir: dir, env: PIPELINE_ENV, log_level: 'error' },
    environment: {},
    file: { path: join(dir, 'none.yaml'), required: false },
  })
  const counters = new Counters()
  return {
    name,
    settings,
    clock: systemClock,
    log: createLogger({ name, level: settings.log_level, format: settings.log_format }),
    counters,
    lifecycle: new Lifecycle(),
    keys: undefined,
    reloadKeys: () => undefined,
    ready: () => undefined,
    report: () => ({ counts: counters.snapshot(), hops: {} }),
  }
}

/** What a process has used and counted. */
export const costOf = (context: RoleContext | undefined): Cost => ({
  type: 'cost',
  cpuUs: cpuUs(),
  counts: context?.counters.snapshot() ?? {},
})
