/**
 * `.env` in the working directory: the variables of arbees in it are read as if they stood in the environment, below
 * what really stands there. The file may hold anything else for others; that is left alone.
 */

import { readFileSync, statSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { ArbeesError, EXIT, codeOf, messageOf } from './errors.js'
import { assertPrivateFile, hasPassword } from './secrets.js'
import { SETTING_KEYS, environmentName, nearHint, nearestKey } from './settings.js'

export const DOTENV_FILE = '.env'

export interface DotenvVariable {
  readonly value: string
  /** Where it stands, from 1. */
  readonly line: number
}

/** Variables by their name, `ARBEES_…` all of them. */
export type Dotenv = Readonly<Record<string, DotenvVariable>>

/** What commands read beside settings. */
export const SHELL_VARIABLES = ['ARBEES_CONFIG', 'ARBEES_PROFILE'] as const

/**
 * Throws `UNKNOWN_SETTING`, `BAD_CONFIG` for a line that would take a variable with it, and `OPEN_SECRET` for a
 * password that others can read (all exit 4). No file, or a folder of that name: nothing.
 */
export function readDotenv(path = DOTENV_FILE): Dotenv {
  const variables = parseDotenv(readText(path), path)
  if (Object.values(variables).some(({ value }) => hasPassword(value))) assertPrivateFile(path)
  return variables
}

/** Which settings file and profile it names, whatever else stands in it. Throws `BAD_CONFIG` (exit 4) where it cannot be read. */
export function readShellVariables(path = DOTENV_FILE): Readonly<Record<string, string | undefined>> {
  const variables = parseEnv(readText(path))
  return Object.fromEntries(SHELL_VARIABLES.map((name) => [name, variables[name]]))
}

function readText(path: string): string {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() === true ? readFileSync(path, 'utf8') : ''
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return ''
    throw new ArbeesError('BAD_CONFIG', `${path} cannot be read: ${messageOf(error)}`, {
      exit: EXIT.CONFIG,
      cause: error,
    })
  }
}

/** In quotes, which may span lines; one that is never closed is none. */
const VALUE_OF_LINES = /(?<=^[^\S\n]*[^\s#=][^=\n]*=[^\S\n]*)(["'`])[^]*?\1/gm

/** Throws as `readDotenv` does. */
export function parseDotenv(text: string, path: string): Dotenv {
  const lines = text.split(/\r?\n/)
  refuseWithoutEquals(text, path)
  const variables: Record<string, DotenvVariable> = {}
  for (const [name, value] of Object.entries(parseEnv(text))) {
    if (value === undefined || !name.includes('ARBEES_')) continue
    // Node's parser reads a line without `=` and the next one as one name.
    const ownName = name.slice(name.lastIndexOf('\n') + 1).trim()
    const line = lineOf(lines, ownName)
    if (ownName !== name) {
      throw new ArbeesError('BAD_CONFIG', `${path}:${line}: the line before ${ownName} is not NAME=value`, {
        exit: EXIT.CONFIG,
        hint: 'a comment begins with #',
      })
    }
    if (!name.startsWith('ARBEES_')) continue
    refuseUnknown(name, `${path}:${line}`)
    variables[name] = { value, line }
  }
  return variables
}

/** Node's parser drops such a line, or takes it with the next one for a name. */
function refuseWithoutEquals(text: string, path: string): void {
  const lines = text.replace(VALUE_OF_LINES, (value) => value.replace(/[^\n]/g, '_')).split('\n')
  for (const [index, line] of lines.entries()) {
    const name = /^\s*(?:export\s+)?(ARBEES_\w*)[^=]*$/.exec(line)?.[1]
    if (name === undefined) continue
    throw new ArbeesError('BAD_CONFIG', `${path}:${index + 1}: ${name} is not followed by =`, {
      exit: EXIT.CONFIG,
      hint: 'write NAME=value; a comment begins with #',
    })
  }
}

/** The last one counts, as it does for the parser. */
function lineOf(lines: readonly string[], name: string): number {
  const index = lines.findLastIndex(
    (line) =>
      line
        .replace(/^\s*(export\s+)?/, '')
        .split('=')[0]
        ?.trim() === name,
  )
  return index + 1
}

/** A misspelled limit must not be silently ignored. */
function refuseUnknown(name: string, where: string): void {
  if (SHELL_VARIABLES.some((known) => known === name)) return
  if (SETTING_KEYS.some((key) => environmentName(key) === name)) return
  throw unknownVariable(name, where)
}

/** Says which variable was meant. */
export function unknownVariable(name: string, where: string): ArbeesError {
  const key = name.slice('ARBEES_'.length).toLowerCase().replace('__', '.')
  const near = nearestKey(key)
  return new ArbeesError('UNKNOWN_SETTING', `${where}: no setting is named '${name}'`, {
    exit: EXIT.CONFIG,
    hint: nearHint(near === undefined ? undefined : environmentName(near)),
  })
}
