import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ShardAssignments } from '../../../src/lib/games/shard-assignments.js'
import type { Assignment } from '../../../src/lib/games/shard-assignments.js'
import { LEASE_MS } from '../../../src/lib/model/handover.js'
import { Lease, Ownership } from '../../../src/lib/strategy/ownership.js'

const START = 1_769_500_000_000
const SHARDS = 3
const GAME = { league: 'nba' as const, gameId: '401' }

/** What the orchestrator sends: a word on the game, or a heartbeat; in which life, and when by its clock. */
interface Word {
  readonly life: number
  readonly atMs: number
  readonly word: Assignment | undefined
}

/** Who can trade changes; the orchestrator crashes and lives again, its clock set forward by `stepMs`. */
interface Trouble {
  readonly afterMs: number
  readonly able: readonly number[]
  readonly restart: { readonly stepMs: number } | undefined
}

/** Half a minute of an orchestrator, a step a fifth of a second, as one that is fast or slow to find out. */
function talk(troubles: readonly Trouble[]): Word[] {
  const words: Word[] = []
  let life = 1
  let stepMs = 0
  let assignments = new ShardAssignments(SHARDS)
  let told: Assignment | undefined
  for (let ms = 0; ms < 30_000; ms += 200) {
    for (const { afterMs, able, restart } of troubles) {
      if (afterMs !== ms) continue
      assignments.setAble(able, () => false)
      if (restart === undefined) continue
      life++
      stepMs += restart.stepMs
      assignments = new ShardAssignments(SHARDS)
      assignments.setAble(able, () => false)
    }
    const atMs = START + ms + stepMs
    const [word] = assignments.assign([GAME], atMs)
    if (word === undefined) continue
    if (JSON.stringify(word) !== JSON.stringify(told) || ms % 5_000 === 0) words.push({ life, atMs, word })
    told = word
    words.push({ life, atMs, word: undefined })
  }
  return words
}

/** A shard that has heard `heard` of these words, the last of which say that something before them is lost. */
class Listener {
  readonly lease = new Lease()
  readonly ownership: Ownership
  private life = 0
  private next = 0
  private isWhole = true

  constructor(
    index: number,
    private readonly words: readonly Word[],
    /** Of a life, the word from which on nothing comes until the next life. */
    private readonly lostFrom: ReadonlyMap<number, number>,
    private readonly rules: { readonly doubts: boolean; readonly leases: boolean },
  ) {
    this.ownership = new Ownership(index, this.lease)
  }

  hearUntil(count: number): void {
    for (; this.next < Math.min(count, this.words.length); this.next++) this.hear(this.next)
  }

  /** Decides as the shard does. */
  decides(sentMs: number): boolean {
    if (!this.rules.leases) this.lease.toldMs = Infinity
    return this.ownership.of(sentMs) === 'own'
  }

  private hear(index: number): void {
    const { life, atMs, word } = this.words[index]!
    if (index >= (this.lostFrom.get(life) ?? Infinity)) {
      this.isWhole = false
      return
    }
    if (life !== this.life) {
      if (this.life !== 0 && this.rules.doubts) this.ownership.doubt()
      this.life = life
      this.isWhole = true
    }
    if (word !== undefined) this.ownership.told(word)
    else if (this.isWhole) this.lease.toldMs = atMs
  }
}

const trouble = fc.record({
  afterMs: fc.integer({ min: 1, max: 149 }).map((step) => step * 200),
  able: fc.subarray([0, 1, 2], { minLength: 1 }),
  restart: fc.option(fc.record({ stepMs: fc.integer({ min: 0, max: 2_000 }) }), { nil: undefined }),
})
const world = fc.record({
  troubles: fc.array(trouble, { maxLength: 6 }),
  /** By shard and life, from which of its words on nothing is heard. */
  lost: fc.array(fc.tuple(fc.nat(2), fc.integer({ min: 1, max: 3 }), fc.nat(150)), { maxLength: 4 }),
  /** By shard, how many words behind the orchestrator it is, at each of some moments. */
  paces: fc.array(fc.array(fc.nat(170), { minLength: SHARDS, maxLength: SHARDS }), {
    minLength: 4,
    maxLength: 30,
  }),
  /** Quotes, by when their publisher says that they were sent; its clock is its own. */
  quotes: fc.array(fc.integer({ min: -5_000, max: 38_000 }), { minLength: 20, maxLength: 60 }),
})

/** Each quote, and the shards that decided on it at any of the moments. */
function decisions(
  { troubles, lost, paces, quotes }: typeof world extends fc.Arbitrary<infer T> ? T : never,
  rules = { doubts: true, leases: true },
): Map<number, Set<number>> {
  const words = talk(troubles)
  const shards = Array.from({ length: SHARDS }, (_, index) => {
    const lostFrom = new Map<number, number>()
    for (const [shard, life, from] of lost) {
      const first = words.findIndex((word) => word.life === life)
      if (shard === index && first !== -1) lostFrom.set(life, first + from)
    }
    return new Listener(index, words, lostFrom, rules)
  })
  const decided = new Map(quotes.map((quote) => [quote, new Set<number>()]))
  const moments = [...paces, Array.from({ length: SHARDS }, () => words.length)]
  const heard = [0, 0, 0]
  for (const moment of moments) {
    for (const [index, shard] of shards.entries()) {
      heard[index] = Math.max(heard[index]!, moment[index]!)
      shard.hearUntil(heard[index])
      for (const [quote, by] of decided) if (shard.decides(START + quote)) by.add(index)
    }
  }
  return decided
}

