import { describe, expect, it } from 'vitest'

import { delta, error, Line, live, ok, snapshot, subscribed } from './session-line.js'

describe('Kalshi session', () => {
  it('subscribes with use_yes_price said, and a book is LIVE only after its snapshot', () => {
    const line = new Line().follow('A', 'B')
    expect(line.sent).toEqual([
      {
        id: 1,
        cmd: 'subscribe',
        params: { channels: ['orderbook_delta'], market_tickers: ['A', 'B'], use_yes_price: true },
      },
    ])
    expect(line.session.isSubscribed).toBe(false)
    expect(line.read(subscribed(1, 1), snapshot(1, 1, 'A')).books).toEqual(['A LIVE 4700/5200'])
    expect(line.session.isComplete).toBe(false)
    expect(line.read(delta(1, 2, 'B')).verdicts).toEqual(['skipped awaiting_snapshot'])
    expect(line.read(snapshot(1, 3, 'B')).books).toEqual(['B LIVE 4700/5200'])
    expect(line.session.isComplete).toBe(true)
  })

  it('the sequence starts wherever it starts', () => {
    const line = new Line()
      .follow('A')
      .read(subscribed(1, 9), snapshot(9, 700, 'A'), delta(9, 701, 'A', '0.4900'))
    expect(line.books).toEqual(['A LIVE 4700/5200', 'A LIVE 4900/5200'])
    expect(line.kinds.filter((kind) => kind === 'proof')).toHaveLength(2)
  })

  it('an empty book is EMPTY, not bid 0 and ask 1', () => {
    const empty = { type: 'orderbook_snapshot', sid: 1, seq: 1, msg: { market_ticker: 'A' } }
    expect(new Line().follow('A').read(subscribed(1, 1), empty).books).toEqual(['A EMPTY -/-'])
  })

  it('a gap breaks every book of the sid, asks for all snapshots, and each snapshot mends its own', () => {
    const line = live().read(delta(1, 4, 'A'))
    expect(line.books).toEqual(['A BROKEN 4700/5200', 'B BROKEN 4700/5200'])
    expect(line.verdicts).toEqual(['skipped awaiting_snapshot'])
    expect(line.kinds).not.toContain('proof')
    expect(line.sent).toEqual([
      {
        id: 2,
        cmd: 'update_subscription',
        params: { sids: [1], market_tickers: ['A', 'B'], action: 'get_snapshot' },
      },
    ])
    expect(line.session.isResyncing).toBe(true)
    expect(line.read(delta(1, 5, 'B')).books).toEqual([])
    expect(line.read(snapshot(1, 6, 'B', '0.4500')).books).toEqual(['B LIVE 4500/5200'])
    expect(line.read({ ...snapshot(1, 7, 'A'), id: 2 }, delta(1, 8, 'A', '0.4800')).books).toEqual([
      'A LIVE 4700/5200',
      'A LIVE 4800/5200',
    ])
    expect(line.session.isResyncing).toBe(false)
    expect(line.wait(3000).sent).toEqual([])
  })

  it('a snapshot behind a gap is whole by itself', () => {
    // Its levels are in place before the first of these is read: both are its own.
    expect(live().read(snapshot(1, 9, 'A', '0.4400')).books).toEqual([
      'A BROKEN 4400/5200',
      'B BROKEN 4700/5200',
      'A LIVE 4400/5200',
    ])
  })

  it('ok, error and unsubscribed of the sid consume a number', () => {
    const line = live().follow('A', 'B', 'C')
    const messages = [ok(2, 1, 3, ['A', 'B', 'C']), error(1, { sid: 1, seq: 4 }), snapshot(1, 5, 'C')]
    expect(line.read(...messages).books).toEqual(['C LIVE 4700/5200'])
    expect(live().read(ok(99, 1, 3, []), delta(1, 4, 'A')).books).toEqual(['A LIVE 4700/5200'])
    expect(live().read(delta(1, 4, 'A')).books).toHaveLength(2)
  })

  it('a repeated number is not applied, and is no gap', () => {
    const line = live().read(delta(1, 3, 'A', '0.4900'), delta(1, 3, 'A', '0.4900', '5.00'))
    expect(line.books).toEqual(['A LIVE 4900/5200'])
    expect(line.verdicts).toEqual(['skipped repeated_seq'])
    expect(line.read(delta(1, 4, 'A', '0.4900', '-1.00')).books).toEqual(['A LIVE 4700/5200'])
  })

  it('a number from before means another stream: the subscription is replaced', () => {
    const line = live()
      .wait(1500)
      .read(delta(1, 1, 'A'))
    expect(line.verdicts).toEqual(['refused seq_rewound'])
    expect(line.books).toEqual(['A BROKEN 4700/5200', 'B BROKEN 4700/5200'])
    expect(line.sent.map(({ cmd }) => cmd)).toEqual(['unsubscribe', 'subscribe'])
  })

  it('after the replacement the old sid is ignored, its own reply included', () => {
    const line = live()
      .wait(1500)
      .read(delta(1, 1, 'A'))
    expect(line.read(delta(1, 3, 'A'), snapshot(1, 4, 'A')).verdicts).toEqual([
      'skipped old_sid',
      'skipped old_sid',
    ])
    line.read(
      { type: 'unsubscribed', id: 2, sid: 1, seq: 5 },
      subscribed(3, 2),
      snapshot(2, 1, 'A', '0.4100'),
    )
    expect(line.books).toEqual(['A LIVE 4100/5200'])
    expect(line.read(delta(1, 6, 'A')).verdicts).toEqual(['skipped old_sid'])
  })

  it('a level below zero is lost data, whatever the sequence says', () => {
    const line = live().read(delta(1, 3, 'A', '0.4700', '-3.01'))
    expect(line.verdicts).toEqual(['refused negative_level'])
    expect(line.books).toEqual(['A BROKEN 4700/5200', 'B BROKEN 4700/5200'])
    expect(line.sent).toMatchObject([{ params: { action: 'get_snapshot' } }])
  })

  it.each([
    [
      'a refused message of the sid',
      { ...delta(1, 3, 'A'), msg: { market_ticker: 'A', price_dollars: '7' } },
      'refused bad_price',
    ],
    [
      'retired cents on the sid',
      { ...delta(1, 3, 'A'), msg: { market_ticker: 'A', price: 40, delta: 1 } },
      'refused retired_form',
    ],
    [
      'a message of a kind never seen, on the sid',
      { type: 'orderbook_level', sid: 1, seq: 3, msg: {} },
      'unknown orderbook_level',
    ],
    ['a book message without a sid', { ...delta(1, 3, 'A'), sid: undefined }, 'refused bad_sid'],
  ])('%s breaks the books', (_, frame, verdict) => {
    const line = live().read(frame)
    expect(line.verdicts).toEqual([verdict])
    expect(line.books).toEqual(['A BROKEN 4700/5200', 'B BROKEN 4700/5200'])
  })

  it('text that cannot be read may have been a book message', () => {
    expect(live().readText('{"type":"orderbook_delta","si').books).toHaveLength(2)
  })

  it.each([
    [
      'a trade of another sid',
      { type: 'trade', sid: 5, seq: 1, msg: { yes_price_dollars: '0.5000' } },
      'skipped trade',
    ],
    ['a ticker in the retired form', { type: 'ticker', msg: { yes_bid: 11 } }, 'refused retired_form'],
    ['a refused message of another sid', { ...delta(7, 1, 'A'), msg: {} }, 'refused bad_ticker'],
    ['a kind never seen, on no sid', { type: 'maintenance', msg: {} }, 'unknown maintenance'],
    ['an unknown market in sequence', delta(1, 3, 'Z'), 'refused unknown_market'],
    [
      'a list of subscriptions',
      { type: 'ok', id: 77, msg: [{ channel: 'orderbook_delta', sid: 1 }] },
      'skipped ok',
    ],
  ])('%s leaves the books alone', (_, frame, verdict) => {
    const line = live().read(frame)
    expect(line.verdicts).toEqual([verdict])
    expect(line.books).toEqual([])
    expect(line.session.isComplete).toBe(true)
  })

  it('a crossed book is BROKEN while it is crossed, and asked for again when it stays so', () => {
    const line = live().read(delta(1, 3, 'A', '0.5300'))
    expect(line.books).toEqual(['A BROKEN 5300/5200'])
    expect(line.wait(500).sent).toEqual([])
    expect(line.wait(600).sent).toMatchObject([{ params: { action: 'get_snapshot', market_tickers: ['A'] } }])
    expect(line.read(delta(1, 4, 'A', '0.5300', '-1.00')).books).toEqual(['A LIVE 4700/5200'])
  })
})

