/**
 * The base of every long-running role: drain on the first signal, leave at once on the second, end with the
 * supervisor or its terminal, and never outlive a hard deadline. SIGHUP reads the allowed keys again.
 */

import { Flags } from '@oclif/core'
import type { LoadedSettings, SettingKey } from '../core/config.js'
import { hasTerminal } from '../core/terminal.js'
import { createRoleContext, tellSupervisor } from '../roles/role.js'
import type { RoleContext } from '../roles/role.js'
import { BaseCommand } from './base-command.js'
import { envFlag, metricsFlags, redisUrlFlag } from './flags.js'

/** A drain that takes longer is cut: longer than any role's own, so that each can still report and close its files. */
const DRAIN_DEADLINE_MS = 20_000
const SIGNAL_EXIT = { SIGINT: 130, SIGTERM: 143 } as const

/** Flags of every role. */
export const roleFlags = {
  env: envFlag,
  'redis-url': redisUrlFlag,
  'log-format': Flags.string({
    summary: 'auto: lines on a terminal, JSON in a pipe',
    options: ['auto', 'pretty', 'json'],
    env: 'ARBEES_LOG_FORMAT',
  }),
  ...metricsFlags,
}

/** The shared flags as settings. */
export function roleSettings(flags: {
  readonly config?: string | undefined
  readonly 'data-dir'?: string | undefined
  readonly 'log-level'?: string | undefined
  readonly env?: string | undefined
  readonly 'redis-url'?: string | undefined
  readonly 'log-format'?: string | undefined
  readonly 'metrics-port'?: string | undefined
  readonly 'metrics-host'?: string | undefined
}): Partial<Record<SettingKey, string | undefined>> & { config: string | undefined } {
  return {
    config: flags.config,
    data_dir: flags['data-dir'],
    log_level: flags['log-level'],
    env: flags.env,
    redis_url: flags['redis-url'],
    log_format: flags['log-format'],
    metrics_port: flags['metrics-port'],
    metrics_host: flags['metrics-host'],
  }
}

export abstract class RoleCommand extends BaseCommand {
  static override enableJsonFlag = false

  /** A role's stdout carries nothing: a closed one must not end it. */
  protected override onClosedPipe(): void {
    // Logs go nowhere from here on; the role keeps its work.
  }

  /** Runs a role until a signal, the supervisor's end, or its own failure; then cleans up in reverse. */
  protected async runRole(
    name: string,
    loaded: LoadedSettings,
    start: (context: RoleContext) => Promise<void>,
  ): Promise<void> {
    const context = await createRoleContext(name, loaded)
    const { lifecycle, log } = context
    let stop: (why: string) => void = () => undefined
    const stopped = new Promise<string>((resolve) => (stop = resolve))
    let seen = false
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        if (seen) process.exit(SIGNAL_EXIT[signal])
        seen = true
        stop(signal)
      })
    }
    const hadTerminal = hasTerminal()
    process.on('SIGHUP', () => {
      if (hadTerminal && !hasTerminal()) stop('its terminal is gone')
      else context.reloadKeys()
    })
    process.on('disconnect', () => stop('the supervisor is gone'))
    try {
      const started = start(context)
      // A stop may win the race: what start then still throws concerns nobody.
      started.catch(() => undefined)
      await Promise.race([started, stopped])
      const why = await stopped
      log.info(`${name} stops: ${why}`)
    } finally {
      const deadline = setTimeout(() => {
        log.error(`${name} did not stop within ${DRAIN_DEADLINE_MS} ms`)
        process.exit(1)
      }, DRAIN_DEADLINE_MS)
      const failures = await lifecycle.close()
      for (const failure of failures) log.error(`while stopping: ${failure}`)
      tellSupervisor({ type: 'final', report: context.report() })
      clearTimeout(deadline)
      if (process.connected) process.disconnect()
    }
  }
}
