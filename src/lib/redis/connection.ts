/**
 * A connection that neither hangs nor resends. ioredis 6.0 by default writes an unacknowledged command again after a
 * reconnect (100 of 100 XADDs twice) and queues without bound while it is away; here a command that has no answer
 * fails, and its owner asks Redis what it holds before writing again.
 */

import { Redis } from 'ioredis'
import { sleep } from '../core/backoff.js'
import { ArbeesError, EXIT } from '../core/errors.js'
import { placeOptions } from './client-options.js'
import type { ClientOptions } from './client-options.js'
import { redisError } from './errors.js'
import { readServerInfo } from './server-info.js'
import type { RedisServer } from './server-info.js'
import { parseRedisUrl } from './url.js'

export type RedisClient = Redis

export interface RedisLinkOptions {
  readonly url: string
  /** Shown by `CLIENT LIST`. */
  readonly name: string
  /** A command without an answer fails after so long. */
  readonly commandTimeoutMs?: number
  /** It is there to write: a replica that refuses that is as good as nobody. */
  readonly writes?: boolean
  /** Connected, checked, and usable; again after every reconnect. */
  readonly onUp?: (server: RedisServer) => void
  /** Was up and is not; or cannot be used at all, once for each reason (an error's code) until it was up. */
  readonly onDown?: (error: ArbeesError) => void
}

const COMMAND_TIMEOUT_MS = 1_500
const RECONNECT_MS = 100
/** After a refusal that waiting alone does not mend. */
const REFUSED_MS = 1_000

export class RedisLink {
  readonly redis: RedisClient
  /** Where it connects to, without the password. */
  readonly shownUrl: string
  private server: RedisServer | undefined
  private failure: ArbeesError | undefined
  /** Codes of what `onDown` has heard since it was last up. */
  private readonly told = new Set<string>()
  private closed = false
  private session = 0
  private readonly waiters = new Set<() => void>()

  /** Connects in the background and keeps trying. Throws `BAD_REDIS_URL`, `BAD_REDIS_TLS`, `OPEN_SECRET` (exit 4). */
  constructor(private readonly options: RedisLinkOptions) {
    const address = parseRedisUrl(options.url)
    this.shownUrl = address.shown
    this.redis = new Redis({ ...placeOptions(address), ...this.behavior() })
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
   * Resolves once it is up. Throws `REDIS_UNREACHABLE`, `NO_REDIS_MASTER` or `REDIS_READ_ONLY` after `timeoutMs` (never,
   * when not given), and at once what waiting does not mend: `REDIS_AUTH`, `REDIS_TLS`, `REDIS_CLUSTER`,
   * `REDIS_TOO_OLD`, `REDIS_IS_SENTINEL` (exit 4).
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

  /** Cuts the connection and comes up again: what is unanswered fails, and is not waited for. */
  reconnect(): void {
    this.redis.disconnect(true)
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
      const server = readServerInfo(await this.redis.info(), this.shownUrl)
      if (session !== this.session || this.closed) return
      if (server.isReadOnly && this.options.writes === true) throw readOnly(this.shownUrl)
      this.server = server
      this.failure = undefined
      this.told.clear()
      this.options.onUp?.(server)
      this.wake()
    } catch (error) {
      if (session !== this.session || this.closed) return
      this.fail(redisError(this.shownUrl, error))
      // Not usable, perhaps for good: ask again, but not in a tight loop.
      await sleep(REFUSED_MS)
      if (session === this.session && !this.closed) this.redis.disconnect(true)
    }
  }

  private fail(error: ArbeesError): void {
    if (this.closed) return
    const tell = !this.told.has(error.code)
    this.told.add(error.code)
    // A cut says less than the refusal before it.
    if (this.failure?.exit !== EXIT.CONFIG || error.exit === EXIT.CONFIG) this.failure = error
    this.server = undefined
    if (tell) this.options.onDown?.(error)
    this.wake()
  }

  private behavior(): ClientOptions {
    const commandTimeoutMs = this.options.commandTimeoutMs ?? COMMAND_TIMEOUT_MS
    return {
      connectionName: this.options.name,
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
      /** By default a connection that failed keeps the process for 2 s after it was given up. */
      disconnectTimeout: 100,
      retryStrategy: () => (this.failure?.exit === EXIT.CONFIG ? REFUSED_MS : RECONNECT_MS),
      /** Ask again whether it has loaded its data; by default up to 10 s later. */
      maxLoadingRetryTime: RECONNECT_MS,
      /** The master has become a replica: its name, or the Sentinels, lead elsewhere by now. The command is not repeated. */
      reconnectOnError: (error) => error.message.startsWith('READONLY'),
    }
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

const readOnly = (shownUrl: string): ArbeesError =>
  new ArbeesError('REDIS_READ_ONLY', `Redis at ${shownUrl} is a replica that refuses writes`, {
    exit: EXIT.UNREACHABLE,
    hint: 'name its master in redis_url, or the Sentinels that know it: redis+sentinel://host,host/name',
  })

function timedOut(shownUrl: string): ArbeesError {
  return redisError(shownUrl, new Error('Command timed out'))
}
