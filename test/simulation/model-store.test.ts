import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NOWHERE } from '../../src/lib/bus/position.js'
import type { Position } from '../../src/lib/bus/position.js'
import { endOf } from '../../src/lib/mirror/item.js'
import type { Item } from '../../src/lib/mirror/item.js'
import { BatchWriter } from '../../src/lib/mirror/writer.js'
import { connectRedis } from '../../src/lib/redis/connection.js'
import type { RedisLink } from '../../src/lib/redis/connection.js'
import { TestRedis, readGaps, readStream } from '../lib/redis/support.js'
import { ModelStore } from './model-store.js'
import type { StoreState } from './model-store.js'

const SOURCE = 'orchestrator.games'
const STREAMS = ['sim:games:events', 'sim:other:events'] as const
/** Of another type in Redis: whatever is written there is refused. */
const SPOILT = 'sim:spoilt'
const GAMES = ['sim:games:nba:1', 'sim:games:nba:2'] as const
const KEPT = 4
const EXPIRE_AT_MS = 4_000_000_000_000

class SpoiltStore extends ModelStore {
  protected override addRecord(item: Extract<Item, { kind: 'record' }>): boolean {
    return item.value.stream !== SPOILT && super.addRecord(item)
  }
}

/** What to do next, said against where the store is by then, so that most of it makes sense. */
interface Step {
  readonly kind: 'record' | 'gap' | 'epoch' | 'closed'
  /** 0: where it belongs. */
  readonly offBy: number
  readonly size: number
  readonly epochOff: number
  readonly place: number
}

const step = fc.record<Step>({
  kind: fc.oneof(
    { weight: 4, arbitrary: fc.constant('record' as const) },
    { weight: 2, arbitrary: fc.constantFrom('gap' as const, 'epoch' as const, 'closed' as const) },
  ),
  offBy: fc.oneof(
    { weight: 8, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: -4, max: 2 }) },
  ),
  size: fc.integer({ min: 0, max: 3 }),
  epochOff: fc.oneof(
    { weight: 12, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.constantFrom(-10, 10) },
  ),
  place: fc.integer({ min: 0, max: 16 }),
})

type Command =
  | {
      readonly do: 'write'
      readonly baseOff: number
      readonly backBy: number
      readonly steps: readonly Step[]
    }
  | { readonly do: 'empty' | 'forget' | 'save' | 'restore' }

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      baseOff: fc.oneof(
        { weight: 5, arbitrary: fc.constant(0) },
        { weight: 1, arbitrary: fc.constantFrom(-2, 3) },
      ),
      backBy: fc.oneof(
        { weight: 3, arbitrary: fc.constant(0) },
        { weight: 1, arbitrary: fc.integer({ min: 1, max: 4 }) },
      ),
      steps: fc.array(step, { minLength: 1, maxLength: 8 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom<'empty' | 'forget' | 'save' | 'restore'>('empty', 'forget', 'save', 'restore'),
    }),
  },
)

/** The items of a call that begins at `from`. */
function itemsOf(from: Position, steps: readonly Step[]): Item[] {
  let at = from
  return steps.map((step): Item => {
    const item = itemOf(at, step)
    at = endOf(item)
    return item
  })
}

function itemOf(at: Position, { kind, offBy, size, epochOff, place }: Step): Item {
  const epoch = Math.max(0, at.epoch + epochOff)
  const next = Math.max(1, at.seq + 1 + offBy)
  switch (kind) {
    case 'record': {
      const game = place < 8 ? GAMES[place % GAMES.length] : undefined
      const stream = place === 16 ? SPOILT : STREAMS[place % STREAMS.length]!
      const data = Buffer.from(JSON.stringify({ source: SOURCE, epoch, seq: next }))
      const snapshot = game === undefined ? {} : { snapshot: { key: game, expireAtMs: EXPIRE_AT_MS + next } }
      return { kind, epoch, seq: next, value: { stream, topic: `games.nba.${place}`, data, ...snapshot } }
    }
    case 'gap':
      return { kind, epoch, from: next, to: next + size, reason: 'retention' }
    case 'epoch':
      return { kind, from: epoch, to: epoch + 10 + offBy, reason: size === 0 ? null : 'epoch_end_unknown' }
    case 'closed':
      return { kind, epoch, seq: Math.max(0, at.seq + offBy) }
  }
}

