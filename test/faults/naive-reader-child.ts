/** The first design's reader, as a control: a plain SUB with the library's defaults, which believes what comes. */

import { Subscriber } from 'zeromq'
import { readConfig, onCommands, tell } from './child.js'
import { PREFIX } from './market-load.js'
import { SightingLog } from './sightings.js'
import { sightingOf } from './wire.js'

export interface NaiveReaderConfig {
  readonly url: string
  readonly notes: string
  readonly slowMs?: number
}

const config = readConfig<NaiveReaderConfig>()
const log = new SightingLog(config.notes)
const socket = new Subscriber({ linger: 0 })
socket.subscribe(PREFIX)
socket.connect(config.url)
onCommands(
  () => undefined,
  () => socket.close(),
)
tell('ready')
const pause = new Int32Array(new SharedArrayBuffer(4))
for await (const [, body] of socket) {
  if (body !== undefined) log.message(sightingOf(body))
  if (config.slowMs === undefined) continue
  log.flush()
  Atomics.wait(pause, 0, 0, config.slowMs)
}
