/** The thread that `latency-clock.ts` compares its readings of the monotonic clock with. */

import { workerData } from 'node:worker_threads'
import { OURS, OVER, PEERS, awaitTurn } from './latency-clock.js'
import type { SharedTurn } from './latency-clock.js'

const { turn, peerNs } = workerData as SharedTurn
let round = 0
while (Atomics.load(turn, 0) !== OVER) {
  if (!awaitTurn(turn, PEERS, round, 1_000)) continue
  peerNs[0] = process.hrtime.bigint()
  Atomics.compareExchange(turn, 0, PEERS, OURS)
  Atomics.notify(turn, 0)
  round++
}
