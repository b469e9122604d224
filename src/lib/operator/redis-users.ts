/** `arbees redis acl`: the users that a Redis of these settings needs. */

import type { Settings } from '../core/config.js'
import { redisUsers } from '../redis/acl.js'
import type { RedisUser } from '../redis/acl.js'

export interface RedisUsers {
  readonly users: readonly RedisUser[]
}

export const listRedisUsers = ({ env, redis_publish: publishes }: Settings): RedisUsers => ({
  users: redisUsers(env, publishes),
})
