/** A process that journals ten messages a turn until it is killed, and says after each flush how far it got. */

import { writeSync } from 'node:fs'
import { Journal } from '../../../../src/lib/bus/journal/journal.js'
import { FileStorage } from '../../../../src/lib/bus/journal/storage.js'
import { systemClock } from '../../../../src/lib/core/clock.js'
import { bootId } from '../../../../src/lib/core/ids.js'

const journal = Journal.open({
  storage: new FileStorage(process.argv[2] ?? ''),
  source: 'kalshi.prices',
  clock: systemClock,
  retainBytes: 64 * 1024 * 1024,
  bootId: bootId(),
  onNotice: () => undefined,
})
const topic = Buffer.from('prices.kalshi.KX-1')
let seq = 0
function turn(): void {
  for (let i = 0; i < 10; i++) {
    seq++
    journal.stage(seq, 1_000, topic, `{"v":1,"seq":${seq},"team":"Köln"}`)
  }
  if (journal.flush()) writeSync(1, `${seq}\n`)
  setTimeout(turn, 1)
}
setInterval(() => void journal.sync(), 10)
turn()
