/** Flags that several commands share. */

import { Flags } from '@oclif/core'
import { LONGEST_TIMER_MS } from '../core/backoff.js'
import { parseBytes } from '../core/bytes.js'
import { parseDurationMs } from '../core/duration.js'
import { ArbeesError, EXIT, messageOf } from '../core/errors.js'
import { parseInstantMs } from '../core/instant.js'

/** A duration such as `250ms`, `5s`, `10m`, as long as a timer can be; the value is milliseconds. */
export const durationFlag = Flags.custom<number>({
  helpValue: '<duration>',
  parse: (text) => Promise.resolve(parseTimerMs(text)),
})

/** A size such as `512KiB`, `64MiB`, `2GiB`; the value is bytes. */
export const sizeFlag = Flags.custom<number>({
  helpValue: '<size>',
  parse: (text) => Promise.resolve(parseSize(text)),
})

/** A point in time: how long ago, a date and time (UTC without a zone), or Unix ms, which is the value. */
export const instantFlag = Flags.custom<number>({
  helpValue: '<time>',
  parse: (text) => Promise.resolve(parseInstantMs(text, Date.now())),
})

/** How many times as fast as it was; `max` is Infinity. */
export const speedFlag = Flags.custom<number>({
  helpValue: '<speed>',
  parse: (text) => Promise.resolve(parseSpeed(text)),
})

/** Flags of every command. */
export const globalFlags = {
  config: Flags.string({
    char: 'c',
    summary: 'settings file',
    helpValue: '<file>',
    env: 'ARBEES_CONFIG',
    helpGroup: 'GLOBAL',
  }),
  profile: Flags.string({
    summary: 'profile of the settings file',
    helpValue: '<name>',
    env: 'ARBEES_PROFILE',
    helpGroup: 'GLOBAL',
  }),
  'data-dir': Flags.string({
    summary: 'ledger, latch, up.json',
    helpValue: '<dir>',
    env: 'ARBEES_DATA_DIR',
    helpGroup: 'GLOBAL',
  }),
  'log-level': Flags.string({
    summary: 'least severe line to log',
    options: ['debug', 'info', 'warn', 'error'],
    env: 'ARBEES_LOG_LEVEL',
    helpGroup: 'GLOBAL',
  }),
  color: Flags.boolean({
    summary: 'colors on a terminal (NO_COLOR is obeyed too)',
    allowNo: true,
    default: true,
    helpGroup: 'GLOBAL',
  }),
}

/** Where the data come from. */
export const envFlag = Flags.string({
  summary: 'where the data come from',
  options: ['sim', 'demo', 'prod'],
  env: 'ARBEES_ENV',
})

export const redisUrlFlag = Flags.string({
  summary: 'Redis of the cold path',
  helpValue: '<url>',
  env: 'ARBEES_REDIS_URL',
})

/** Where a role answers `GET /metrics`. */
export const metricsFlags = {
  'metrics-port': Flags.string({
    summary: 'answer GET /metrics there, for Prometheus; 0: any free port',
    helpValue: '<port>',
    env: 'ARBEES_METRICS_PORT',
  }),
  'metrics-host': Flags.string({
    summary: 'address of --metrics-port; loopback when not given',
    helpValue: '<host>',
    env: 'ARBEES_METRICS_HOST',
  }),
}

/** What a role reads. */
export const transportFlag = Flags.string({
  summary: 'what to read: the bus (from Redis where only our link to a publisher is cut), or Redis alone',
  options: ['zmq', 'redis'],
  env: 'ARBEES_TRANSPORT',
})

/** Without `env`: oclif would take any text for a no, the settings refuse what is neither true nor false. */
export const redisPublishFlag = Flags.boolean({
  summary: "also PUBLISH the first design's bare bodies to Redis, best effort [env: ARBEES_REDIS_PUBLISH]",
  allowNo: true,
})

export const epochFloorFlag = Flags.integer({
  summary: 'least epoch to begin with, Unix ms: after a clock was set back (EPOCH_REGRESSED)',
  helpValue: '<ms>',
  min: 0,
  env: 'ARBEES_EPOCH_FLOOR',
})

export const keysDirFlag = Flags.string({
  summary: 'folder of keys; <data dir>/keys as long as keys_dir is not set',
  helpValue: '<dir>',
  env: 'ARBEES_KEYS_DIR',
})

/** Bounds of every stream. */
export const streamFlags = {
  count: Flags.integer({ char: 'n', summary: 'stop after so many', min: 1, helpValue: '<count>' }),
  for: durationFlag({ summary: 'stop after so long' }),
  idle: durationFlag({ summary: 'stop after so long without anything' }),
}

function parseTimerMs(text: string): number {
  const ms = parseDurationMs(text)
  if (ms <= LONGEST_TIMER_MS) return ms
  throw new ArbeesError('BAD_DURATION', `too long: '${text}'`, {
    exit: EXIT.USAGE,
    hint: `at most ${Math.floor(LONGEST_TIMER_MS / 3_600_000)}h; what has no such bound runs until it is stopped`,
  })
}

/** Throws `BAD_SIZE` (usage). */
function parseSize(text: string): number {
  try {
    return parseBytes(text)
  } catch (error) {
    throw new ArbeesError('BAD_SIZE', `'${text}' is not ${messageOf(error)}`, { exit: EXIT.USAGE })
  }
}

function parseSpeed(text: string): number {
  const speed = text === 'max' ? Infinity : Number(/^\d{1,6}(\.\d{1,6})?$/.exec(text)?.[0])
  if (speed > 0) return speed
  throw new ArbeesError('BAD_SPEED', `not a speed: '${text}'`, {
    exit: EXIT.USAGE,
    hint: 'write how many times as fast (1, 0.5, 100), or max',
  })
}
