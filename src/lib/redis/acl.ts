/**
 * A user of Redis for each role, who may do what the role does and nothing else. The lines of `ACL SETUSER` add up with
 * what the server has: a password that was set stays, so they can be given again after every change here. They are
 * of Redis 6.0; only the channels of `redis_publish` need 6.2.
 */

import { MODES, VENUES } from '../model/venue.js'
import type { Env } from '../model/venue.js'
import { redisKeys } from './keys.js'

export interface RedisUser {
  /** Who logs in by it: a role, `operator`, `halt`, or `up` for all of one `arbees up`. */
  readonly role: string
  readonly name: string
  /** What makes or updates it. It can log in only once it has a password. */
  readonly line: string
}

interface Rights {
  readonly role: string
  /** Patterns of keys. */
  readonly keys: readonly string[]
  readonly commands: readonly string[]
  /** Patterns of channels that it publishes on, where roles do. */
  readonly channels: readonly string[]
}

/** What every connection of ours says first. */
const GREETING = ['+info', '+client|setname', '+select']
const READ_STREAMS = ['+xread', '+xrange', '+xrevrange', '+hmget', '+mget']

/** `publishes`: the roles have `redis_publish` on. */
export function redisUsers(env: Env, publishes: boolean): RedisUser[] {
  const rights = rightsOf(env)
    .map((each) => (publishes ? withPublish(each) : { ...each, channels: [] }))
    .filter(({ commands }) => commands.length > 0)
  // No role of `up` deletes anything.
  const roles = rights.filter(({ role }) => role !== 'halt')
  const all: Rights = {
    role: 'up',
    keys: unique(roles.flatMap(({ keys }) => keys)),
    commands: unique(roles.flatMap(({ commands }) => commands)),
    channels: unique(roles.flatMap(({ channels }) => channels)),
  }
  return [...rights, all].map((each) => {
    const name = `arbees-${env === 'prod' ? '' : `${env}-`}${each.role}`
    return { role: each.role, name, line: lineOf(name, each) }
  })
}

function rightsOf(env: Env): Rights[] {
  const keys = redisKeys(env)
  const books = VENUES.flatMap((venue) => [keys.prices(venue), keys.orderbook(venue)])
  const read = [...books, keys.gameEvents()]
  const standing = [keys.checkpoint('*'), keys.everyHealth()]
  const history = MODES.flatMap((mode) => [keys.orders(mode), keys.trades(mode)])
  const games = keys.game('*', '*')
  const everything = [...read, keys.signals(), ...history, games, ...standing, keys.gaps()]
  return [
    {
      role: 'mirror',
      keys: everything,
      commands: [
        ...['+eval', '+evalsha', '+hmget', '+hset', '+xadd', '+get', '+set', '+pexpireat'],
        // How far consumer groups are behind; what a Redis that is past a drained journal lacks of it.
        ...['+xinfo', '+xpending', '+xrange', '+xrevrange', '+xlen'],
      ],
      channels: [],
    },
    {
      role: 'orchestrator',
      keys: [keys.marketGame('*')],
      commands: ['+set'],
      channels: [games],
    },
    {
      role: 'monitor',
      keys: [],
      commands: [],
      channels: VENUES.map((venue) => keys.priceChannel(venue, '*')),
    },
    { role: 'shard', keys: [...read, ...standing], commands: READ_STREAMS, channels: [keys.signals()] },
    {
      role: 'exec',
      keys: [...read, keys.signals(), ...standing, keys.halt()],
      commands: [...READ_STREAMS, '+get'],
      channels: [],
    },
    // For `arbees halt` and `resume`, which the operator's own user may not do: it only reads.
    {
      role: 'halt',
      keys: [keys.halt()],
      commands: ['+get', '+set', '+del', '+watch', '+multi', '+exec'],
      channels: [],
    },
    {
      role: 'operator',
      keys: [...everything, keys.marketGame('*'), keys.halt()],
      commands: ['+@read', '-@dangerous'],
      channels: [],
    },
  ]
}

const withPublish = (rights: Rights): Rights =>
  rights.channels.length === 0 ? rights : { ...rights, commands: [...rights.commands, '+publish'] }

function lineOf(name: string, { keys, commands, channels }: Rights): string {
  return [
    ...['ACL SETUSER', name, 'on', 'resetkeys', ...keys.map((key) => `~${key}`)],
    ...(channels.length === 0 ? [] : ['resetchannels', ...channels.map((channel) => `&${channel}`)]),
    ...['-@all', ...commands, ...GREETING],
  ].join(' ')
}

const unique = (texts: readonly string[]): string[] => [...new Set(texts)]
