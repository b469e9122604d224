/** Writes the settings file: whole or not at all, and as open or closed to others as it was. */

import {
  chownSync,
  existsSync,
  mkdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { parseSetting } from '../core/config.js'
import { assertProfileName, parseConfigText, readConfigText } from '../core/config-file.js'
import { ArbeesError, EXIT, messageOf } from '../core/errors.js'
import { assertPrivateFile, hasPassword } from '../core/secrets.js'
import { isSettingKey, nearestKey } from '../core/settings.js'
import type { SettingKey } from '../core/settings.js'
import { checkConfigText } from './config-check.js'
import { setInConfigText } from './config-edit.js'
import { configTemplate } from './config-template.js'

/** Only the owner reads a new one: a password may come to stand in it. */
const NEW_FILE_MODE = 0o600

/** Writes the commented file. Throws `CONFIG_EXISTS` (exit 4) without `force`, `CONFIG_NOT_WRITTEN` (exit 4). */
export function initConfig(path: string, force: boolean): void {
  if (existsSync(path) && !force) {
    throw new ArbeesError('CONFIG_EXISTS', `${path} is there already`, {
      exit: EXIT.CONFIG,
      hint: 'replace it with --force, or name another with --file',
    })
  }
  write(path, configTemplate())
}

export interface ConfigChange {
  readonly key: SettingKey
  readonly value: string
  readonly profile: string | undefined
}

/**
 * Reads what `config set` was given; `isTyped`: on the command line, where every user of the host can read it. Throws
 * `UNKNOWN_SETTING`, `BAD_CONFIG`, `BAD_PROFILE`, `SECRET_IN_FLAG` (usage).
 */
export function readChange(
  key: string,
  value: string,
  { profile, isTyped }: { readonly profile: string | undefined; readonly isTyped: boolean },
): ConfigChange {
  if (profile !== undefined) assertProfileName(profile)
  if (isTyped && hasPassword(value)) {
    throw new ArbeesError('SECRET_IN_FLAG', `the value of ${key} holds a password`, {
      exit: EXIT.USAGE,
      hint: `give it on stdin: arbees config set ${key} - < FILE`,
    })
  }
  if (!isSettingKey(key)) {
    throw new ArbeesError('UNKNOWN_SETTING', `no setting is named '${key}'`, {
      exit: EXIT.USAGE,
      hint: `near: ${nearestKey(key)}`,
    })
  }
  try {
    parseSetting(key, value)
  } catch (error) {
    const hint = error instanceof ArbeesError ? error.hint : undefined
    throw new ArbeesError('BAD_CONFIG', messageOf(error), {
      exit: EXIT.USAGE,
      ...(hint === undefined ? {} : { hint }),
    })
  }
  return { key, value, profile }
}

/**
 * Sets one value; makes the file when there is none. Throws `BAD_CONFIG` (exit 4) when the file would not be valid
 * with it, `OPEN_SECRET` for a password in a file that others can read, `CONFIG_NOT_WRITTEN` (exit 4).
 */
export function setConfig(path: string, { key, value, profile }: ConfigChange): void {
  const before = existsSync(path) ? readConfigText(path) : ''
  if (existsSync(path) && hasPassword(value)) assertPrivateFile(path)
  const [broken] = parseConfigText(before).problems
  if (broken !== undefined) throw notValid(path, broken.line, broken.message)
  const after = setInConfigText(before, key, value, profile)
  const [problem] = checkConfigText(after, path).problems
  if (problem !== undefined) throw notValid(path, problem.line, problem.message)
  write(path, after)
}

const notValid = (path: string, line: number | null, message: string): ArbeesError =>
  new ArbeesError('BAD_CONFIG', `${path}${line === null ? '' : `:${line}`} stays as it is: ${message}`, {
    exit: EXIT.CONFIG,
    hint: 'arbees config validate shows all that is wrong with it',
  })

function write(path: string, text: string): void {
  try {
    // A link stays one.
    const target = existsSync(path) ? realpathSync(path) : path
    const old = statSync(target, { throwIfNoEntry: false })
    const draft = `${target}.${process.pid}.new`
    mkdirSync(dirname(target), { recursive: true })
    rmSync(draft, { force: true })
    try {
      writeFileSync(draft, text, {
        mode: old === undefined ? NEW_FILE_MODE : old.mode & 0o777,
        flag: 'wx',
        flush: true,
      })
      if (old !== undefined) keepOwner(draft, old)
      renameSync(draft, target)
    } finally {
      rmSync(draft, { force: true })
    }
  } catch (error) {
    throw new ArbeesError('CONFIG_NOT_WRITTEN', `cannot write ${path}: ${messageOf(error)}`, {
      exit: EXIT.CONFIG,
      hint: 'name another file with --config',
      cause: error,
    })
  }
}

/** Only root may give a file away; another user's copy is his own. */
function keepOwner(path: string, { uid, gid }: { readonly uid: number; readonly gid: number }): void {
  const own = statSync(path)
  if ((own.uid !== uid || own.gid !== gid) && process.getuid?.() === 0) chownSync(path, uid, gid)
}
