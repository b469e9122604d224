import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { systemClock } from '../../../../src/lib/core/clock.js'
import { KalshiRest, type KalshiRestOptions } from '../../../../src/lib/venues/kalshi/rest.js'
import { parseErrorBody, restError } from '../../../../src/lib/venues/kalshi/rest-result.js'
import { HttpVenue } from './http-venue.js'
import { ed25519Credentials } from './keys.js'
import { until } from './until.js'

const credentials = ed25519Credentials()
let venue: HttpVenue
let rests: KalshiRest[] = []
beforeEach(async () => {
  venue = await HttpVenue.start(credentials.privateKey)
})
afterEach(async () => {
  for (const rest of rests) await rest.close()
  rests = []
  await venue.close()
})

function connect(more: Partial<KalshiRestOptions> = {}): KalshiRest {
  const rest = new KalshiRest({
    baseUrl: venue.baseUrl,
    credentials,
    clock: systemClock,
    timeoutMs: 4000,
    ...more,
  })
  rests.push(rest)
  return rest
}

describe('Kalshi error bodies', () => {
  it.each([
    [
      'usual',
      409,
      '{"error":{"code":"order_already_exists","message":"order already exists","service":"exchange"}}',
      'order_already_exists',
      'order already exists',
      true,
    ],
    [
      'usual, with details',
      400,
      '{"error":{"code":"invalid_order","message":"invalid order","details":"post only cross"}}',
      'invalid_order',
      'invalid order: post only cross',
      true,
    ],
    [
      'code alone',
      409,
      '{"error":{"code":"trading_is_paused"}}',
      'trading_is_paused',
      'trading_is_paused',
      true,
    ],
    [
      'flat',
      400,
      '{"code":"bad_request","message":"bad request","details":"json: cannot"}',
      'bad_request',
      'bad request: json: cannot',
      true,
    ],
    [
      'bare msg',
      400,
      '{"msg":"Parameter validation failed for GetMarkets"}',
      'http_400',
      'Parameter validation failed for GetMarkets',
      true,
    ],
    ['bare text', 429, '{"error":"too many requests"}', 'http_429', 'too many requests', true],
    [
      'HTML of a CDN',
      502,
      '<html>\n<h1>Bad Gateway</h1></html>',
      'http_502',
      '<html>\\u000a<h1>Bad Gateway</h1></html>',
      false,
    ],
    ['nothing', 500, '', 'http_500', '', false],
    ['some JSON', 400, '{"oops":1}', 'http_400', '{"oops":1}', false],
    ['a list', 400, '[]', 'http_400', '[]', false],
    ['a code that is none', 400, '{"error":{"code":"\\u001b[2J"}}', 'http_400', '\\u001b[2J', false],
    ['a code of the wrong type', 400, '{"error":{"code":7,"message":"m"}}', 'http_400', 'm', false],
  ])('%s', (_, status, text, code, message, isVenues) => {
    expect(parseErrorBody(status, text)).toEqual({ code, message, isVenues })
  })

  it('a long body is cut', () => {
    expect(parseErrorBody(500, 'x'.repeat(100_000)).message.length).toBeLessThanOrEqual(200)
  })

  it('a read that failed names what, and the exit code says why', () => {
    const error = { code: 'authentication_error', message: 'no', isVenues: true }
    expect(restError('GET /x', { kind: 'refused', status: 401, error })).toMatchObject({ exit: 4 })
    expect(restError('GET /x', { kind: 'refused', status: 500, error })).toMatchObject({ exit: 6 })
    const failed = { kind: 'failed', reason: 'timeout', detail: 'd', handedOver: true } as const
    expect(restError('GET /x', failed)).toMatchObject({ exit: 6, message: 'GET /x: timeout (d)' })
  })
})

