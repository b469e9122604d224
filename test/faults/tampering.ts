/**
 * What ours left behind, changed by hand: as if it had lost, doubled, or told of a gap that is none. The load and the
 * fault are real, so each change meets the harness on the way that a real one would take.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Redis } from 'ioredis'
import { redisKeys } from '../../src/lib/redis/keys.js'
import type { Programs } from './actor.js'
import { STREAM } from './side.js'
import { Stage } from './stage.js'
import type { Family } from './stage.js'
import { lineOf } from './verdict.js'
import type { Expectation } from './verdict.js'

/** Falsifies what a run left behind; returns how to undo it. */
type Change = (stage: Stage) => Promise<() => unknown>

/** A change, and what the verdict must say of it. */
interface Tampering {
  readonly name: string
  readonly mustSay: RegExp
  readonly change?: Change
  /** Of its gap records, where not every number is right. */
  readonly gapped?: number
}

export interface TamperedLook {
  readonly name: string
  /** Undefined where nothing was changed. */
  readonly mustSay: RegExp | undefined
  readonly failures: readonly string[]
}

const RETAIN_BYTES = 2 * 1024 * 1024
/** More than the journal retains: some of it is a gap. */
const BURST = 20_000
const GAPS = redisKeys('sim').gaps()

const GAP_TAMPERINGS = {
  hidden: { name: 'a gap that is not told', mustSay: /\d+ lost/ },
  short: { name: 'a gap record that ends too early', mustSay: /^1 lost/ },
  long: { name: 'a gap record that ends too late', mustSay: /^1 in gap records that were not missing/ },
  unexpected: { name: 'a gap where there may be none', mustSay: /in gap records instead of 0/, gapped: 0 },
} as const

const TAMPERINGS: Readonly<Record<Family, readonly Tampering[]>> = {
  bus: [
    { ...GAP_TAMPERINGS.hidden, change: inNotes((line) => (line.startsWith('g') ? [] : [line])) },
    { ...GAP_TAMPERINGS.short, change: inNotes((line) => [withEnd(line, -1)]) },
    { ...GAP_TAMPERINGS.long, change: inNotes((line) => [withEnd(line, 1)]) },
    GAP_TAMPERINGS.unexpected,
  ],
  mirror: [
    {
      name: 'an entry that is missing',
      mustSay: /^1 lost/,
      change: inRedis(async (redis) => void (await redis.xdel(STREAM, (await someEntry(redis)).id))),
    },
    {
      name: 'an entry that is there twice',
      mustSay: /^1 duplicated/,
      change: inRedis(async (redis) => append(redis, STREAM, (await someEntry(redis)).fields)),
    },
    {
      name: 'an entry behind later ones',
      mustSay: /^1 out of order/,
      change: inRedis(async (redis) => {
        const { id, fields } = await someEntry(redis)
        await redis.xdel(STREAM, id)
        await append(redis, STREAM, fields)
      }),
    },
    {
      name: 'an entry whose fields contradict its envelope',
      mustSay: /^1 arrived that nobody sent/,
      change: inRedis(async (redis) => {
        const { fields } = await someEntry(redis)
        await append(redis, STREAM, { ...fields, seq: '1' })
      }),
    },
    { ...GAP_TAMPERINGS.hidden, change: inRedis((redis) => redis.del(GAPS)) },
    { ...GAP_TAMPERINGS.short, change: inRedis((redis) => moveEnd(redis, -1)) },
    { ...GAP_TAMPERINGS.long, change: inRedis((redis) => moveEnd(redis, 1)) },
    GAP_TAMPERINGS.unexpected,
  ],
}

/** Readers that were away for longer than the journal retains; first the honest look, then one after each change. */
export async function tamperedLooks(family: Family, programs: Programs): Promise<TamperedLook[]> {
  const round = { programs, index: 1, keep: false }
  const stage = await Stage.set(family, round, { retainBytes: RETAIN_BYTES })
  const look = async (name: string, gapped: Expectation['gapped']) => {
    const expected: Expectation = { control: 'must_lose', atLeastSent: BURST, gapped }
    return lineOf(name, [await stage.finish()], expected, 0).failures
  }
  try {
    await stage.begin()
    await stage.killReaders()
    await stage.burst(BURST)
    await stage.startReaders()
    const looks: TamperedLook[] = [
      { name: 'a gap, unharmed', mustSay: undefined, failures: await look('unharmed', 'any') },
    ]
    for (const { name, mustSay, change, gapped = 'any' } of TAMPERINGS[family]) {
      const undo = await change?.(stage)
      looks.push({ name, mustSay, failures: await look(name, gapped) })
      await undo?.()
    }
    return looks
  } finally {
    await stage.close()
  }
}

/** Line by line, in the file of what our reader saw. */
function inNotes(lineTo: (line: string) => readonly string[]): Change {
  return ({ dir }) => {
    const path = join(dir, 'ours.notes')
    const honest = readFileSync(path)
    writeFileSync(path, String(honest).split('\n').flatMap(lineTo).join('\n'))
    return Promise.resolve(() => writeFileSync(path, honest))
  }
}

/** `g <epoch> <from> <to> <reason>` with another end. */
const withEnd = (line: string, by: number): string =>
  line.replace(/^(g \d+ \d+) (\d+)/, (_, start: string, to: string) => `${start} ${Number(to) + by}`)

function inRedis(change: (redis: Redis) => Promise<unknown>): Change {
  return async ({ ours }) => {
    const redis = ours.redis?.look
    if (redis === undefined) throw new Error('ours has no Redis')
    const honest = await Promise.all(
      [STREAM, GAPS].map(async (key) => ({ key, dump: await redis.dumpBuffer(key) })),
    )
    await change(redis)
    return () => Promise.all(honest.map(({ key, dump }) => redis.restore(key, 0, dump, 'REPLACE')))
  }
}

type Fields = Readonly<Record<string, string>>

const append = (redis: Redis, key: string, fields: Fields) =>
  redis.xadd(key, '*', ...Object.entries(fields).flat())

async function someEntry(redis: Redis): Promise<{ readonly id: string; readonly fields: Fields }> {
  const [entry] = (await redis.xrevrange(STREAM, '+', '-', 'COUNT', 10)).reverse()
  if (entry === undefined) throw new Error(`nothing is in ${STREAM}`)
  return { id: entry[0], fields: fieldsOf(entry[1]) }
}

/** The last gap record says another end. */
async function moveEnd(redis: Redis, by: number): Promise<void> {
  const [entry] = await redis.xrevrange(GAPS, '+', '-', 'COUNT', 1)
  if (entry === undefined) throw new Error(`nothing is in ${GAPS}`)
  const fields = fieldsOf(entry[1])
  await redis.xdel(GAPS, entry[0])
  await append(redis, GAPS, { ...fields, to: String(Number(fields['to']) + by) })
}

const fieldsOf = (flat: readonly string[]): Fields =>
  Object.fromEntries(flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1] ?? '']] : [])))
