/**
 * The base of every command: settings, exit codes, JSON errors, closed pipes and colors.
 *
 * It mends what oclif 4.14 leaves: under `--json` every error exits 1 and a bad flag prints the whole config;
 * `exit(0)` under `--json` prints an error; a closed stdout never ends a stream; chalk ignores NO_COLOR.
 */

import { existsSync, readFileSync } from 'node:fs'
import { Command, Errors } from '@oclif/core'
import type { Interfaces } from '@oclif/core'
import { SETTING_KEYS, environmentName, loadSettings, originKind, upFilePath } from '../core/config.js'
import type { ConfigSources, LoadedSettings, SettingKey, UpFile } from '../core/config.js'
import { readDotenv, readShellVariables } from '../core/dotenv.js'
import { ArbeesError, EXIT, messageOf } from '../core/errors.js'
import { bootId } from '../core/ids.js'
import { hasPassword } from '../core/secrets.js'
import { terminalWidth } from '../core/terminal.js'
import { globalFlags } from './flags.js'
import { writeError } from './write-error.js'

/** A flag value as settings read it. */
type FlagValue = string | number | boolean | readonly string[] | undefined

export abstract class BaseCommand extends Command {
  static override enableJsonFlag = true
  static override baseFlags = globalFlags

  /** The flag --profile, or its twin in the environment. */
  private profile: string | undefined

  /** Colors are wanted: not --no-color, not NO_COLOR, not a pipe. */
  protected get colors(): boolean {
    return this.colorsOn(process.stdout)
  }

