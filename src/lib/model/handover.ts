/** How a game goes from one shard to another; see `games/shard-assignments.ts`. */

/**
 * A shard decides on a quote whose publisher's time is at most so much behind the orchestrator's last word, ms: what the
 * orchestrator may have announced since then takes effect later.
 */
export const LEASE_MS = 2_500