describe('Kalshi session, told NO levels in the form that it did not ask for', () => {
  it('believes no book while a snapshot contradicts the form, says so, and asks again', () => {
    // Bid 70 and a NO bid at 28, which would be an ask at 28. B alone would be believed: bid 25 and asked 72, not 28.
    const line = live().read(snapshot(1, 3, 'A', '0.7000', '0.2800'), snapshot(1, 4, 'B', '0.2500', '0.7200'))
    expect(line.books).toEqual(['A BROKEN 7000/2800', 'B BROKEN 4700/5200', 'B BROKEN 2500/7200'])
    expect(line.effects).toContainEqual({
      kind: 'notice',
      level: 'error',
      text: expect.stringMatching(/snapshot of A .*use_yes_price true/),
    })
    expect(line.read(delta(1, 5, 'B', '0.2600')).books).toEqual(['B BROKEN 2600/7200'])
    // What uncrosses it is no proof of the form.
    expect(line.read(delta(1, 6, 'A', '0.7000', '-3.00')).books).toEqual(['A BROKEN -/2800'])
    expect(line.wait(1100).sent).toMatchObject([
      { params: { action: 'get_snapshot', market_tickers: ['A'] } },
    ])
    expect(line.read(snapshot(1, 7, 'A', '0.7000', '0.7200')).books).toEqual([
      'A LIVE 7000/7200',
      'B LIVE 2600/7200',
    ])
  })

  it('believes the others again when the market in question is left', () => {
    const line = live().read(snapshot(1, 3, 'A', '0.7000', '0.2800'))
    expect(line.follow('B').books).toEqual(['B LIVE 4700/5200'])
  })

  it('a book that is crossed in either form breaks itself alone', () => {
    expect(live().read(snapshot(1, 3, 'A', '0.5500', '0.5200')).books).toEqual(['A BROKEN 5500/5200'])
  })
})

