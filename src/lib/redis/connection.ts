/**
 * A connection that neither hangs nor resends. ioredis 6.0 by default writes an unacknowledged command again after a
 * reconnect (100 of 100 XADDs twice) and queues without bound while it is away; here a command that has no answer
 * fails, and its owner asks Redis what it holds before writing again.
 */

import { Redis } from 'ioredis'
import { sleep } from '../core/backoff.js'
import { ArbeesError, EXIT } from '../core/errors.js'
import { redisError } from './errors.js'
import { parseRedisUrl } from './url.js'
import type { RedisAddress } from './url.js'

export type RedisClient = Redis

export interface RedisServer {
  /** `7.0.15`; of a Valkey its own version. */
  readonly version: string
  /** New at every start of the server. */
  readonly runId: string
  readonly pid: number
}

export interface RedisLinkOptions {
  readonly url: string
  /** Shown by `CLIENT LIST`. */
  readonly name: string
  /** A command without an answer fails after so long. */
  readonly commandTimeoutMs?: number
  /** Connected, checked, and usable; again after every reconnect. */
  readonly onUp?: (server: RedisServer) => void
  /** Was up and is not; or cannot be reached at all, once until it was up. */
  readonly onDown?: (error: ArbeesError) => void
}

const COMMAND_TIMEOUT_MS = 1_500
const RECONNECT_MS = 100
const OLDEST_MAJOR = 6

export class RedisLink {
  readonly redis: RedisClient
  /** Where it connects to, without the password. */
  readonly shownUrl: string
  private server: RedisServer | undefined
  private failure: ArbeesError | undefined
  private closed = false
  private session = 0
  private readonly waiters = new Set<() => void>()

  /** Connects in the background and keeps trying. Throws `BAD_REDIS_URL`. */
  constructor(private readonly options: RedisLinkOptions) {
    const address = parseRedisUrl(options.url)
    this.shownUrl = address.shown
    this.redis = new Redis(clientOptions(address, options))
    this.redis.on('error', (error: unknown) => this.fail(redisError(this.shownUrl, error)))
    this.redis.on('ready', () => void this.check(++this.session))
    this.redis.on('close', () => {
      this.session++
      // After a failed attempt the error before it says more.
      if (this.server !== undefined || this.failure === undefined) {
        this.fail(redisError(this.shownUrl, new Error('Connection is closed')))
      }
    })
  }

  /** The server in use; undefined while there is none. */
  get current(): RedisServer | undefined {
    return this.server
  }

  get isUp(): boolean {
    return this.server !== undefined
  }

  /**
   * Resolves once it is up. Throws `REDIS_UNREACHABLE` after `timeoutMs` (never, when not given), and at once
   * `REDIS_TOO_OLD`, `REDIS_CLUSTER` or `REDIS_AUTH`, which waiting does not mend.
   */
  async ready(timeoutMs = Infinity): Promise<RedisServer> {
    const expired = new AbortController()
    const deadline = timeoutMs === Infinity ? undefined : setTimeout(() => expired.abort(), timeoutMs)
    try {
      for (;;) {
        if (this.server !== undefined) return this.server
        if (this.failure?.exit === EXIT.CONFIG) throw this.failure
        if (expired.signal.aborted || this.closed) throw this.failure ?? timedOut(this.shownUrl)
        await this.changed(expired.signal)
      }
    } finally {
      clearTimeout(deadline)
    }
  }

  /** Cuts the connection; what is unanswered fails. */
  close(): void {
    this.closed = true
    this.server = undefined
    this.redis.disconnect()
    this.wake()
  }

  private async check(session: number): Promise<void> {
    try {
      const server = readServer(await this.redis.info(), this.shownUrl)
      if (session !== this.session || this.closed) return
      this.server = server
      this.failure = undefined
      this.options.onUp?.(server)
      this.wake()
    } catch (error) {
      if (session !== this.session || this.closed) return
      this.fail(redisError(this.shownUrl, error))
      // Not usable, perhaps for good: ask again, but not in a tight loop.
      await sleep(RECONNECT_MS * 10)
      if (session === this.session && !this.closed) this.redis.disconnect(true)
    }
  }

  private fail(error: ArbeesError): void {
    if (this.closed) return
    const tell = this.server !== undefined || this.failure === undefined
    // A cut says less than the refusal before it.
    if (this.failure?.exit !== EXIT.CONFIG || error.exit === EXIT.CONFIG) this.failure = error
    this.server = undefined
    if (tell) this.options.onDown?.(error)
    this.wake()
  }

  private wake(): void {
    for (const waiter of [...this.waiters]) waiter()
  }

  private changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.waiters.delete(done)
        signal.removeEventListener('abort', done)
        resolve()
      }
      this.waiters.add(done)
      signal.addEventListener('abort', done, { once: true })
    })
  }
}

/** Connects, or throws what `RedisLink.ready` throws within `timeoutMs`; the caller closes the link. */
export async function connectRedis(url: string, name: string, timeoutMs = 2_000): Promise<RedisLink> {
  const link = new RedisLink({ url, name })
  try {
    await link.ready(timeoutMs)
    return link
  } catch (error) {
    link.close()
    throw error
  }
}

/** Who answers at `url`, checked for what arbees needs. Throws as `connectRedis`. */
export async function checkRedis(url: string, timeoutMs = 2_000): Promise<RedisServer> {
  const link = await connectRedis(url, 'arbees-check', timeoutMs)
  try {
    return await link.ready()
  } finally {
    link.close()
  }
}

function clientOptions(address: RedisAddress, options: RedisLinkOptions) {
  const commandTimeoutMs = options.commandTimeoutMs ?? COMMAND_TIMEOUT_MS
  return {
    host: address.host,
    port: address.port,
    db: address.db,
    ...(address.username === undefined ? {} : { username: address.username }),
    ...(address.password === undefined ? {} : { password: address.password }),
    ...(address.tls ? { tls: {} } : {}),
    connectionName: options.name,
    disableClientInfo: true,
    /** Nothing waits for a server that is away, nothing is sent twice. */
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    /** Unanswered commands fail when the connection closes: without it they would wait for `commandTimeout`. */
    maxRetriesPerRequest: 0,
    commandTimeout: commandTimeoutMs,
    /** A partition shows no close: a socket that is owed an answer for so long is cut. */
    socketTimeout: commandTimeoutMs + 250,
    connectTimeout: 2_000,
    retryStrategy: () => RECONNECT_MS,
  }
}

function readServer(info: string, shownUrl: string): RedisServer {
  const fields = new Map(
    info.split('\r\n').map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon), line.slice(colon + 1)]
    }),
  )
  const version = fields.get('redis_version') ?? ''
  if (fields.get('redis_mode') === 'cluster') {
    throw new ArbeesError('REDIS_CLUSTER', `Redis at ${shownUrl} is a Cluster node`, {
      exit: EXIT.CONFIG,
      hint: 'use a standalone Redis: a checkpoint must live with its data',
    })
  }
  if (Number(version.split('.')[0]) < OLDEST_MAJOR || version === '') {
    throw new ArbeesError(
      'REDIS_TOO_OLD',
      `Redis at ${shownUrl} is ${version === '' ? 'of unknown version' : version}`,
      { exit: EXIT.CONFIG, hint: `use Redis ${OLDEST_MAJOR} or newer` },
    )
  }
  return {
    version: fields.get('valkey_version') ?? version,
    runId: fields.get('run_id') ?? '',
    pid: Number(fields.get('process_id') ?? 0),
  }
}

function timedOut(shownUrl: string): ArbeesError {
  return redisError(shownUrl, new Error('Command timed out'))
}
