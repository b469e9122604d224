/** The first design's late joiner, as a control: a plain SUB that has for a book what it heard so far. */

import { Subscriber } from 'zeromq'
import { Book } from './book.js'
import { onCommands, readConfig, tell } from './child.js'
import type { JoinerConfig } from './joiner-child.js'
import { PREFIX, marketOf, marketIndexOf } from './market-load.js'
import { sightingOf } from './wire.js'

/** Heard before it calls itself joined: more than ours hears. */
const HEARD = 600

export interface NaiveJoinerConfig extends JoinerConfig {
  readonly markets: number
}

const config = readConfig<NaiveJoinerConfig>()
onCommands(
  () => undefined,
  () => undefined,
)
tell('ready')

async function join() {
  const book = new Book()
  const socket = new Subscriber({ linger: 0 })
  socket.subscribe(PREFIX)
  socket.connect(config.url)
  let heard = 0
  for await (const [, body] of socket) {
    if (body === undefined) continue
    const { epoch, seq, n } = sightingOf(body)
    book.apply(marketOf(marketIndexOf(n, config.markets)), n)
    if (++heard < HEARD) continue
    socket.close()
    return [{ epoch, seq, digest: book.digest, joinMs: 0, repeated: book.repeated, gaps: 0 }]
  }
  return []
}

let left = config.count
async function work(): Promise<void> {
  while (left-- > 0) tell('joined', { looks: await join() })
}
await Promise.all(Array.from({ length: config.atOnce }, work))
tell('all')
