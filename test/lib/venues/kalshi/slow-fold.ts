/**
 * The books that a list of frames makes, computed the slow way and without the code under test: sets of levels in
 * plain objects, folded frame by frame, sorted at the end.
 */

export interface SlowBook {
  /** `[priceE4, sizeE2]`, YES side, best first. */
  readonly bids: readonly (readonly [number, number])[]
  readonly asks: readonly (readonly [number, number])[]
}

interface WireMsg {
  readonly market_ticker: string
  readonly yes_dollars_fp?: [string, string][]
  readonly no_dollars_fp?: [string, string][]
  readonly price_dollars: string
  readonly delta_fp: string
  readonly side: 'yes' | 'no'
}

type Levels = Map<number, number>

const e4 = (text: string): number => Math.round(Number(text) * 10_000)
const e2 = (text: string): number => Math.round(Number(text) * 100)

/** Current book messages only; books that had no snapshot are left out. */
export function slowFold(frames: readonly string[], useYesPrice: boolean): Map<string, SlowBook> {
  const books = new Map<string, { yes: Levels; no: Levels }>()
  for (const text of frames) {
    const { type, msg } = JSON.parse(text) as { type?: string; msg?: WireMsg }
    if (msg === undefined) continue
    if (type === 'orderbook_snapshot' && !('yes' in msg) && !('no' in msg)) {
      books.set(msg.market_ticker, { yes: levelsOf(msg.yes_dollars_fp), no: levelsOf(msg.no_dollars_fp) })
    } else if (type === 'orderbook_delta' && msg.price_dollars !== undefined) {
      const levels = books.get(msg.market_ticker)?.[msg.side]
      const price = e4(msg.price_dollars)
      levels?.set(price, (levels.get(price) ?? 0) + e2(msg.delta_fp))
    }
  }
  return new Map(
    [...books].map(([ticker, { yes, no }]) => {
      const bids = kept(yes).sort((a, b) => b[0] - a[0])
      const asks = kept(no)
        .map(([price, size]): [number, number] => [useYesPrice ? price : 10_000 - price, size])
        .sort((a, b) => a[0] - b[0])
      return [ticker, { bids, asks }]
    }),
  )
}

const levelsOf = (pairs: [string, string][] = []): Levels =>
  new Map(pairs.map(([price, size]) => [e4(price), e2(size)]))

const kept = (levels: Levels): [number, number][] => [...levels].filter(([, size]) => size > 0)
