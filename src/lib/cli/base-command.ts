/**
 * The base of every command: settings, exit codes, JSON errors, closed pipes and colors.
 *
 * It mends what oclif 4.14 leaves: under `--json` every error exits 1 and a bad flag prints the whole config;
 * `exit(0)` under `--json` prints an error; a closed stdout never ends a stream; chalk ignores NO_COLOR.
 */

import { existsSync, readFileSync } from 'node:fs'
import { Command, Errors } from '@oclif/core'
import { SETTING_KEYS, environmentName, loadSettings, upFilePath } from '../core/config.js'
import type { ConfigSources, LoadedSettings, SettingKey, UpFile } from '../core/config.js'
import { ArbeesError, EXIT, messageOf } from '../core/errors.js'
import { bootId } from '../core/ids.js'
import { sanitize } from '../core/sanitize.js'
import { globalFlags } from './flags.js'

/** A flag value as settings read it. */
type FlagValue = string | number | boolean | readonly string[] | undefined

export abstract class BaseCommand extends Command {
  static override enableJsonFlag = true
  static override baseFlags = globalFlags

  /** Colors are wanted: not --no-color, not NO_COLOR, not a pipe. */
  protected get colors(): boolean {
    return this.colorsOn(process.stdout)
  }

  protected colorsOn(stream: { readonly isTTY?: boolean }): boolean {
    return (
      stream.isTTY === true &&
      process.env['NO_COLOR'] === undefined &&
      process.env['TERM'] !== 'dumb' &&
      !this.argv.includes('--no-color')
    )
  }

  override async init(): Promise<void> {
    await super.init()
    for (const stream of [process.stdout, process.stderr]) {
      stream.on('error', (error: NodeJS.ErrnoException) => {
        // A terminal that hung up answers EIO.
        if (error.code === 'EPIPE' || error.code === 'EIO') this.onClosedPipe()
        else throw error
      })
    }
  }

  /** What a closed stdout ends: the whole command, unless it must clean up first. */
  protected onClosedPipe(): void {
    // Who set a code before it printed has said what it came to.
    process.exit(process.exitCode ?? EXIT.OK)
  }

  /**
   * The settings in force. `flags` are this command's own values for settings; `live` also reads the `up.json` of a
   * running `up`, as operator commands do. Throws what `loadSettings` throws, and `SECRET_IN_FLAG` (usage).
   */
  protected loadSettings(
    flags: Readonly<Partial<Record<SettingKey, FlagValue>>> & { readonly config?: string | undefined },
    { live = false } = {},
  ): LoadedSettings {
    const given: Partial<Record<SettingKey, string>> = {}
    for (const key of SETTING_KEYS) {
      const value = flags[key]
      // oclif hands the value of a flag's environment twin on as the flag's: its origin is the environment.
      if (value !== undefined && String(value) !== process.env[environmentName(key)])
        given[key] = Array.isArray(value) ? value.join(',') : String(value)
    }
    refuseTypedPassword(given.redis_url)
    const file = { path: flags.config ?? 'arbees.yaml', required: flags.config !== undefined }
    const sources: ConfigSources = { flags: given, environment: process.env, file }
    const loaded = loadSettings(sources)
    if (!live) return loaded
    const up = readLiveUpFile(loaded.settings.data_dir)
    // Who names another env does not mean the one that runs.
    const isNamed = loaded.origins.env === 'flag' || loaded.origins.env.startsWith('environment')
    if (up === undefined || (isNamed && loaded.settings.env !== up.settings['env'])) return loaded
    // Whoever names the data dir names where up.json lies; the run may keep its state in a folder below.
    const { data_dir: _given, ...others } = given
    const environment = { ...process.env, [environmentName('data_dir')]: undefined }
    return loadSettings({ ...sources, flags: others, environment, up: up.settings })
  }

  override catch(error: Error & { exitCode?: number }): Promise<void> {
    if (error instanceof Errors.ExitError) {
      process.exitCode = error.oclif.exit ?? EXIT.OK
      return Promise.resolve()
    }
    const { code, exit, hint } = describeError(error)
    process.exitCode = exit
    const message = firstLines(error)
    if (this.jsonEnabled()) {
      process.stdout.write(
        `${JSON.stringify({ error: { code, message, exit, ...(hint === undefined ? {} : { hint }) } })}\n`,
      )
    } else {
      process.stderr.write(`error: ${sanitize(message)}\n`)
      if (hint !== undefined) process.stderr.write(`  ${sanitize(hint)}\n`)
    }
    if (process.env['DEBUG']?.startsWith('arbees') === true) process.stderr.write(`${error.stack ?? ''}\n`)
    return Promise.resolve()
  }

  /** One line of JSON, not oclif's indented form. */
  protected override logJson(json: unknown): void {
    process.stdout.write(`${JSON.stringify(json)}\n`)
  }
}

/** Every user of the host can read what stands behind a flag. */
function refuseTypedPassword(redisUrl: string | undefined): void {
  if (redisUrl === undefined || !/^[^/]*\/\/[^@:]*:[^@]+@/.test(redisUrl)) return
  throw new ArbeesError('SECRET_IN_FLAG', '--redis-url holds a password', {
    exit: EXIT.USAGE,
    hint: 'set ARBEES_REDIS_URL, or redis_url in a settings file that nobody else can read',
  })
}

/** The `up.json` of a running `up`; undefined when there is none or its process is gone. */
function readLiveUpFile(dataDir: string): UpFile | undefined {
  const path = upFilePath(dataDir)
  if (!existsSync(path)) return undefined
  try {
    const up = JSON.parse(readFileSync(path, 'utf8')) as UpFile
    if (up.boot_id !== bootId()) return undefined
    process.kill(up.pid, 0)
    return up
  } catch {
    return undefined
  }
}

/** oclif's words for a flag at the end of the line: an error without what was parsed. */
const VALUE_MISSING = /^Flag .+ expects (a value|one of these values)/

function describeError(error: Error): { code: string; exit: number; hint?: string | undefined } {
  if (error instanceof ArbeesError) return { code: error.code, exit: error.exit, hint: error.hint }
  if (error instanceof Errors.CLIError) {
    // Parse errors carry what was parsed; some of them leave their exit code to chance.
    const isUsage = 'parse' in error || VALUE_MISSING.test(error.message)
    const exit = isUsage ? EXIT.USAGE : (error.oclif.exit ?? EXIT.FAILED)
    return { code: exit === EXIT.USAGE ? 'USAGE' : (error.code ?? 'FAILED'), exit, hint: 'see --help' }
  }
  return { code: 'FAILED', exit: EXIT.FAILED }
}

/** What went wrong, on one line: oclif appends the whole help to a usage error. */
export function firstLines(error: Error): string {
  const text = messageOf(error)
  return text
    .replace(/\nSee more help with --help$/, '')
    .replace(/\s*\n\s*/g, ' ')
    .trim()
}
