import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  gapText,
  heartbeatText,
  messageText,
  parseTurn,
  stateText,
  turnText,
} from '../../../src/lib/roles/shard-turn.js'
import type { ShardHead, TurnInput } from '../../../src/lib/roles/shard-turn.js'

const whole = fc.nat({ max: 1e15 })
const source = fc.constantFrom('kalshi.prices', 'poly.orderbook', 'orchestrator.games')
const beat = fc.record({
  publisher: fc.string(),
  host: fc.string(),
  timestamp_ms: whole,
  mono_us: whole,
  closing: fc.boolean(),
  channels: fc.array(fc.record({ source, epoch: whole })),
  feeds: fc.array(fc.record({ proved_ago_us: fc.option(whole) })),
})
const clock = fc.array(whole, { maxLength: 4 })
const input: fc.Arbitrary<TurnInput> = fc.oneof(
  fc.record({ kind: fc.constant('message'), source, epoch: whole, seq: whole, recvUs: whole, clock }),
  fc.record({ kind: fc.constant('heartbeat'), beat, recvUs: whole, clock }),
  fc.record({ kind: fc.constant('gap'), source, clock }),
  fc.record({ kind: fc.constant('state'), source, isLive: fc.boolean(), clock }),
)
const head: fc.Arbitrary<ShardHead> = fc.record({
  shard: fc.nat({ max: 99 }),
  shards: fc.integer({ min: 1, max: 64 }),
  host: fc.string(),
  signals: fc.record({ source: fc.constant('shard-0.signals'), epoch: whole }),
  strategy: fc.record({
    minEdgeMicros: whole,
    delayCostMicrosPerS: whole,
    maxSizeE2: whole,
    maxEdgeMicros: whole,
    validMs: whole,
  }),
  live: fc.array(source),
})

function textOf(of: TurnInput): string {
  const open = () => {
    switch (of.kind) {
      case 'message':
        return messageText(of.source, of.epoch, of.seq, of.recvUs)
      case 'heartbeat':
        return heartbeatText(of.beat, of.recvUs)
      case 'gap':
        return gapText(of.source)
      case 'state':
        return stateText(of.source, of.isLive)
    }
  }
  return `${[open(), ...of.clock].join(',')}]`
}

describe('a turn of a shard on disk', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(fc.array(input, { minLength: 1 }), fc.option(head, { nil: undefined }), (inputs, about) => {
        const data = Buffer.from(turnText(inputs.map(textOf).join(','), about))
        expect(parseTurn(data)).toEqual({ head: about, inputs })
      }),
    )
  })

  it('leaves out what does not count of a heartbeat', () => {
    const full = { publisher: 'kalshi', host: 'h', timestamp_ms: 1, mono_us: 2, closing: false }
    const channels = [
      { source: 'kalshi.prices', epoch: 3, last_seq: 4, oldest: null, journal: 'on' as const },
    ]
    const feeds = [{ name: 'f', state: 'LIVE', proved_ago_us: 5, markets: 6, reconnects: 7 }]
    const text = heartbeatText({ ...full, channels, feeds }, 8)
    expect(JSON.parse(`${text}]`)).toEqual([
      'b',
      { ...full, channels: [{ source: 'kalshi.prices', epoch: 3 }], feeds: [{ proved_ago_us: 5 }] },
      8,
    ])
  })

  it.each([
    ['no JSON', '{"v":1,"inputs":['],
    ['no object', '[]'],
    ['another version', '{"v":2,"inputs":[]}'],
    ['no inputs', '{"v":1}'],
    ['an input that is none', '{"v":1,"inputs":[7]}'],
    ['an input of another kind', '{"v":1,"inputs":[["x","kalshi.prices"]]}'],
    ['a message without its place', '{"v":1,"inputs":[["m","kalshi.prices",1]]}'],
    ['a source that leads elsewhere', '{"v":1,"inputs":[["m","../../etc",1,2,3]]}'],
    ['a reading that is no number', '{"v":1,"inputs":[["g","kalshi.prices","7"]]}'],
    ['a state without its word', '{"v":1,"inputs":[["s","kalshi.prices",1]]}'],
    ['a heartbeat without its channels', '{"v":1,"inputs":[["b",{"publisher":"kalshi"},1]]}'],
    ['a head without what it decides with', '{"v":1,"head":{"shard":0},"inputs":[]}'],
  ])('is refused: %s', (_, text) => {
    expect(parseTurn(Buffer.from(text))).toBeUndefined()
  })
})
