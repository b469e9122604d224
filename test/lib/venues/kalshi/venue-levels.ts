import type { OrderBook } from '../../../../src/lib/model/order-book.js'

/** Our YES-side book in the venue's own terms, as `ReferenceVenue` keeps it. */
export function venueLevels(book: OrderBook): Map<string, number> {
  const bids = book.levels('bid').map(([price, size]): [string, number] => [`yes ${price}`, size])
  const asks = book.levels('ask').map(([price, size]): [string, number] => [`no ${10_000 - price}`, size])
  return new Map([...bids, ...asks])
}
