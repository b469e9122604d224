/**
 * What the journal of its inputs costs a shard, us a message: the same messages through the same decider, with and
 * without, so many in each turn of the event loop. CPU time, medians of rounds that alternate.
 *
 *     node --import ./test/lib/run-typescript.mjs test/costs/main.ts
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { Journal } from '../../src/lib/bus/journal/journal.js'
import { FileStorage } from '../../src/lib/bus/journal/storage.js'
import { systemClock } from '../../src/lib/core/clock.js'
import { hostId } from '../../src/lib/core/ids.js'
import { decode, encode } from '../../src/lib/messages/codec.js'
import type { Message } from '../../src/lib/messages/codec.js'
import { ShardDecider } from '../../src/lib/roles/shard-decider.js'
import type { ShardInputs } from '../../src/lib/roles/shard-decider.js'
import { ShardRecorder } from '../../src/lib/roles/shard-recorder.js'
import { COND, HOU, gameState } from '../lib/roles/shard-stage.js'

const ROUNDS = 7
const MESSAGES = 20_000
const host = hostId()
const strategy = {
  ...{ minEdgeMicros: 2_000, delayCostMicrosPerS: 2_500, maxSizeE2: 10_000, maxEdgeMicros: 300_000 },
  validMs: 1_500,
}
const CHANNELS = ['kalshi.orderbook', 'kalshi.prices', 'poly.orderbook', 'poly.prices']

const epoch = Date.now()
let seq = 0
function message(source: string, topic: string, payload: object): Message {
  const stamps = { recv: systemClock.monoUs(), pub: systemClock.monoUs() }
  const envelope = {
    env: 'sim',
    source,
    epoch,
    seq: ++seq,
    timestampMs: Date.now(),
    host,
    stamps,
  } as const
  const decoded = decode(topic, Buffer.from(encode(envelope, payload)), 'sim')
  if (decoded.kind !== 'message') throw new Error(`not a message: ${JSON.stringify(decoded)}`)
  return decoded.message
}

/** Books and quotes in turns, of two markets that are a pair: every second message is decided on. */
const messages = Array.from({ length: MESSAGES }, (_, i): Message => {
  const [venue, id] = i % 4 < 2 ? (['kalshi', HOU] as const) : (['poly', COND] as const)
  const bid = 0.4 + (i % 5) / 100
  const top = { venue, market_id: id, state: 'LIVE', book_seq: i >> 1 }
  return i % 2 === 0
    ? message(`${venue}.orderbook`, `orderbook.${venue}.${id}`, {
        ...top,
        bids: [[bid, 5]],
        asks: [[0.6, 5]],
      })
    : message(`${venue}.prices`, `prices.${venue}.${id}`, {
        ...top,
        selection: 'HOU',
        yes_bid: bid,
        yes_ask: 0.6,
      })
})

async function usPerMessage(inputs: ShardInputs, perTurn: number): Promise<number> {
  const state = gameState()
  inputs.message(message('orchestrator.games', 'games.nba.401', state), systemClock.monoUs())
  for (const source of CHANNELS) inputs.state(source, true)
  await setImmediate()
  const start = process.cpuUsage()
  for (let i = 0; i < messages.length; i++) {
    inputs.message(messages[i]!, systemClock.monoUs())
    if (i % perTurn === perTurn - 1) await setImmediate()
  }
  await setImmediate()
  const { user, system } = process.cpuUsage(start)
  return (user + system) / messages.length
}

function decider(clock = systemClock): ShardDecider {
  const nothing = () => undefined
  const parts = { index: 0, shards: 1, host, strategy, clock }
  return new ShardDecider({ ...parts, onNoSignal: nothing, onWorthless: nothing, onRefused: nothing })
}

async function recorded(perTurn: number): Promise<{ us: number; bytes: number }> {
  const dir = mkdtempSync(join(tmpdir(), 'arbees-costs-'))
  const storage = new FileStorage(dir)
  const journal = Journal.open({
    ...{ storage, source: 'shard-0.inputs', clock: systemClock, retainBytes: 2 ** 30 },
    ...{ bootId: 'costs', onNotice: () => undefined },
  })
  const signals = { source: 'shard-0.signals', epoch: 1 }
  const recorder = new ShardRecorder(journal, systemClock, { shard: 0, shards: 1, host, signals, strategy })
  const us = await usPerMessage(recorder.around(decider(recorder)), perTurn)
  recorder.close()
  const { bytes } = journal
  rmSync(dir, { recursive: true })
  return { us, bytes: bytes / MESSAGES }
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!

for (const perTurn of [1, 4, 20, 100]) {
  const bare: number[] = []
  const kept: { us: number; bytes: number }[] = []
  for (let round = 0; round < ROUNDS; round++) {
    bare.push(await usPerMessage(decider(), perTurn))
    kept.push(await recorded(perTurn))
  }
  const [without, with_] = [median(bare), median(kept.map(({ us }) => us))]
  const line = { per_turn: perTurn, without_us: without, with_us: with_, costs_us: with_ - without }
  console.log(JSON.stringify({ ...line, bytes: median(kept.map(({ bytes }) => bytes)) }))
}
