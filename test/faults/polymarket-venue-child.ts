/** A Polymarket whose markets move twenty times a second, until it is told to say nothing more. */

import { MarketServer } from '../lib/venues/polymarket/market-server.js'
import { ReferenceVenue } from '../lib/venues/polymarket/reference-venue.js'
import { onCommands, readConfig, tell } from './child.js'

type Ids = ConstructorParameters<typeof ReferenceVenue>[0]

const { ids } = readConfig<{ readonly ids: readonly Ids[] }>()
const venues = ids.map((each) => new ReferenceVenue(each))
for (const venue of venues) {
  venue.put('bids', 4500, '100')
  venue.put('asks', 4700, '80')
}
const server = await MarketServer.listen(...venues)
let change = 0
const moving = setInterval(() => {
  change++
  for (const venue of venues) server.broadcast(venue.change('bids', 4600, String(1 + (change % 50))))
}, 50)

onCommands<{ readonly op: 'silence' | 'reset' }>(
  ({ op }) => {
    // PING is answered, and so is REST: only what the socket should tell is not told.
    if (op === 'silence') server.frozen = true
    else server.reset()
  },
  () => {
    clearInterval(moving)
    return server.close()
  },
)
tell('ready', { ws: server.wsUrl, rest: server.restUrl })
