import { describe, expect, it } from 'vitest'
import { ShardRoster } from '../../../src/lib/games/shard-roster.js'

const ALIVE = { closing: false, fenced: false }

/** Two shards, each heard every 200 ms while `hears` says so, looked at as often; what `able` was after each second. */
function play(
  seconds: number,
  hears: (shard: number, atS: number) => typeof ALIVE | undefined,
  looks: (atS: number) => boolean = () => true,
) {
  const roster = new ShardRoster(2, 0)
  const able: string[] = []
  for (let ms = 200; ms <= seconds * 1000; ms += 200) {
    for (const shard of [0, 1]) {
      const beat = hears(shard, ms / 1000)
      if (beat !== undefined) roster.heard(shard, beat, ms * 1000)
    }
    if (looks(ms / 1000)) roster.look(ms * 1000)
    if (ms % 1000 === 0) able.push(roster.able.join(''))
  }
  return able
}

describe('the shards that can trade', () => {
  it('are known as soon as all have come', () => {
    expect(play(2, () => ALIVE)).toEqual(['01', '01'])
  })

  it('are waited for at the start, then counted without the one that did not come', () => {
    const able = play(8, (shard) => (shard === 0 ? ALIVE : undefined))
    expect(able).toEqual(['', '', '', '', '0', '0', '0', '0'])
  })

  it('lose one that is silent for 4 s, and have it back when it was heard for 5 s', () => {
    const able = play(30, (shard, atS) => (shard === 1 && atS > 10 && atS < 20 ? undefined : ALIVE))
    expect(able[12]).toBe('01')
    expect(able[14]).toBe('0')
    expect(able[23]).toBe('0')
    expect(able[25]).toBe('01')
  })

  it('keep one that was away for less, as a restart takes', () => {
    const able = play(20, (shard, atS) => (shard === 1 && atS > 10 && atS < 13.5 ? undefined : ALIVE))
    expect(new Set(able)).toEqual(new Set(['01']))
  })

  it('do not get one back that comes and goes', () => {
    const able = play(40, (shard, atS) => {
      const isAway = atS > 10 && (atS < 16 || Math.floor(atS) % 4 < 2)
      return shard === 1 && isAway ? undefined : ALIVE
    })
    expect(new Set(able.slice(15))).toEqual(new Set(['0']))
  })

  it('lose one at once that says it stops', () => {
    const able = play(14, (shard, atS) => {
      if (shard === 0 || atS < 10) return ALIVE
      return atS < 10.1 ? { closing: true, fenced: false } : undefined
    })
    expect(able[8]).toBe('01')
    expect(able[9]).toBe('0')
  })

  it('lose one that does not hear the orchestrator, though it is heard', () => {
    const able = play(20, (shard, atS) => ({ closing: false, fenced: shard === 1 && atS > 10 }))
    expect(able[12]).toBe('01')
    expect(able[15]).toBe('0')
  })

  it('are all counted after a restart of the orchestrator, which none of them heard for a while', () => {
    const able = play(10, (_, atS) => ({ closing: false, fenced: atS < 1.5 }))
    expect(new Set(able)).toEqual(new Set(['01']))
  })

  it('are not taken for dead by an orchestrator that was asleep itself', () => {
    const asleep = (atS: number) => atS > 10 && atS < 20
    const able = play(
      24,
      (shard, atS) => (asleep(atS) || (shard === 1 && atS < 20.5 && atS > 19) ? undefined : ALIVE),
      (atS) => !asleep(atS),
    )
    expect(new Set(able)).toEqual(new Set(['01']))
  })

  it('are nobody when all are silent', () => {
    const able = play(20, (_, atS) => (atS < 10 ? ALIVE : undefined))
    expect(able.at(-1)).toBe('')
  })
})
