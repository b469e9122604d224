import { describe, expect, it } from 'vitest'
import { createJsonFormat, createPrettyFormat } from '../../../src/lib/operator/tap-format.js'
import { textWidth } from '../../../src/lib/view/text-width.js'

const ITEM = {
  topic: 'prices.kalshi.KXNBAGAME-26JAN15MIABOS-MIA',
  source: 'kalshi.prices',
  epoch: 1769500000000,
  seq: 42,
  timestampMs: Date.UTC(2026, 0, 15, 20, 14, 7, 123),
  ageUs: 310,
  text: '{"v":1,"seq":42,"payload":{"venue":"kalshi","market_id":"KXNBAGAME-26JAN15MIABOS-MIA","selection":"MIA","state":"LIVE","yes_bid":0.410,"yes_ask":null,"yes_bid_size":12,"yes_ask_size":null,"book_seq":7}}',
}
const GAP = { source: 'kalshi.prices', epoch: 5, from: 43, to: 57, reason: 'missed' } as const
const PROBLEM = {
  kind: 'parse_error',
  reason: 'not_json',
  detail: 'prices.\u001b[2J',
  endpoint: { publisher: 'kalshi', url: 'tcp://127.0.0.1:1', sources: [] },
} as const

describe('JSON lines', () => {
  const format = createJsonFormat({ forTerminal: false })

  it('carry identity, times and the payload byte for byte', () => {
    expect(format.item(ITEM)).toBe(
      `{"topic":"${ITEM.topic}","source":"kalshi.prices","epoch":1769500000000,"seq":42,"timestamp_ms":${ITEM.timestampMs},"age_us":310,"payload":${ITEM.text.slice(ITEM.text.indexOf('{"venue"'), -1)}}`,
    )
  })

  it('say null where a first-design sender says nothing, and carry its bare body', () => {
    const text = '{"ticker":"KX","yes_ask":0.5,"yes_bid":0.4}'
    const line = format.item({ topic: 'prices.kalshi.KX', source: 'legacy.a', text })
    expect(JSON.parse(line)).toEqual({
      topic: 'prices.kalshi.KX',
      source: 'legacy.a',
      epoch: null,
      seq: null,
      timestamp_ms: null,
      age_us: null,
      payload: JSON.parse(text),
    })
  })

  it('stay one line and one object, whatever space the sender used', () => {
    const line = format.item({ ...ITEM, text: '{\n\t"payload": {\r\n "a": "x\\ny"\n}\n}' })
    expect(line).not.toMatch(/[\r\n]/)
    expect(JSON.parse(line).payload).toEqual({ a: 'x\ny' })
  })

  it('carry the fields that were asked for alone', () => {
    const fields = ['yes_bid', 'seq', 'topic', 'nothing', 'age_us']
    expect(createJsonFormat({ forTerminal: false, fields }).item(ITEM)).toBe(
      `{"yes_bid":0.41,"seq":42,"topic":"${ITEM.topic}","nothing":null,"age_us":310}`,
    )
  })

  it('say where lines are left out', () => {
    expect(JSON.parse(format.drop(1_234))).toEqual({ dropped: { lines: 1_234 } })
  })

  it('mark gaps', () => {
    expect(JSON.parse(format.gap(GAP))).toEqual({ gap: GAP })
  })

  it('reach a terminal without control characters, and mean the same', () => {
    const text = '{"payload":{"name":"\u009b31m\u202eevil"}}'
    const line = createJsonFormat({ forTerminal: true }).item({ ...ITEM, text })
    expect(line).not.toMatch(/[\u009b\u202e]/)
    expect(JSON.parse(line).payload.name).toBe('\u009b31m\u202eevil')
  })
})

describe('pretty lines', () => {
  const pretty = (width = Infinity, color = false) => createPrettyFormat({ color, width: () => width })

  it('show time, topic, sequence, age and the quote first', () => {
    expect(pretty().item(ITEM)).toBe(
      '20:14:07.123 prices.kalshi.KXNBAGAME-26JAN15MIABOS-MIA #42 310us {LIVE 0.41/- 12x- selection: MIA, book_seq: 7}',
    )
  })

  it('show the fields that were asked for alone', () => {
    const fields = ['yes_bid', 'topic', 'nothing']
    const line = createPrettyFormat({ color: false, width: () => Infinity, fields }).item(ITEM)
    expect(line).toBe(`20:14:07.123 {yes_bid: 0.41, topic: ${ITEM.topic}, nothing: null}`)
  })

  it('say where lines are left out', () => {
    expect(pretty().drop(1_234)).toBe('--- 1,234 lines left out: the output was not read')
  })

  it('show the quote on 80 columns too', () => {
    const line = pretty(80).item({ ...ITEM, seq: 123456 })
    expect(textWidth(line)).toBeLessThanOrEqual(80)
    expect(line).toContain('LIVE 0.41/-')
    expect(line).toContain('BOS-MIA')
  })

  it('say that nothing guards a first-design sender', () => {
    const text = '{"ticker":"KX","yes_ask":0.5,"yes_bid":0.4,"timestamp_ms":1}'
    const line = pretty().item({ topic: 'prices.kalshi.KX', source: 'legacy.a', timestampMs: 1, text })
    expect(line).toBe('00:00:00.001 prices.kalshi.KX #- unguarded {0.4/0.5 ticker: KX, timestamp_ms: 1}')
  })

  it.each([NaN, 1e300, -1e300, undefined])('survive a time of %s', (timestampMs) => {
    expect(pretty().item({ ...ITEM, timestampMs })).toContain('--:--:--.--- prices.')
  })

  it('mark gaps with what is missing', () => {
    expect(pretty().gap(GAP)).toBe('--- gap: kalshi.prices epoch 5 #43..#57, 15 missing (missed)')
    expect(pretty().gap({ ...GAP, to: null, reason: 'epoch_end_unknown' })).toContain(
      'from 43 on, an unknown number',
    )
    expect(pretty().gap({ ...GAP, to: 43, topic: 'prices.kalshi.KX' })).toContain(
      '#43, 1 missing within prices.kalshi.KX',
    )
  })

  it('never pass escape codes on', () => {
    const text = '{"payload":{"\\u001b[2Jname":"\\u001b]0;title\\u0007","deep":["\\u009b"]}}'
    const line = pretty(Infinity, true).item({ ...ITEM, topic: 'games.nba.1', text })
    expect(line.replace(/\u001b\[\d+m/g, '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/)
    expect(pretty().problem(PROBLEM, true)).toBe(
      'parse_error not_json: prices.\\u001b[2J (more of these are only counted)',
    )
  })
})