describe('Kalshi REST', () => {
  it('signs the path with its prefix and without its query, at the time of sending', async () => {
    venue.answer = () => ({ status: 200, body: { ok: true } })
    const rest = connect()
    const result = await rest.get('/portfolio/orders', { query: { ticker: 'A B&c', limit: '5' } })
    expect(result).toEqual({ kind: 'ok', status: 200, body: { ok: true } })
    // The connection is free again a turn after the answer was read.
    await new Promise((resolve) => setTimeout(resolve, 1))
    expect(await rest.post('/portfolio/events/orders', '{"a":1}')).toMatchObject({ kind: 'ok' })
    expect(venue.requests).toMatchObject([
      { method: 'GET', path: '/portfolio/orders', signature: 'ok', body: '' },
      { method: 'POST', path: '/portfolio/events/orders', signature: 'ok', body: '{"a":1}' },
    ])
    expect(venue.requests[0]!.query.get('ticker')).toBe('A B&c')
    expect(venue.sockets.size).toBe(1)
  })

  it('reads market data without credentials', async () => {
    venue.answer = () => ({ status: 200, body: {} })
    const rest = new KalshiRest({ baseUrl: `${venue.baseUrl}/` })
    rests.push(rest)
    expect(await rest.get('/markets')).toMatchObject({ kind: 'ok' })
    expect(venue.requests[0]).toMatchObject({ path: '/markets', signature: 'missing' })
  })

  it.each(['not json', '[]', 'null', '', '<html>ok</html>'])(
    'a 200 with the body %j cannot be read',
    async (body) => {
      venue.answer = () => ({ status: 200, body })
      expect(await connect().get('/x')).toMatchObject({
        kind: 'failed',
        reason: 'unreadable',
        handedOver: true,
      })
    },
  )

  it("an error status is the venue's refusal", async () => {
    venue.answer = () => ({ status: 404, body: { error: { code: 'not_found', message: 'not found' } } })
    const result = await connect().get('/x')
    expect(result).toEqual({
      kind: 'refused',
      status: 404,
      error: { code: 'not_found', message: 'not found', isVenues: true },
    })
  })

  it('a cut connection, a hanging one and one that is not there are told apart', async () => {
    venue.answer = () => 'cut'
    expect(await connect().post('/x', '{}')).toMatchObject({ reason: 'cut', handedOver: true })
    venue.answer = () => 'hang'
    expect(await connect({ timeoutMs: 100 }).post('/x', '{}')).toMatchObject({
      reason: 'timeout',
      handedOver: true,
    })
    const closed = connect({ baseUrl: `http://127.0.0.1:${await freePort()}/trade-api/v2` })
    expect(await closed.post('/x', '{}')).toMatchObject({ reason: 'unreachable', handedOver: false })
  })

  it('a request given up while it waits for a connection is never sent', async () => {
    venue.answer = ({ path }) => (path === '/slow' ? 'hang' : { status: 200, body: {} })
    const rest = connect({ connections: 1, timeoutMs: 400 })
    const slow = rest.get('/slow')
    await until('busy', () => venue.requests.length === 1)
    const waiting = rest.post('/x', '{}', {
      signal: AbortSignal.timeout(50),
      onBytes: () => expect.unreachable('no byte may leave'),
    })
    expect(await waiting).toMatchObject({ reason: 'aborted', handedOver: false })
    expect(await slow).toMatchObject({ reason: 'timeout', handedOver: true })
    expect(await rest.get('/after')).toMatchObject({ kind: 'ok' })
    expect(venue.requests.map(({ path }) => path)).toEqual(['/slow', '/after'])
  })

  it("the caller's signal ends a call, before and during", async () => {
    venue.answer = () => 'hang'
    const rest = connect()
    expect(await rest.get('/x', { signal: AbortSignal.abort() })).toMatchObject({
      reason: 'aborted',
      handedOver: false,
    })
    const controller = new AbortController()
    const result = rest.get('/y', { signal: controller.signal })
    await until('asked', () => venue.of('/y').length === 1)
    controller.abort()
    expect(await result).toMatchObject({ reason: 'aborted', handedOver: true })
    expect(venue.of('/x')).toEqual([])
  })

  it('onBytes is told after the bytes are with the socket and before the answer', async () => {
    venue.answer = () => ({ status: 200, body: {} })
    const order: string[] = []
    await connect().post('/x', '{}', { onBytes: () => order.push(`bytes ${venue.requests.length}`) })
    expect(order).toEqual(['bytes 0'])
  })

  it('close ends what is under way', async () => {
    venue.answer = () => 'hang'
    const rest = connect()
    const result = rest.get('/x')
    await until('asked', () => venue.requests.length === 1)
    await rest.close()
    expect(await result).toMatchObject({ kind: 'failed' })
    expect(await rest.get('/x')).toMatchObject({ kind: 'failed', handedOver: false })
  })

  it.each(['', 'ftp://host/trade-api/v2', 'http://user:pw@host/', 'https://host/x?y=1', 'not a url'])(
    'refuses base URL %j',
    (baseUrl) => {
      expect(() => new KalshiRest({ baseUrl })).toThrowError(/base URL/)
    },
  )
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
