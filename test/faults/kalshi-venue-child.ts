/** A Kalshi whose market moves twenty times a second, until it is told to say nothing more. */

import { ManyServer } from '../lib/venues/kalshi/many-server.js'
import { onCommands, readConfig, tell } from './child.js'

const { tickers } = readConfig<{ readonly tickers: readonly string[] }>()
const server = await ManyServer.start(tickers)
let change = 0
const moving = setInterval(() => {
  change++
  for (const ticker of tickers) server.rest(ticker, 'yes', 4700, 300 + (change % 50), Date.now())
}, 50)

onCommands<{ readonly op: 'silence' | 'reset' }>(
  ({ op }) => {
    // Pings are answered by the socket itself: only what is told and asked is dropped.
    if (op === 'silence') server.isSilent = true
    else for (const { socket } of [...server.clients]) socket.resetAndDestroy()
  },
  () => {
    clearInterval(moving)
    return server.close()
  },
)
tell('ready', { url: server.url })
