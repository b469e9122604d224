import { toJsonSchema } from '@valibot/to-json-schema'
import fc from 'fast-check'
import { safeParse } from 'valibot'
import { describe, expect, it } from 'vitest'
import { wrongHeaderField, wrongPayloadField } from '../../../src/lib/messages/checks.js'
import type { JsonObject } from '../../../src/lib/messages/checks.js'
import {
  MAX_MESSAGE_BYTES,
  decode,
  encode,
  legacyPriceFields,
  traceOf,
} from '../../../src/lib/messages/codec.js'
import {
  gameStateOf,
  gamesPayload,
  pricesPayload,
  quoteOf,
  signalOf,
  signalsPayload,
} from '../../../src/lib/messages/convert.js'
import { readLegacyPrice } from '../../../src/lib/messages/legacy.js'
import {
  PAYLOAD_SCHEMAS,
  SCHEMA_NAMES,
  envelopeSchema,
  jsonSchemaOf,
} from '../../../src/lib/messages/schemas.js'
import type { SchemaName } from '../../../src/lib/messages/schemas.js'
import type { Family } from '../../../src/lib/messages/topics.js'
import * as samples from './samples.js'

const ENVELOPE = {
  env: 'sim',
  source: 'kalshi.prices',
  epoch: 1_769_500_000_123,
  seq: 1234,
  prev: 1229,
  timestampMs: 1_769_500_012_345,
  host: 'host "a"/boot',
  stamps: { venue_ms: 5, recv: 6, pub: 7 },
} as const

const TOPIC = 'prices.kalshi.KXNBAGAME-26NOV22GSWUTA-UTA'
const bytesOf = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))

/** A good envelope as an object, with changes. */
function envelope(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return { ...(JSON.parse(encode(ENVELOPE, samples.prices)) as object), ...changes }
}

