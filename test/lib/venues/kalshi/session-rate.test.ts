/** What the venue refuses for its rate, and what we never ask for too often. */

import { describe, expect, it } from 'vitest'

import { delta, error, Line, live, ok, snapshot, subscribed } from './session-line.js'

describe('Kalshi session, told that its commands come too fast', () => {
  it('a refused subscribe goes again on the same connection, ever more slowly', () => {
    const line = new Line().follow('A', 'B')
    const sentAt: number[] = []
    for (let ms = 0; ms <= 40_000; ms += 250) {
      const id = line.sent.find(({ cmd }) => cmd === 'subscribe')?.id
      if (id !== undefined) {
        sentAt.push(ms)
        line.read(error(27, { id }))
        expect(line.kinds).not.toContain('reconnect')
      }
      line.wait(250)
    }
    expect(sentAt).toEqual([0, 500, 1500, 3500, 7500, 15_500, 23_500, 31_500, 39_500])
  })

  it('a refused addition is not forgotten, and harms no other market', () => {
    const line = live()
      .follow('A', 'B', 'C')
      .read(error(27, { id: 2 }))
    expect(line.books).toEqual([])
    expect(line.wait(400).sent).toEqual([])
    expect(line.wait(200).sent).toMatchObject([{ params: { action: 'add_markets', market_tickers: ['C'] } }])
    expect(line.read(ok(3, 1, 3, ['A', 'B', 'C']), snapshot(1, 4, 'C')).books).toEqual(['C LIVE 4700/5200'])
  })

  it('a refused deletion goes again, and its market is not added before', () => {
    const line = live()
      .follow('B')
      .read(error(27, { id: 2 }))
      .follow('A', 'B')
    expect(line.sent).toEqual([])
    expect(line.wait(600).sent).toMatchObject([{ params: { action: 'delete_markets' } }])
    expect(line.read(ok(3, 1, 3, ['B'])).sent).toMatchObject([{ params: { action: 'add_markets' } }])
  })

  it('a refused resync keeps the books BROKEN and the subscription, until it may be asked again', () => {
    const line = live()
      .wait(700)
      .read(delta(1, 5, 'A'), error(27, { id: 2 }))
    expect(line.books).toEqual(['A BROKEN 4700/5200', 'B BROKEN 4700/5200'])
    expect(line.wait(600).sent).toMatchObject([{ params: { action: 'get_snapshot' } }])
    line.read(error(27, { id: 3 }))
    expect(line.wait(900).sent).toEqual([])
    expect(line.wait(200).sent).toMatchObject([{ params: { action: 'get_snapshot' } }])
    expect(line.read(snapshot(1, 6, 'A'), snapshot(1, 7, 'B')).books).toEqual([
      'A LIVE 4700/5200',
      'B LIVE 4700/5200',
    ])
  })

  it('what waited goes in portions', () => {
    const tickers = Array.from({ length: 60 }, (_, index) => `M${index}`)
    const line = new Line().follow(...tickers).read(subscribed(1, 1), snapshot(1, 1, 'M0'))
    // 59 markets without a snapshot are asked for one by one; the first of these commands is refused.
    const asked = line.wait(2100).sent
    line.read(...asked.map(({ id }) => error(27, { id })))
    const portions = Array.from({ length: 3 }, () => line.wait(600).sent.length)
    expect(portions).toEqual([20, 20, 19])
  })
})

describe('Kalshi session under one loss after another', () => {
  it('asks for all snapshots ten times a second at most, and once more after the last loss', () => {
    const line = live()
    let asked = 0
    for (let seq = 4; seq < 1004; seq += 2) {
      line.read(delta(1, seq, 'A'))
      asked += line.sent.length
      line.nowUs += 1000
    }
    expect(asked).toBe(5)
    expect(line.wait(0).sent).toMatchObject([
      { params: { action: 'get_snapshot', market_tickers: ['A', 'B'] } },
    ])
    expect(line.wait(300).sent).toEqual([])
  })
})
