/**
 * Readers that come in the middle: each joins, and as soon as it is LIVE says what its book is and of which place;
 * again some hundred messages later; then it goes. So many at once, until all have been.
 */

import { RecoveringSubscriber } from '../../src/lib/bus/recovering-subscriber.js'
import { systemClock } from '../../src/lib/core/clock.js'
import { onCommands, readConfig, tell } from './child.js'
import { Book } from './book.js'
import { PREFIX, PUBLISHER, SOURCE } from './market-load.js'

export interface JoinerConfig {
  readonly url: string
  readonly recoveryUrl: string
  readonly count: number
  readonly atOnce: number
}

/** What a joiner saw: its book as of a place. */
export interface Joined {
  readonly epoch: number
  readonly seq: number
  readonly digest: string
  readonly joinMs: number
  /** Values that were not newer than what it had. */
  readonly repeated: number
  readonly gaps: number
}

/** Between the two looks. */
const MORE = 300
const JOIN_MS = 60_000
/** Who gives up waiting for a snapshot goes on with what it hears: these want the book whole, however busy it is here. */
const OUT_OF_REACH_MS = 30_000

const config = readConfig<JoinerConfig>()
onCommands(
  () => undefined,
  () => undefined,
)
tell('ready')

function join(): Promise<readonly Joined[]> {
  return new Promise((done) => {
    const book = new Book()
    const looks: Joined[] = []
    const startMs = performance.now()
    let gaps = 0
    let since = 0
    const end = () => {
      clearTimeout(late)
      subscriber.close()
      done(looks)
    }
    const look = () => {
      const { epoch, seq } = subscriber.position(SOURCE) ?? { epoch: 0, seq: 0 }
      const joinMs = performance.now() - startMs
      looks.push({ epoch, seq, digest: book.digest, joinMs, repeated: book.repeated, gaps })
    }
    const subscriber = new RecoveringSubscriber({
      endpoints: [
        { publisher: PUBLISHER, url: config.url, recoveryUrl: config.recoveryUrl, sources: [SOURCE] },
      ],
      prefixes: [PREFIX],
      env: 'sim',
      clock: systemClock,
      mode: 'snapshot',
      outOfReachMs: OUT_OF_REACH_MS,
      onMessage: ({ message }) => {
        if (message.family !== 'prices') return
        book.apply(message.payload.market_id, message.payload.book_seq)
        if (looks.length > 0 && ++since === MORE) setImmediate(() => (look(), end()))
      },
      onGap: () => gaps++,
      onState: (_, state) => {
        // The message that made it LIVE is handed on behind this word, in the same turn.
        if (state === 'LIVE' && looks.length === 0) queueMicrotask(look)
      },
    })
    const late = setTimeout(end, JOIN_MS)
  })
}

let left = config.count
async function work(): Promise<void> {
  while (left-- > 0) tell('joined', { looks: await join() })
}
await Promise.all(Array.from({ length: config.atOnce }, work))
tell('all')