describe('codec', () => {
  it('decodes what it encodes', () => {
    const decoded = decode(TOPIC, bytesOf(encode(ENVELOPE, samples.prices)), 'sim')
    expect(decoded).toMatchObject({
      kind: 'message',
      message: {
        family: 'prices',
        topic: { scope: 'kalshi' },
        header: {
          v: 1,
          seq: 1234,
          prev: 1229,
          trace: 'kalshi.prices/1769500000123/1234',
          host: 'host "a"/boot',
        },
        payload: samples.prices,
      },
    })
    expect(traceOf(ENVELOPE)).toBe('kalshi.prices/1769500000123/1234')
  })

  it('repeats the first design fields at top level only when both sides are quoted', () => {
    const whole = encode(ENVELOPE, samples.prices, legacyPriceFields('T"1', 0.47, 0.52))
    expect(JSON.parse(whole)).toMatchObject({
      ticker: 'T"1',
      yes_bid: 0.47,
      yes_ask: 0.52,
      timestamp_ms: 1_769_500_012_345,
    })
    expect(legacyPriceFields('T', null, 0.52)).toBe('')
    expect(legacyPriceFields('T', 0.47, null)).toBe('')
  })

  it.each([
    ['bytes that are not JSON', '{"v":1', 'not_json'],
    ['NaN', '{"v":NaN}', 'not_json'],
    ['an array', '[1]', 'not_an_object'],
    ['null', 'null', 'not_an_object'],
    [
      'a huge number as a price',
      JSON.stringify(envelope()).replace('"yes_bid":0.47', '"yes_bid":1e400'),
      'bad_payload',
    ],
    ['a price over 1', envelope({ payload: { ...samples.prices, yes_ask: 1.01 } }), 'bad_payload'],
    ['a negative size', envelope({ payload: { ...samples.prices, yes_bid_size: -1 } }), 'bad_payload'],
    ['a price as a string', envelope({ payload: { ...samples.prices, yes_bid: '0.47' } }), 'bad_payload'],
    ['a payload that is no object', envelope({ payload: 'x' }), 'bad_payload'],
    ['seq 0', envelope({ seq: 0 }), 'bad_header'],
    ['a fractional seq', envelope({ seq: 1.5 }), 'bad_header'],
    [
      'a seq beyond 2^53',
      JSON.stringify(envelope()).replace('"seq":1234', '"seq":9007199254740993'),
      'bad_header',
    ],
    ['a hostile source', envelope({ source: 'kalshi.prices\u001b[2J' }), 'bad_header'],
    ['another version', envelope({ v: 2 }), 'bad_header'],
    ['another env', envelope({ env: 'prod' }), 'wrong_env'],
    ['a message over the limit', envelope({ pad: 'x'.repeat(MAX_MESSAGE_BYTES) }), 'oversize'],
  ])('refuses %s', (_, value, reason) => {
    expect(decode(TOPIC, bytesOf(value), 'sim')).toMatchObject({ kind: 'refused', refusal: { reason } })
  })

  it('refuses a topic that is none', () => {
    expect(decode('prices', bytesOf(envelope()), 'sim')).toMatchObject({ refusal: { reason: 'bad_topic' } })
  })

  it('lets unknown fields pass and is not polluted by __proto__', () => {
    const text = JSON.stringify(envelope({ later: 1 })).replace(
      '"later":1',
      '"later":1,"__proto__":{"polluted":true}',
    )
    expect(decode(TOPIC, bytesOf(text), 'sim')).toMatchObject({ kind: 'message' })
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  it('never throws, whatever the bytes', () => {
    const good = encode(ENVELOPE, samples.prices)
    const mutation = fc.tuple(fc.nat(good.length - 1), fc.nat(255))
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 8 }), (mutations) => {
        const bytes = Buffer.from(good)
        for (const [at, value] of mutations) bytes[at] = value
        expect(['message', 'legacy', 'refused']).toContain(decode(TOPIC, bytes, 'sim').kind)
      }),
      { numRuns: 500 },
    )
  })

  it.each([
    ['the bare body', { ticker: 'T', yes_ask: 0.5, yes_bid: 0.4, timestamp_ms: 1 }],
    [
      'the first envelope',
      { seq: 1, timestamp_ms: 1, payload: { ticker: 'T', yes_ask: 0.5, yes_bid: 0.4, timestamp_ms: 1 } },
    ],
  ])('knows %s of the first design', (_, body) => {
    const decoded = decode(TOPIC, bytesOf(body), 'sim')
    if (decoded.kind !== 'legacy') throw new Error(decoded.kind)
    expect(readLegacyPrice(decoded.legacy.body)).toEqual({
      ticker: 'T',
      yesBid: 0.4,
      yesAsk: 0.5,
      timestampMs: 1,
    })
  })

  it.each([
    [{}, 'ticker'],
    [{ ticker: 'T', yes_bid: 2 }, 'yes_bid'],
    [{ ticker: 'T', yes_bid: 0.1, yes_ask: '0.2' }, 'yes_ask'],
    [{ ticker: 'T', yes_bid: 0.1, yes_ask: 0.2, timestamp_ms: -1 }, 'timestamp_ms'],
  ])('refuses the first-design body %j', (body, detail) => {
    expect(readLegacyPrice(body)).toEqual({ reason: 'bad_legacy', detail })
  })
})

describe('conversion', () => {
  it('keeps every value of a quote, a game and a signal', () => {
    expect(pricesPayload(quoteOf(samples.prices)!)).toEqual(samples.prices)
    expect(gamesPayload(gameStateOf(samples.games)!)).toEqual(samples.games)
    expect(signalsPayload(signalOf(samples.signals)!)).toEqual(samples.signals)
  })

  it('refuses decimals that are finer than our integers', () => {
    expect(quoteOf({ ...samples.prices, yes_bid: 0.47005 })).toBeUndefined()
    expect(quoteOf({ ...samples.prices, yes_ask_size: 1.005 })).toBeUndefined()
    expect(signalOf({ ...samples.signals, size: 0.001 })).toBeUndefined()
  })
})

