import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CatalogMarket } from '../../../../src/lib/model/game.js'
import { MarketSpread, type SpreadConnection } from '../../../../src/lib/venues/polymarket/market-spread.js'
import { catalogMarket } from './harness.js'

const LIMIT = 8

class Connection implements SpreadConnection {
  readonly markets = new Set<string>()
  isClosed = false
  get assets(): number {
    return 2 * this.markets.size
  }
  follow({ marketId }: CatalogMarket): void {
    expect(this.isClosed).toBe(false)
    this.markets.add(marketId)
    expect(this.assets).toBeLessThanOrEqual(LIMIT)
  }
  unfollow(marketId: string): void {
    expect(this.markets.delete(marketId)).toBe(true)
  }
  close(): Promise<void> {
    this.isClosed = true
    return Promise.resolve()
  }
}

function spread() {
  const opened: Connection[] = []
  const markets = new MarketSpread<Connection>(
    LIMIT,
    () => {
      opened.push(new Connection())
      return opened.at(-1)!
    },
    () => undefined,
  )
  const follow = (ids: readonly string[]) => {
    const wanted = ids.map((id) => catalogMarket({ marketId: `0x${id}`, tokenIds: [`${id}1`, `${id}2`] }))
    markets.follow(new Map(wanted.map((market) => [market.marketId, market])))
  }
  /** Every connection tells its books, as proved. */
  const tell = () => {
    for (const connection of [...markets.connections]) {
      for (const marketId of [...connection.markets]) markets.shows(connection, marketId, 'LIVE', 1)
    }
  }
  const loads = () => markets.connections.map(({ assets }) => assets)
  return { markets, opened, follow, tell, loads }
}

const range = (count: number) => Array.from({ length: count }, (_, index) => String(index + 1))

describe('markets over several connections', () => {
  it.each([
    [4, [8]],
    [5, [6, 4]],
    [9, [6, 6, 6]],
    [12, [8, 8, 8]],
  ])('%i are spread evenly', (count, expected) => {
    const { follow, loads } = spread()
    follow(range(count))
    expect(loads()).toEqual(expected)
  })

  it('a connection that is hardly needed is given up once its markets are shown by another', () => {
    const { follow, tell, loads, opened } = spread()
    follow(range(8))
    tell()
    follow(range(3))
    expect(opened.map(({ isClosed }) => isClosed)).toEqual([false, false])
    tell()
    expect([loads(), opened.filter(({ isClosed }) => isClosed).length]).toEqual([[6], 1])
  })

  it('one market more or less opens and closes nothing', () => {
    const { follow, tell, opened } = spread()
    follow(range(5))
    for (let round = 0; round < 10; round++) {
      follow(range(round % 2 === 0 ? 4 : 5))
      tell()
    }
    expect(opened).toHaveLength(2)
  })

  it('a newcomer evens out what growth left uneven', () => {
    const { follow, tell, loads } = spread()
    follow(range(4))
    tell()
    follow(range(5))
    tell()
    expect(loads().sort()).toEqual([4, 6])
  })

  it('a moving market is shown by the old connection until the new one has proved it, not behind it', () => {
    const { follow, tell, markets } = spread()
    follow(range(8))
    tell()
    const [one, other] = markets.connections as [Connection, Connection]
    const staying = [...one.markets].slice(0, 2).concat([...other.markets].slice(0, 1))
    follow(staying.map((id) => id.slice(2)))
    const moving = staying.find((id) => one.markets.has(id) && other.markets.has(id))!
    const [old, next] =
      other.markets.size === 1 || [...other.markets][0] === moving ? [other, one] : [one, other]
    expect(markets.shows(next, moving, 'STALE', 5)).toBe(false)
    expect(markets.shows(old, moving, 'LIVE', 9)).toBe(true)
    expect(markets.shows(next, moving, 'LIVE', 8)).toBe(false)
    expect(markets.shows(next, moving, 'LIVE', 9)).toBe(true)
    expect(markets.shows(old, moving, 'BROKEN', 9)).toBe(false)
  })

  it('whoever comes and goes, each is followed once, within the limit, and nothing is kept open in vain', () => {
    const step = fc.oneof(fc.subarray(range(20)), fc.constant('tell' as const))
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const { markets, follow, tell, loads } = spread()
        let wanted: readonly string[] = []
        for (const each of steps) {
          if (each === 'tell') tell()
          else follow((wanted = each))
        }
        for (let round = 0; round < 3; round++) {
          follow(wanted)
          tell()
        }
        const followed = markets.connections.flatMap((connection) => [...connection.markets])
        expect(followed.sort()).toEqual(wanted.map((id) => `0x${id}`).sort())
        expect(markets.size).toBe(wanted.length)
        const assets = 2 * wanted.length
        expect(loads().length).toBeLessThanOrEqual(Math.ceil(assets / (LIMIT * 0.75)))
        expect(loads()).not.toContain(0)
      }),
    )
  })
})