let server: TestRedis
let link: RedisLink
beforeAll(async () => {
  server = await TestRedis.start(['--stream-node-max-entries', '1'])
  link = await connectRedis(server.url, 'test')
})
afterAll(async () => {
  link.close()
  await server.stop()
})

/** What Redis holds, in the words of the model. */
async function held(): Promise<Pick<StoreState, 'streams' | 'strings' | 'gaps'>> {
  const streams = new Map<string, StoreState['streams'] extends ReadonlyMap<string, infer E> ? E : never>()
  for (const stream of STREAMS) {
    const entries = await readStream(server.look, stream)
    if (entries.length > 0)
      streams.set(
        stream,
        entries.map(({ id: _, source: __, ...entry }) => entry),
      )
  }
  const strings = new Map<string, StoreState['strings'] extends ReadonlyMap<string, infer E> ? E : never>()
  for (const game of GAMES) {
    const data = await server.look.getBuffer(game)
    if (data === null) continue
    const { epoch, seq } = JSON.parse(data.toString()) as Position
    strings.set(game, { epoch, seq, data, expireAtMs: Number(await server.look.call('PEXPIRETIME', game)) })
  }
  const gaps = (await readGaps(server.look)).map(({ channel: _, ...gap }) => gap)
  return { streams, strings, gaps }
}

const KEYS = [`sim:arbees:checkpoint:${SOURCE}`, 'sim:arbees:gaps', ...STREAMS, ...GAMES]

/** A backup of everything, as bytes. */
async function backUp(): Promise<() => Promise<void>> {
  const dumps = await Promise.all(KEYS.map((key) => server.look.dumpBuffer(key)))
  const expiries = await Promise.all(KEYS.map((key) => server.look.call('PEXPIRETIME', key)))
  return async () => {
    for (const [i, key] of KEYS.entries()) {
      const dump = dumps[i] ?? null
      const expiry = Math.max(0, Number(expiries[i]))
      if (dump === null) await server.look.del(key)
      else await server.look.restore(key, expiry, dump, 'REPLACE', 'ABSTTL')
    }
  }
}

describe('the model of the store', () => {
  it(
    'is the script on a real Redis, call by call, whatever is asked of both',
    { timeout: 60_000 },
    async () => {
      const seen = new Map<string, number>()
      await fc.assert(
        fc.asyncProperty(fc.array(command, { minLength: 1, maxLength: 14 }), async (commands) => {
          await server.look.flushall()
          await server.look.set(SPOILT, 'x')
          const writer = new BatchWriter({ redis: link.redis, env: 'sim', source: SOURCE, maxLength: KEPT })
          const model = new SpoiltStore(KEPT)
          let saved: { readonly state: StoreState; readonly restore: () => Promise<void> } | undefined
          for (const command of commands) {
            if (command.do === 'write') {
              const at = model.read()
              const from = { epoch: at.epoch, seq: Math.max(0, at.seq - command.backBy) }
              const base = { epoch: at.epoch, seq: Math.max(0, from.seq + command.baseOff) }
              const items =
                at.epoch === 0
                  ? [enter, ...itemsOf(endOf(enter), command.steps)]
                  : itemsOf(from, command.steps)
              const outcome = model.write(base, items)
              const { message: _, ...real } = await writer.write(base, items)
              expect(real).toEqual(outcome)
              seen.set(real.status, (seen.get(real.status) ?? 0) + 1)
            } else if (command.do === 'empty') {
              model.restore()
              await server.look.flushall()
              await server.look.set(SPOILT, 'x')
            } else if (command.do === 'forget') {
              model.restore({ ...model.capture(), checkpoint: NOWHERE })
              await server.look.del(KEYS[0]!)
            } else if (command.do === 'save') {
              saved = { state: model.capture(), restore: await backUp() }
            } else if (saved !== undefined) {
              model.restore(saved.state)
              await saved.restore()
            }
            expect(await writer.readCheckpoint()).toEqual(model.read())
            const { checkpoint: _, ...state } = model.capture()
            expect(await held()).toEqual(state)
          }
        }),
      )
      // A run that never came to a refusal would show little.
      expect([...seen.keys()].sort()).toEqual([
        'BEHIND',
        'BROKEN_BATCH',
        'EPOCH_REGRESSED',
        'ERROR',
        'MOVED',
        'OK',
      ])
    },
  )
})

const enter: Item = { kind: 'epoch', from: NOWHERE.epoch, to: 1_769_500_000_000, reason: null }