  /** Of the terminal that tables are written to. */
  protected get width(): number {
    return terminalWidth(process.stdout)
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

  /**
   * Flags and arguments, and whatever is wrong with them as `USAGE`. A setting's variable is read with the other settings,
   * which name it where it is wrong; oclif shows it in the help alone.
   */
  protected override async parse<
    F extends Record<string, unknown>,
    B extends Record<string, unknown>,
    A extends Record<string, unknown>,
  >(options?: Interfaces.Input<F, B, A>, argv = this.argv): Promise<Interfaces.ParserOutput<F, B, A>> {
    const { args, flags = {}, baseFlags = {}, enableJsonFlag, strict } = options ?? this.ctor
    const given = { flags: withoutTwins(flags), baseFlags: withoutTwins(baseFlags) }
    try {
      const parsed = await super.parse(
        { args, ...given, enableJsonFlag, strict } as Interfaces.Input<F, B, A>,
        argv,
      )
      const { profile } = parsed.flags as { readonly profile?: unknown }
      if (typeof profile === 'string') this.profile = profile
      return parsed
    } catch (error) {
      if (error instanceof ArbeesError || !(error instanceof Error)) throw error
      throw new ArbeesError('USAGE', firstLines(error), {
        exit: EXIT.USAGE,
        hint: 'see --help',
        cause: error,
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
      if (value !== undefined) given[key] = Array.isArray(value) ? value.join(',') : String(value)
    }
    refuseTypedPassword(given.redis_url)
    const sources: ConfigSources = { flags: given, environment: process.env, ...this.files(flags.config) }
    const loaded = loadSettings(sources)
    if (!live) return loaded
    const up = readLiveUpFile(loaded.settings.data_dir)
    if (up === undefined || isAnother(loaded, up)) return loaded
    // Whoever names the data dir names where up.json lies; the run may keep its state in a folder below.
    const { data_dir: _given, ...others } = given
    const name = environmentName('data_dir')
    const environment = { ...process.env, [name]: undefined }
    const { [name]: _named, ...dotenv } = sources.dotenv ?? {}
    return loadSettings({ ...sources, flags: others, environment, dotenv, up: up.settings })
  }

  /** Which settings file: `--config`, or its twin in the environment or in `.env`. Throws what `readDotenv` throws. */
  private files(config: string | undefined): Pick<ConfigSources, 'dotenv' | 'file' | 'profile'> {
    // Empty: no file at all, as `up` says to its roles, whose settings are all in their environment.
    if (config === undefined && process.env['ARBEES_CONFIG'] === '') return {}
    const dotenv = readDotenv()
    const names = { config: dotenv['ARBEES_CONFIG']?.value, profile: dotenv['ARBEES_PROFILE']?.value }
    const { path, isNamed, profile } = this.placeOf(config, names)
    return { dotenv, file: { path, required: isNamed }, profile }
  }

  /**
   * The settings file that would be read, and the profile of it; of `.env` only what names them is looked at. Throws
   * what `readShellVariables` throws.
   */
  protected configPlace(config: string | undefined): {
    readonly path: string
    readonly profile: string | undefined
  } {
    const isAlone = config === undefined && process.env['ARBEES_CONFIG'] === ''
    const { ARBEES_CONFIG, ARBEES_PROFILE } = isAlone ? {} : readShellVariables()
    return this.placeOf(config, { config: ARBEES_CONFIG, profile: ARBEES_PROFILE })
  }

  private placeOf(
    config: string | undefined,
    dotenv: { readonly config: string | undefined; readonly profile: string | undefined },
  ): { readonly path: string; readonly isNamed: boolean; readonly profile: string | undefined } {
    const named = config ?? dotenv.config
    const profile = this.profile ?? process.env['ARBEES_PROFILE'] ?? dotenv.profile
    return {
      path: named ?? 'arbees.yaml',
      isNamed: named !== undefined,
      profile: profile === '' ? undefined : profile,
    }
  }

  override catch(error: Error & { exitCode?: number }): Promise<void> {
    if (error instanceof Errors.ExitError) {
      process.exitCode = error.oclif.exit ?? EXIT.OK
      return Promise.resolve()
    }
    const { code, exit, hint } = describeError(error)
    process.exitCode = exit
    writeError({ code, message: firstLines(error), exit, hint }, { isJson: this.jsonEnabled() })
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
  if (redisUrl === undefined || !hasPassword(redisUrl)) return
  throw new ArbeesError('SECRET_IN_FLAG', '--redis-url holds a password', {
    exit: EXIT.USAGE,
    hint: 'set ARBEES_REDIS_URL, or redis_url in a settings file that nobody else can read',
  })
}

/** Who names another env, or a profile that this `up` was not started with, does not mean the one that runs. */
function isAnother({ settings, origins, profile }: LoadedSettings, up: UpFile): boolean {
  if (profile !== undefined && profile !== up.profile) return true
  const isNamed = ['flag', 'environment', '.env', 'profile'].includes(originKind(origins.env))
  return isNamed && settings.env !== up.settings['env']
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

/** Variables of settings. */
const TWINS: ReadonlySet<string | undefined> = new Set(SETTING_KEYS.map(environmentName))

const withoutTwins = (flags: object): object =>
  Object.fromEntries(
    Object.entries(flags as Readonly<Record<string, { readonly env?: string }>>).map(([name, flag]) => [
      name,
      TWINS.has(flag.env) ? { ...flag, env: undefined } : flag,
    ]),
  )

function describeError(error: Error): { code: string; exit: number; hint?: string | undefined } {
  if (error instanceof ArbeesError) return { code: error.code, exit: error.exit, hint: error.hint }
  if (error instanceof Errors.CLIError) {
    return { code: error.code ?? 'FAILED', exit: error.oclif.exit ?? EXIT.FAILED, hint: 'see --help' }
  }
  return { code: 'FAILED', exit: EXIT.FAILED }
}

/** What went wrong, on one line: oclif appends the whole help to a usage error. */
export function firstLines(error: Error): string {
  const text = messageOf(error)
  return text
    .replace(/\nSee more help with --help$/, '')
    .replace(/^The following errors? occurred:\s*/, '')
    .replace(/\s*\n\s*/g, ' ')
    .trim()
}
