/**
 * A process that opens a ledger and writes: `hold` keeps it open until stdin ends, `fill` writes intents until one is
 * refused. Says what happened, one JSON object a line.
 */

import { systemClock } from '../../../src/lib/core/clock.js'
import { ArbeesError } from '../../../src/lib/core/errors.js'
import { Ledger } from '../../../src/lib/execution/ledger.js'

const [, , dataDir = '', what = ''] = process.argv
const say = (object: object) => process.stdout.write(`${JSON.stringify(object)}\n`)

try {
  const ledger = Ledger.open({ dataDir, env: 'sim', mode: 'live', clock: systemClock })
  say({ opened: true })
  if (what === 'fill') {
    for (let index = 0; index < 10_000; index++) {
      const orderId = `order-${index}`
      ledger.intent({ signalId: 'signal', orderId, gameId: 'game' }, { request: {} }, 'x'.repeat(1000))
      say({ wrote: index })
    }
  } else {
    process.stdin.resume()
    process.stdin.on('end', () => ledger.close())
  }
} catch (error) {
  if (!(error instanceof ArbeesError)) throw error
  say({ code: error.code, exit: error.exit, message: error.message })
}
