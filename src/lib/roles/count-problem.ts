/** How every reader of the bus counts what it refused: the names that `status` knows. */

import type { Problem } from '../bus/subscriber.js'
import type { Counters } from '../telemetry/counters.js'

export function countProblem(counters: Counters, { kind, reason }: Problem): void {
  switch (kind) {
    case 'parse_error':
      counters.add('parse_errors', reason)
      break
    case 'duplicate':
      counters.add('duplicates')
      break
    case 'old_epoch':
    case 'wrong_source':
    case 'legacy_refused':
    case 'foreign_heartbeat':
      counters.add(kind)
      break
  }
}
