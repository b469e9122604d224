import { describe, expect, it } from 'vitest'
import { shardOf } from '../../../src/lib/games/assignment.js'
import { ShardAssignments } from '../../../src/lib/games/shard-assignments.js'
import { LEASE_MS } from '../../../src/lib/model/handover.js'

const GAMES = Array.from({ length: 400 }, (_, i) => ({
  league: 'nba' as const,
  gameId: String(401_000_000 + i),
}))
const NOW = 1_769_500_000_000
const nobody = () => false

describe('rendezvous hashing', () => {
  it('uses every shard about evenly, and only those there are', () => {
    const counts = new Map<number, number>()
    for (const game of GAMES) {
      const shard = shardOf(game, [0, 2, 3, 7])
      counts.set(shard, (counts.get(shard) ?? 0) + 1)
    }
    expect([...counts.keys()].sort()).toEqual([0, 2, 3, 7])
    for (const count of counts.values()) expect(count).toBeGreaterThan(60)
    expect(GAMES.every((game) => shardOf(game, [0]) === 0)).toBe(true)
  })

  it('moves games only to a shard that comes and from one that goes, never between the others', () => {
    const added = GAMES.filter((game) => shardOf(game, [0, 1, 2, 3]) !== shardOf(game, [0, 1, 2, 3, 4]))
    expect(added.length).toBeGreaterThan(40)
    expect(added.length).toBeLessThan(140)
    expect(added.every((game) => shardOf(game, [0, 1, 2, 3, 4]) === 4)).toBe(true)
    const removed = GAMES.filter((game) => shardOf(game, [0, 1, 2, 3]) !== shardOf(game, [0, 2, 3]))
    expect(removed.every((game) => shardOf(game, [0, 1, 2, 3]) === 1)).toBe(true)
  })
})

describe('the shard of a game', () => {
  const [game] = GAMES.filter((each) => shardOf(each, [0, 1]) === 1)
  const assign = (of: ShardAssignments, nowMs: number) => {
    const [{ shard, handover } = { shard: -1, handover: undefined }] = of.assign([game!], nowMs)
    return { shard, handover }
  }

  it('is the only one there is, and nothing is announced', () => {
    expect(new ShardAssignments(1).assign([game!], NOW)).toEqual([{ ...game, shard: 0 }])
  })

  it('is announced ahead, by more than what a shard may decide on without hearing of it', () => {
    const assignments = new ShardAssignments(2)
    assign(assignments, NOW)
    assignments.setAble([0], nobody)
    const { shard, handover } = assign(assignments, NOW + 60_000)
    expect({ shard, from: handover!.from }).toEqual({ shard: 0, from: 1 })
    expect(handover!.atMs).toBeGreaterThan(NOW + 60_000 + LEASE_MS)
    expect(assignments.moves).toBe(1)
  })

  it('takes effect at once only when the shard before said that it stops', () => {
    const assignments = new ShardAssignments(2)
    assign(assignments, NOW)
    assignments.setAble([0], (shard) => shard === 1)
    expect(assign(assignments, NOW + 60_000).handover).toEqual({ from: 1, atMs: NOW + 60_000 })
  })

  it('says nothing of who had the game before this life, and lets whoever it was go on until then', () => {
    const { shard, handover } = assign(new ShardAssignments(2), NOW)
    expect(handover!.from).toBe(shard)
    expect(handover!.atMs).toBeGreaterThan(NOW + LEASE_MS)
  })

  it('moves again only after the move before, and asks for it', () => {
    const assignments = new ShardAssignments(2)
    assign(assignments, NOW)
    assignments.setAble([0], nobody)
    const first = assign(assignments, NOW + 60_000)
    assignments.setAble([0, 1], nobody)
    expect(assign(assignments, NOW + 60_500)).toEqual(first)
    expect(assignments.isWaiting).toBe(true)
    expect(assign(assignments, first.handover!.atMs)).toMatchObject({ shard: 1, handover: { from: 0 } })
    expect(assignments.isWaiting).toBe(false)
    expect(assignments.moves).toBe(2)
  })

  it('is not moved into the past by a clock that steps back', () => {
    const assignments = new ShardAssignments(2)
    assign(assignments, NOW)
    assignments.setAble([0], nobody)
    expect(assign(assignments, NOW - 10_000)).toMatchObject({ shard: 1 })
    const later = assign(assignments, NOW + 4_000)
    expect(later.shard).toBe(0)
    assignments.setAble([0, 1], nobody)
    assign(assignments, NOW + 60_000)
    expect(assign(assignments, NOW).handover!.atMs).toBeGreaterThan(NOW + 60_000 + LEASE_MS)
  })

  it('stays where it is when nobody can trade', () => {
    const assignments = new ShardAssignments(2)
    assign(assignments, NOW)
    assignments.setAble([0], nobody)
    assign(assignments, NOW + 10_000)
    assignments.setAble([], nobody)
    expect(assign(assignments, NOW + 20_000).shard).toBe(0)
  })

  it('is told without its move once that is long done', () => {
    const assignments = new ShardAssignments(2)
    assign(assignments, NOW)
    expect(assign(assignments, NOW + 50_000).handover).toBeDefined()
    expect(assign(assignments, NOW + 70_000)).toEqual({ shard: 1, handover: undefined })
  })
})
