/** What to type next, in another shell. */

import { basename, relative } from 'node:path'
import type { Env } from '../model/venue.js'
import { redisKeys } from '../redis/keys.js'
import { parseRedisUrl } from '../redis/url.js'

/** Each a line that works as it stands. */
export function upHints(redisUrl: string | undefined, env: Env): string[] {
  const arbees = calledAs()
  const redis = redisUrl !== undefined && isForRedisCli(redisUrl)
  const look = redis ? [`redis-cli -u ${redisUrl} XLEN ${redisKeys(env).prices('kalshi')}`] : []
  return ['in another shell:', `${arbees} tap prices.kalshi. -n 5`, `${arbees} status`, ...look]
}

/** It knows nothing of Sentinels, takes a CA by another way, and a password must not be shown. */
function isForRedisCli(url: string): boolean {
  const { kind, tls, username, password } = parseRedisUrl(url)
  return kind === 'server' && tls === undefined && username === undefined && password === undefined
}

/** How this very command was called: a clone has no `arbees` on PATH before `npm link`. */
function calledAs(): string {
  const script = process.argv[1] ?? 'arbees'
  return basename(script) === 'run.js' ? `node ${relative(process.cwd(), script) || script}` : 'arbees'
}