/** Values that are right somewhere and wrong somewhere else. */
const spoiler = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    undefined,
    true,
    '',
    'x',
    'LIVE',
    'yes',
    -1,
    0,
    1,
    0.5,
    1.5,
    2 ** 60,
    NaN,
    Infinity,
    [],
    {},
  ),
  fc.constantFrom<unknown>([[0.5, 1]], [[2, 1]], [[0.5]], ['1', '2'], ['1', ''], [1], { code: 'A' }, [{}]),
)

/** Paths of every field in a JSON value, arrays included. */
function pathsOf(
  value: unknown,
  prefix: readonly (string | number)[] = [],
): (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [prefix]
  const children = Array.isArray(value) ? value.map((child, i) => [i, child] as const) : Object.entries(value)
  return [prefix, ...children.flatMap(([key, child]) => pathsOf(child, [...prefix, key]))].filter(
    (path) => path.length > 0,
  )
}

/** A copy with one field replaced, or removed when the replacement is undefined. */
function spoil(value: unknown, path: readonly (string | number)[], replacement: unknown): unknown {
  const copy: unknown = structuredClone(value)
  let parent = copy as Record<string | number, unknown>
  for (const key of path.slice(0, -1)) parent = parent[key] as Record<string | number, unknown>
  const last = path.at(-1)!
  if (replacement === undefined && !Array.isArray(parent)) delete parent[last]
  else parent[last] = replacement
  return copy
}

describe('hand-written checks', () => {
  const cases: readonly (readonly [SchemaName, Family, object])[] = [
    ['prices', 'prices', samples.prices],
    ['orderbook', 'orderbook', samples.orderbook],
    ['games', 'games', samples.games],
    ['game-notice', 'games', { league: 'nba', game_id: '1' }],
    ['signals', 'signals', samples.signals],
    ['orders', 'orders', samples.orders],
    ['trades', 'trades', samples.trades],
  ]

  it('cover every schema', () => {
    expect(cases.map(([name]) => name).sort()).toEqual([...SCHEMA_NAMES].sort())
  })

  it.each(cases)('accept exactly what the schema %s accepts', (name, family, sample) => {
    const accepts = (payload: JsonObject) =>
      wrongPayloadField(family, payload, name === 'game-notice') === undefined
    expect(accepts(sample as JsonObject)).toBe(true)
    let refused = 0
    fc.assert(
      fc.property(fc.constantFrom(...pathsOf(sample)), spoiler, (path, replacement) => {
        const payload = spoil(sample, path, replacement) as JsonObject
        const bySchema = safeParse(PAYLOAD_SCHEMAS[name], payload).success
        expect(accepts(payload)).toBe(bySchema)
        if (!bySchema) refused++
      }),
      { numRuns: 400 },
    )
    expect(refused).toBeGreaterThan(50)
  })

  it('accept exactly the headers that the schema accepts', () => {
    const good = envelope()
    const paths = pathsOf(good).filter(([first]) => first !== 'payload')
    fc.assert(
      fc.property(fc.constantFrom(...paths), spoiler, (path, replacement) => {
        const value = spoil(good, path, replacement) as JsonObject
        expect(wrongHeaderField(value) === undefined).toBe(safeParse(envelopeSchema('prices'), value).success)
      }),
      { numRuns: 400 },
    )
  })
})

describe('JSON Schema', () => {
  it.each(SCHEMA_NAMES)('of %s names every field of the envelope', (name) => {
    const schema = jsonSchemaOf(name) as { properties: Record<string, unknown>; required: string[] }
    expect(Object.keys(schema.properties)).toEqual(
      expect.arrayContaining(['v', 'source', 'epoch', 'seq', 'stamps', 'payload']),
    )
    expect(schema.properties['payload']).toEqual(
      expect.objectContaining({
        required: toJsonSchema(PAYLOAD_SCHEMAS[name], { errorMode: 'ignore' }).required,
      }),
    )
  })

  it('refuses a name it does not know as a usage error', () => {
    expect(() => jsonSchemaOf('quotes')).toThrowError(
      expect.objectContaining({ code: 'UNKNOWN_SCHEMA', exit: 2 }),
    )
  })
})