describe('Kalshi session, when the set of markets changes', () => {
  it('adds and deletes on the same sid', () => {
    const line = live().follow('B', 'C')
    expect(line.sent).toEqual([
      {
        id: 2,
        cmd: 'update_subscription',
        params: { sids: [1], market_tickers: ['C'], action: 'add_markets' },
      },
      {
        id: 3,
        cmd: 'update_subscription',
        params: { sids: [1], market_tickers: ['A'], action: 'delete_markets' },
      },
    ])
    expect(line.read(delta(1, 3, 'A')).verdicts).toEqual(['skipped unfollowed_market'])
    const replies = [
      ok(2, 1, 4, ['A', 'B', 'C']),
      snapshot(1, 5, 'C'),
      ok(3, 1, 6, ['B', 'C']),
      delta(1, 7, 'B', '0.4900'),
    ]
    expect(line.read(...replies).books).toEqual(['C LIVE 4700/5200', 'B LIVE 4900/5200'])
  })

  it('a change while subscribing is made up for when the sid is known', () => {
    const line = new Line().follow('A').follow('B')
    expect(line.sent).toEqual([])
    expect(line.read(subscribed(1, 1)).sent).toMatchObject([
      { params: { market_tickers: ['B'], action: 'add_markets' } },
      { params: { market_tickers: ['A'], action: 'delete_markets' } },
    ])
  })

  it('a market that leaves and comes back is added only after its deletion is acknowledged', () => {
    const line = live().follow('B').follow('A', 'B')
    expect(line.sent).toEqual([])
    // A snapshot from before the deletion says nothing of what follows it.
    expect(line.read(snapshot(1, 3, 'A')).verdicts).toEqual(['skipped unfollowed_market'])
    expect(line.read(ok(2, 1, 4, ['B'])).sent).toMatchObject([
      { params: { market_tickers: ['A'], action: 'add_markets' } },
    ])
    expect(line.read(ok(3, 1, 5, ['A', 'B']), snapshot(1, 6, 'A')).books).toEqual(['A LIVE 4700/5200'])
  })

  it('a market that the venue does not list as streamed is BROKEN and asked for again', () => {
    const line = live()
      .follow('A', 'B', 'C')
      .read(ok(2, 1, 3, ['B', 'C']))
    expect(line.books).toEqual(['A BROKEN 4700/5200'])
    expect(line.wait(0).sent).toMatchObject([{ params: { action: 'add_markets', market_tickers: ['A'] } }])
    // It may be streamed already, and then no snapshot comes by itself.
    expect(line.read(ok(3, 1, 4, ['A', 'B', 'C'])).sent).toMatchObject([
      { params: { action: 'get_snapshot', market_tickers: ['A'] } },
    ])
    expect(line.read(snapshot(1, 5, 'A')).books).toEqual(['A LIVE 4700/5200'])
  })

  it.each([
    ['for the number of markets', 26],
    ['for their rate', 27],
  ])(
    'a snapshot of a market whose addition is refused %s makes no book: no delta would follow it',
    (_, code) => {
      const line = live()
        .follow('A', 'B', 'C')
        .read(error(code, { id: 2, sid: 1, seq: 3 }))
      const again = line.wait(2100).sent.filter(({ cmd }) => cmd === 'update_subscription')
      expect(again.length).toBeGreaterThan(0)
      for (const command of again)
        expect(command).toMatchObject({ params: { action: 'add_markets', market_tickers: ['C'] } })
      line.read(error(code, { id: again[0]!.id, sid: 1, seq: 4 }), snapshot(1, 5, 'C'))
      expect(line.books).toEqual([])
      expect(line.verdicts).toContain('skipped unlisted_market')
      expect(line.session.isComplete).toBe(false)
      const asked = line.wait(4100).sent.at(-1)!
      expect(asked).toMatchObject({ params: { action: 'add_markets', market_tickers: ['C'] } })
      line.read(ok(asked.id, 1, 6, ['A', 'B', 'C']), snapshot(1, 7, 'C'), delta(1, 8, 'C', '0.4900'))
      expect(line.books).toEqual(['C LIVE 4700/5200', 'C LIVE 4900/5200'])
    },
  )

  it('a snapshot that comes before its market is listed is asked for again when it is', () => {
    const line = live().follow('A', 'B', 'C')
    expect(line.read(snapshot(1, 3, 'C')).books).toEqual([])
    expect(line.read(ok(2, 1, 4, ['A', 'B', 'C'])).sent).toMatchObject([
      { params: { action: 'get_snapshot', market_tickers: ['C'] } },
    ])
    expect(line.read(snapshot(1, 5, 'C')).books).toEqual(['C LIVE 4700/5200'])
  })

  it('none at all unsubscribes, and some later subscribes again', () => {
    const line = live().follow()
    expect(line.sent).toEqual([{ id: 2, cmd: 'unsubscribe', params: { sids: [1] } }])
    expect(line.read(delta(1, 3, 'A')).verdicts).toEqual(['skipped old_sid'])
    expect(line.follow('A').sent).toMatchObject([{ cmd: 'subscribe' }])
  })

  it.each([
    ['for one of its markets', 11],
    ['for their number', 26],
  ])('a list that the venue refuses %s is subscribed one by one', (_, code) => {
    const line = new Line().follow('BAD', 'A', 'B')
    expect(line.read(error(code, { id: 1 })).sent).toMatchObject([
      { cmd: 'subscribe', params: { market_tickers: ['BAD'] } },
    ])
    expect(line.read(error(code, { id: 2 })).sent).toMatchObject([
      { cmd: 'subscribe', params: { market_tickers: ['A'] } },
    ])
    expect(line.read(subscribed(3, 4)).sent).toMatchObject([
      { params: { action: 'add_markets', market_tickers: ['BAD'] } },
      { params: { action: 'add_markets', market_tickers: ['B'] } },
    ])
    line.read(
      snapshot(4, 1, 'A'),
      error(code, { id: 4, sid: 4, seq: 2 }),
      ok(5, 4, 3, ['A', 'B']),
      snapshot(4, 4, 'B'),
    )
    expect(line.books).toEqual(['A LIVE 4700/5200', 'B LIVE 4700/5200'])
  })

  it('any other refusal of the subscription, or none left to try, ends the connection', () => {
    expect(new Line().follow('A', 'B').read(error(9, { id: 1 })).kinds).toContain('reconnect')
    // Retired: a subscription stands that we know nothing of. A new connection has none.
    expect(new Line().follow('A', 'B').read(error(6, { id: 1 })).kinds).toContain('reconnect')
    expect(new Line().follow('A').read(error(11, { id: 1 })).kinds).toContain('reconnect')
  })
})