const isDoubled = (decided: Map<number, Set<number>>) => [...decided.values()].some(({ size }) => size > 1)

describe('whose a quote is', () => {
  it('is never two shards, however late and however little each has heard of the moves', () => {
    fc.assert(
      fc.property(world, (each) => {
        expect(isDoubled(decisions(each))).toBe(false)
      }),
      { numRuns: 150 },
    )
  })

  it.each([
    ['a shard decides without a lease', { doubts: true, leases: false }],
    ['a lost end of a life is not doubted', { doubts: false, leases: true }],
  ])('is two shards when %s', (_, rules) => {
    const doubled = fc.check(
      fc.property(world, (each) => !isDoubled(decisions(each, rules))),
      { numRuns: 3_000, seed: 7, endOnFailure: true },
    )
    expect(doubled.failed).toBe(true)
  })

  it('is exactly one shard where everybody hears everything', () => {
    const troubles = fc.array(
      trouble.map((each) => ({ ...each, restart: undefined })),
      { maxLength: 6 },
    )
    fc.assert(
      fc.property(world, troubles, (each, calm) => {
        const decided = decisions({ ...each, troubles: calm, lost: [] })
        for (const [quote, { size }] of decided) {
          if (quote >= LEASE_MS + 500 && quote < 29_800 + LEASE_MS) expect(size).toBe(1)
        }
      }),
      { numRuns: 80 },
    )
  })
})

describe('an owner', () => {
  const lease = () => Object.assign(new Lease(), { toldMs: START })
  const owned = (index: number) => new Ownership(index, lease())

  it('is nobody before the first word', () => {
    expect(new Ownership(0, new Lease()).of(START)).toBe('unknown')
    expect(owned(0).of(START)).toBe('other')
    expect(owned(0).isWanted(START)).toBe(false)
  })

  it('is not known beyond what the orchestrator has told', () => {
    const game = owned(0)
    game.told({ shard: 0 })
    expect(game.of(START + LEASE_MS - 1)).toBe('own')
    expect(game.of(START + LEASE_MS)).toBe('unknown')
    game.lease.toldMs += 1
    expect(game.of(START + LEASE_MS)).toBe('own')
  })

  it('changes at the moment that the move names, twice in a row too', () => {
    const game = owned(0)
    game.told({ shard: 0 })
    game.told({ shard: 1, handover: { from: 0, atMs: START - 2_000 } })
    game.told({ shard: 0, handover: { from: 1, atMs: START - 1_000 } })
    expect([-2_001, -2_000, -1_001, -1_000].map((ms) => game.of(START + ms))).toEqual([
      'own',
      'other',
      'other',
      'own',
    ])
  })

  it('keeps a game that it gave away for the quotes that are still to come, and no longer', () => {
    const game = owned(0)
    game.told({ shard: 1, handover: { from: 0, atMs: START } })
    expect(game.isWanted(START + 4_999)).toBe(true)
    expect(game.isWanted(START + 5_000)).toBe(false)
  })

  it('wants a game from the announcement on', () => {
    const game = owned(1)
    game.told({ shard: 1, handover: { from: 0, atMs: START + 3_000 } })
    expect(game.isWanted(START)).toBe(true)
    expect(game.of(START)).toBe('other')
  })

  it('stays where it was when a new orchestrator does not know it', () => {
    const game = owned(0)
    game.told({ shard: 0 })
    game.told({ shard: 0, handover: { from: 0, atMs: START + 1_000 } })
    expect([game.of(START), game.of(START + 1_000)]).toEqual(['own', 'own'])
    const other = owned(1)
    other.told({ shard: 0, handover: { from: 0, atMs: START + 1_000 } })
    expect(other.of(START)).toBe('other')
  })

  it('ends with the lease when something that was said may be lost, until the next word', () => {
    const game = owned(0)
    game.told({ shard: 0 })
    game.doubt()
    game.lease.toldMs += 5_000
    expect([game.of(START + LEASE_MS - 1), game.of(START + LEASE_MS)]).toEqual(['own', 'unknown'])
    game.told({ shard: 0, handover: { from: 0, atMs: START + 4_000 } })
    expect([game.of(START + LEASE_MS), game.of(START + 4_000)]).toEqual(['other', 'own'])
  })

  it('remembers a bounded number of moves', () => {
    const game = owned(0)
    for (let move = 1; move <= 1_000; move++) {
      game.told({ shard: move % 2, handover: { from: (move + 1) % 2, atMs: START - 2_000 + move } })
    }
    expect(JSON.stringify(game).length).toBeLessThan(600)
  })
})
