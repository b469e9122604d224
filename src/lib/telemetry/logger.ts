/** Logging: pino on stderr, lines for people on a terminal or under `up`, JSON otherwise. Never per message. */

import { pino } from 'pino'
import { sanitize } from '../core/sanitize.js'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
export type LogFormat = 'auto' | 'pretty' | 'json'

/** The part of a logger that rooms may use; `fields` are shown as `key=value`. */
export interface Logger {
  debug(text: string, fields?: Record<string, unknown>): void
  info(text: string, fields?: Record<string, unknown>): void
  warn(text: string, fields?: Record<string, unknown>): void
  error(text: string, fields?: Record<string, unknown>): void
}

export interface LoggerOptions {
  readonly name: string
  readonly level: LogLevel
  readonly format: LogFormat
  /** Where lines go; stderr when not said. */
  readonly write?: (line: string) => void
}

export function createLogger({ name, level, format, write }: LoggerOptions): Logger {
  const sink = write ?? ((line: string) => void process.stderr.write(line))
  const pretty = format === 'pretty' || (format === 'auto' && process.stderr.isTTY)
  const log = pino(
    { name, level, base: { name } },
    { write: pretty ? (line) => sink(prettyLine(line)) : sink },
  )
  return {
    debug: (text, fields) => log.debug(fields ?? {}, sanitize(text)),
    info: (text, fields) => log.info(fields ?? {}, sanitize(text)),
    warn: (text, fields) => log.warn(fields ?? {}, sanitize(text)),
    error: (text, fields) => log.error(fields ?? {}, sanitize(text)),
  }
}

const LEVEL_NAMES: Readonly<Record<number, string>> = { 20: 'debug', 30: 'info', 40: 'warn', 50: 'error' }
const OWN_FIELDS = new Set(['level', 'time', 'name', 'msg'])

/** `20:14:07.123 warn  text key=value` from one of pino's lines. */
function prettyLine(json: string): string {
  const entry = JSON.parse(json) as Record<string, unknown>
  const time = new Date(Number(entry['time'])).toISOString().slice(11, 23)
  const level = (LEVEL_NAMES[Number(entry['level'])] ?? 'log').padEnd(5)
  const fields = Object.entries(entry)
    .filter(([key]) => !OWN_FIELDS.has(key))
    .map(([key, value]) => ` ${key}=${sanitize(typeof value === 'string' ? value : JSON.stringify(value))}`)
  return `${time} ${level} ${String(entry['msg'])}${fields.join('')}\n`
}