describe('Kalshi session, when the venue goes wrong', () => {
  it('no snapshot within two seconds of a gap replaces the subscription', () => {
    const line = live()
      .wait(1500)
      .read(delta(1, 9, 'A'))
    expect(line.wait(1900).sent).toEqual([])
    expect(line.wait(200).sent).toMatchObject([
      { cmd: 'unsubscribe', params: { sids: [1] } },
      { cmd: 'subscribe', params: { market_tickers: ['A', 'B'], use_yes_price: true } },
    ])
    expect(line.read(subscribed(4, 2), snapshot(2, 1, 'A'), snapshot(2, 2, 'B')).books).toHaveLength(2)
    expect(line.session.isComplete).toBe(true)
  })

  it.each([10, 25])('error %i is the end of the sid: subscribe anew, without unsubscribing', (code) => {
    const line = live()
      .wait(1500)
      .read(error(code, { sid: 1, seq: 3 }))
    expect(line.books).toEqual(['A BROKEN 4700/5200', 'B BROKEN 4700/5200'])
    expect(line.sent).toMatchObject([{ cmd: 'subscribe' }])
    expect(live().wait(1500).read(error(code)).sent).toMatchObject([{ cmd: 'subscribe' }])
    expect(
      live()
        .wait(1500)
        .read(error(code, { sid: 8 })).sent,
    ).toEqual([])
  })

  it('a terminal error right after subscribing ends the connection, whose backoff paces the next', () => {
    expect(live().read(error(25, { sid: 1, seq: 3 })).kinds).toContain('reconnect')
  })

  it('an unasked unsubscribed, and an update answered by unknown sid, mean a dead stream', () => {
    const ended = live().wait(1500).read({ type: 'unsubscribed', sid: 1, seq: 3 })
    expect(ended.books).toHaveLength(2)
    expect(ended.sent).toMatchObject([{ cmd: 'subscribe' }])
    expect(
      live()
        .wait(1500)
        .follow('A', 'B', 'C')
        .read(error(7, { id: 2 })).sent,
    ).toMatchObject([{ cmd: 'subscribe' }])
  })

  it('a silent subscription is asked for one snapshot, and replaced when none comes', () => {
    const line = live()
    expect(line.wait(4900).sent).toEqual([])
    expect(line.wait(200).sent).toMatchObject([{ params: { action: 'get_snapshot', market_tickers: ['A'] } }])
    expect(line.wait(1000).sent).toEqual([])
    expect(line.wait(1100).sent.map(({ cmd }) => cmd)).toEqual(['unsubscribe', 'subscribe'])
    const answered = live()
      .wait(5100)
      .read(snapshot(1, 3, 'A'))
    expect(answered.books).toEqual(['A LIVE 4700/5200'])
    expect(answered.wait(2100).sent).toEqual([])
  })

  it('the snapshot after a silence shows a lost last message', () => {
    expect(
      live()
        .wait(5100)
        .read(snapshot(1, 4, 'A')).books,
    ).toEqual(['A BROKEN 4700/5200', 'B BROKEN 4700/5200', 'A LIVE 4700/5200'])
  })

  it('an unanswered subscribe, or one without any snapshot, ends the connection', () => {
    expect(new Line().follow('A').wait(5100).kinds).toEqual(['reconnect'])
    expect(new Line().follow('A').read(subscribed(1, 1)).wait(5100).kinds).toContain('reconnect')
  })

  it('a market without a first snapshot is asked for ever more slowly, and harms no other', () => {
    const line = new Line().follow('A', 'B').read(subscribed(1, 1), snapshot(1, 1, 'A'))
    const asked: number[] = []
    for (let ms = 0; ms < 30_000; ms += 250) {
      if (line.wait(250).sent.some((command) => JSON.stringify(command).includes('"B"'))) asked.push(ms + 250)
      line.read(delta(1, 2 + ms / 250, 'A'))
      expect(line.books).toEqual(['A LIVE 4700/5200'])
    }
    expect(asked).toEqual([2000, 4000, 8000, 16_000])
  })

  it('a reply that confirms nothing of ours is passed over', () => {
    const line = new Line().follow('A').read(subscribed(7, 1))
    expect(line.verdicts).toEqual(['skipped unexpected_subscribed'])
    expect(line.read(subscribed(1, 2), snapshot(2, 1, 'A')).books).toEqual(['A LIVE 4700/5200'])
  })
})
