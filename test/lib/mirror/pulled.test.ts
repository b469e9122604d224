import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JournalRecord } from '../../../src/lib/bus/journal/record.js'
import { encode } from '../../../src/lib/messages/codec.js'
import { mirrorReply } from '../../../src/lib/mirror/pulled.js'
import { redisKeys } from '../../../src/lib/redis/keys.js'
import * as samples from '../messages/samples.js'

const EPOCH = 1_769_500_000_123
const channelOf = (source: string) => ({ env: 'sim', source, keys: redisKeys('sim') }) as const

function record(
  part: Partial<JournalRecord> & { source?: string; env?: 'sim' | 'prod' } = {},
): JournalRecord {
  const { source = 'kalshi.prices', env = 'sim', ...rest } = part
  const at = { epoch: EPOCH, seq: 7, timestampMs: 1_000 }
  const data = Buffer.from(encode({ env, source, host: 'h', stamps: {}, ...at }, samples.prices))
  return { ...at, topic: 'prices.kalshi.T', data, ...rest }
}
const pulled = (value: JournalRecord | null, source = 'kalshi.prices') =>
  mirrorReply(
    {
      ...{ epoch: EPOCH, from: 7, known: true, hole: null, last: 7, end: null, next: null },
      records: [{ seq: 7, value }],
    },
    channelOf(source),
  ).records[0]!.value

describe('a record of the journal', () => {
  it('is written as the message that was sent', () => {
    const { data } = record()
    expect(pulled(record())).toEqual({ stream: 'sim:prices:kalshi', topic: 'prices.kalshi.T', data })
  })

  it.each<[string, JournalRecord | null]>([
    ['cannot be read', null],
    ['holds no JSON', record({ data: Buffer.from('{') })],
    ['is of another source', record({ source: 'poly.prices' })],
    ['is of another env', record({ env: 'prod' })],
    ['is of another epoch', record({ epoch: EPOCH + 1 })],
    ['is another message', record({ seq: 8 })],
    ['is on the topic of another source', record({ topic: 'prices.poly.T' })],
    ['is on no topic', record({ topic: 'prices' })],
    ['is of the first design', record({ data: Buffer.from('{"ticker":"T","yes_bid":0.4,"yes_ask":0.5}') })],
  ])('that %s is one that nobody can read', (_, value) => {
    expect(pulled(value)).toBeNull()
  })

  it('never makes it throw, whatever topic a game was published on', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (id) => {
        const source = 'orchestrator.games'
        const at = { source, epoch: EPOCH, seq: 7, timestampMs: 1_000 }
        const text = encode({ env: 'sim', host: 'h', stamps: {}, ...at }, samples.games)
        const value = record({ topic: `games.nba.${id}`, data: Buffer.from(text) })
        expect(() => pulled(value, source)).not.toThrow()
      }),
    )
  })
})
