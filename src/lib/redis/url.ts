/**
 * Where Redis is and how to get in, as one text, so that whoever knows the place can enter it:
 *
 *     redis://[user[:password]@]host[:port][/db]
 *     redis+sentinel://[user[:password]@]host[:port][,host[:port]…]/name[/db][?sentinel_auth=same]
 *
 * `sentinel_auth=same`: the Sentinels ask for the same user and password. Written `rediss`, every connection speaks
 * TLS, and `?cacert=FILE&cert=FILE&key=FILE` name PEM files as redis-cli's options do; without `cacert` the server's
 * certificate must be of a public authority.
 */

import { ArbeesError, EXIT } from '../core/errors.js'

export interface RedisHost {
  readonly host: string
  readonly port: number
}

/** Paths of PEM files. */
export interface TlsFiles {
  readonly ca?: string
  /** Both or none. */
  readonly cert?: string
  readonly key?: string
}

interface RedisLogin {
  readonly username?: string
  readonly password?: string
  readonly db: number
  /** Undefined: plain. */
  readonly tls?: TlsFiles
  /** The same place without user, password and files: what may be shown. */
  readonly shown: string
}

export type RedisAddress = RedisLogin &
  (
    | ({ readonly kind: 'server' } & RedisHost)
    | {
        readonly kind: 'sentinels'
        readonly sentinels: readonly RedisHost[]
        /** Of the master that they watch. */
        readonly name: string
        /** They ask for user and password, too. */
        readonly sameLogin: boolean
      }
  )

const SHAPE =
  /^(?<scheme>rediss?(?<sentinel>\+sentinel)?):\/\/(?:(?<login>[^@/?#]*)@)?(?<hosts>[^@/?#]+)(?<path>\/[^?#]*)?(?:\?(?<query>[^#]*))?$/
const HOST = /^(?<host>[^:[\]\s]+|\[[0-9a-f:.]+\])(?::(?<port>\d{1,5}))?$/i
const DB = /^\d{1,4}$/

/** Throws `BAD_REDIS_URL` (exit 4), whose text repeats nothing of the URL. */
export function parseRedisUrl(url: string): RedisAddress {
  const parts = SHAPE.exec(url)?.groups
  if (parts === undefined) throw badUrl('is not redis://[user:password@]host[:port][/db]')
  const { scheme = '', login = '', hosts = '', path = '', query = '' } = parts
  const isSentinel = parts['sentinel'] !== undefined
  const places = hosts.split(',').map((text) => hostOf(text, isSentinel ? 26_379 : 6_379))
  const segments = path
    .split('/')
    .slice(1)
    .filter((segment) => segment !== '')
  const name = isSentinel ? segments.shift() : undefined
  const [db = '0', ...rest] = segments
  if (!DB.test(db) || rest.length > 0) throw badUrl('has something else than a database number in its path')
  const parameters = readParameters(query, scheme.startsWith('rediss'), isSentinel)
  const colon = login.indexOf(':')
  const [username, password] = colon < 0 ? [login, ''] : [login.slice(0, colon), login.slice(colon + 1)]
  const shownPath = [name, db === '0' ? undefined : db].filter((part) => part !== undefined)
  const common: RedisLogin = {
    ...(username === '' ? {} : { username: decode(username) }),
    ...(password === '' ? {} : { password: decode(password) }),
    db: Number(db),
    ...(parameters.tls === undefined ? {} : { tls: parameters.tls }),
    shown: [`${scheme}://${places.map(showHost).join(',')}`, ...shownPath].join('/'),
  }
  const [first, ...others] = places
  if (!isSentinel) {
    if (first === undefined || others.length > 0)
      throw badUrl('has several hosts, which is for redis+sentinel://')
    return { ...common, kind: 'server', ...first }
  }
  if (name === undefined)
    throw badUrl('has Sentinels and not the name of their master: redis+sentinel://host/name')
  return {
    ...common,
    kind: 'sentinels',
    sentinels: places,
    name: decode(name),
    sameLogin: parameters.sameLogin,
  }
}

/** What would be ignored is refused: a CA file beside a plain connection is a mistake that must not pass. */
function readParameters(
  query: string,
  isTls: boolean,
  isSentinel: boolean,
): { readonly tls: TlsFiles | undefined; readonly sameLogin: boolean } {
  const files: { ca?: string; cert?: string; key?: string } = {}
  let sameLogin = false
  for (const parameter of query.split('&').filter((text) => text !== '')) {
    const equals = parameter.indexOf('=')
    const name = equals < 0 ? parameter : parameter.slice(0, equals)
    const value = equals < 0 ? '' : decode(parameter.slice(equals + 1))
    if (isSentinel && name === 'sentinel_auth' && value === 'same') sameLogin = true
    else if (isTls && value !== '' && name === 'cacert') files.ca = value
    else if (isTls && value !== '' && (name === 'cert' || name === 'key')) files[name] = value
    else throw badUrl('has a parameter behind ? that does not belong there')
  }
  if ((files.cert === undefined) !== (files.key === undefined))
    throw badUrl('has one of cert and key: both or none')
  return { tls: isTls ? files : undefined, sameLogin }
}

function hostOf(text: string, defaultPort: number): RedisHost {
  const { host, port } = HOST.exec(text)?.groups ?? {}
  const number = port === undefined ? defaultPort : Number(port)
  if (host === undefined || number < 1 || number > 65_535)
    throw badUrl('has no host[:port] where one belongs')
  return { host: host.replace(/^\[|\]$/g, ''), port: number }
}

const showHost = ({ host, port }: RedisHost): string => `${host.includes(':') ? `[${host}]` : host}:${port}`

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const badUrl = (what: string): ArbeesError =>
  new ArbeesError('BAD_REDIS_URL', `redis_url ${what}`, {
    exit: EXIT.CONFIG,
    hint: 'redis://[user:password@]host[:port][/db]; rediss:// for TLS, redis+sentinel://host,host/name for Sentinel; reserved characters of a password are written as %XX',
  })
