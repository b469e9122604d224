/** Flags that several commands share. */

import { Flags } from '@oclif/core'
import { parseDurationMs } from '../core/duration.js'

/** A duration such as `250ms`, `5s`, `10m`; the value is milliseconds. */
export const durationFlag = Flags.custom<number>({
  helpValue: '<duration>',
  parse: (text) => Promise.resolve(parseDurationMs(text)),
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
