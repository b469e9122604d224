/** A Polymarket of which the first markets move twenty times a second, until it is told to say nothing more. */

import { MarketServer } from '../lib/venues/polymarket/market-server.js'
import { ReferenceVenue } from '../lib/venues/polymarket/reference-venue.js'
import { onCommands, readConfig, tell } from './child.js'

type Ids = ConstructorParameters<typeof ReferenceVenue>[0]

const { ids, moving } = readConfig<{ readonly ids: readonly Ids[]; readonly moving: number }>()
const venues = ids.map((each) => new ReferenceVenue(each))
for (const venue of venues) {
  venue.put('bids', 4500, '100')
  venue.put('asks', 4700, '80')
}
const server = await MarketServer.listen(...venues)
let change = 0
let busy = venues.slice(0, moving)
const steps = setInterval(() => {
  change++
  for (const venue of busy) server.broadcast(venue.change('bids', 4600, String(1 + (change % 50))))
}, 50)

/** The best bid of each, which is gone at the venue, is never told to be. */
function loseBestBids(of: readonly ReferenceVenue[]): void {
  for (const venue of of) venue.change('bids', 4600, '0')
  busy = busy.filter((venue) => !of.includes(venue))
}

onCommands<{ readonly op: 'silence' | 'mute' | 'reset' }>(
  ({ op }) => {
    if (op === 'reset') return server.reset()
    // PING is answered, and so is REST: only what the socket should tell is not told, or of the first market alone.
    if (op === 'silence') server.frozen = true
    loseBestBids(op === 'silence' ? busy : busy.slice(0, 1))
  },
  () => {
    clearInterval(steps)
    return server.close()
  },
)
tell('ready', { ws: server.wsUrl, rest: server.restUrl })
