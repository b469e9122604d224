/** How the games are spread over the shards, by the orchestrator's word; for people. */

import { reasonsOf } from './status-report.js'
import type { RoleStatus } from './status-report.js'
import { sanitize } from '../core/sanitize.js'
import { formatCount, plural } from '../view/units.js'

/** Undefined where there is one shard, or no orchestrator to ask. */
export function shardGamesLine(roles: readonly Pick<RoleStatus, 'role' | 'counts'>[]): string | undefined {
  const counts = roles.find(({ role }) => role === 'orchestrator')?.counts ?? {}
  const names = Object.keys(counts).filter((name) => name.startsWith('shard_games:'))
  if (names.length === 0) return undefined
  const games = reasonsOf(counts, 'shard_games')
  const shown = names
    .map((name) => name.slice('shard_games:'.length))
    .map((shard) => `${sanitize(shard)} has ${plural(games[shard] ?? 0, 'game')}`)
  return `${shown.join(', ')}; ${formatCount(counts['moves'] ?? 0)} moved since the orchestrator's start`
}
