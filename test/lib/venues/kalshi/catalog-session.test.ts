import { describe, expect, it } from 'vitest'

import { CatalogSession } from '../../../../src/lib/venues/kalshi/catalog-session.js'
import { parseFrame } from '../../../../src/lib/venues/kalshi/frames.js'
import type { SessionEffect } from '../../../../src/lib/venues/kalshi/session-effects.js'

const S = 1_000_000
const MISSED = { kind: 'catalog', change: { kind: 'missed' } }

/** A session that was told to open; frames go in as the venue's text. */
function opened() {
  const session = new CatalogSession()
  const [command] = session.open(0)
  const idOf = (effect: SessionEffect | undefined) => (effect?.kind === 'send' ? effect.command.id : -1)
  const id = idOf(command)
  const give = (frame: object, nowUs = 0) => session.onFrame(parseFrame(JSON.stringify(frame)), nowUs)
  return { session, command, id, idOf, give }
}

const status = (seq: number, event_type: string, sid = 7) => ({
  ...{ type: 'market_lifecycle_v2', sid, seq },
  msg: { market_ticker: 'T', event_type },
})
const closed = { kind: 'catalog', change: { kind: 'market_status', ticker: 'T', status: 'determined' } }

function subscribed() {
  const all = opened()
  const reply = { type: 'subscribed', id: all.id, msg: { channel: 'market_lifecycle_v2', sid: 7 } }
  return { ...all, first: all.give(reply) }
}

describe('the Kalshi catalog subscription', () => {
  it('takes no list, and asks for another look once it stands: what came before was not told', () => {
    const { command, id, first } = subscribed()
    expect(command).toEqual({
      kind: 'send',
      command: { id, cmd: 'subscribe', params: { channels: ['market_lifecycle_v2'] } },
    })
    expect(first).toEqual([MISSED])
  })

  it('tells changes in order, and that some are missing after a gap', () => {
    const { give } = subscribed()
    expect(give(status(40, 'determined'))).toEqual([closed])
    expect(give(status(41, 'determined'))).toEqual([closed])
    expect(give(status(41, 'activated'))).toMatchObject([{ kind: 'verdict' }])
    expect(give(status(43, 'determined'))).toEqual([MISSED, closed])
    expect(give(status(44, 'exploded'))).toMatchObject([{ kind: 'verdict' }, MISSED])
    expect(give({ type: 'event_fee_update', sid: 7, seq: 45, msg: {} })).toMatchObject([
      { kind: 'verdict' },
      MISSED,
    ])
    expect(give(status(46, 'determined'))).toEqual([closed])
  })

  it('leaves alone what is not its own', () => {
    const { give } = subscribed()
    const of = (frame: object) => give(frame)
    expect(of({ type: 'subscribed', id: 1, msg: { channel: 'orderbook_delta', sid: 8 } })).toBeUndefined()
    expect(of(status(1, 'determined', 8))).toBeUndefined()
    expect(of({ type: 'error', id: 1, msg: { code: 27, msg: 'slow' } })).toBeUndefined()
    expect(opened().give(status(1, 'determined'))).toBeUndefined()
  })

  it.each([
    ['refuses it', (id: number) => ({ type: 'error', id, msg: { code: 8, msg: 'Unknown channel name' } })],
    ['reads too slowly', () => ({ type: 'error', sid: 7, seq: 41, msg: { code: 25, msg: 'overflow' } })],
    ['is ended', () => ({ type: 'unsubscribed', sid: 7, seq: 41 })],
  ])('subscribes again, ten seconds after the venue %s', (_, frameOf) => {
    const { session, give, id, idOf } = subscribed()
    give(status(40, 'determined'))
    const again = _.startsWith('refuses') ? opened() : { session, give, id }
    expect(again.give(frameOf(again.id), S)).toMatchObject([{ kind: 'notice', level: 'warn' }])
    expect(again.session.onTime(10 * S)).toEqual([])
    const [command] = again.session.onTime(11 * S)
    expect(idOf(command)).toBe(again.id + 1)
    expect(again.give(status(42, 'determined'))).toBeUndefined()
  })

  it('asks again when it is not answered', () => {
    const { session, id, idOf } = opened()
    expect(session.onTime(4 * S)).toEqual([])
    expect(idOf(session.onTime(5 * S)[0])).toBe(id + 1)
    expect(session.onTime(6 * S)).toEqual([])
  })
})
