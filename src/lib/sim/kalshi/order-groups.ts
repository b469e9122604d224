/**
 * An account's order groups: a brake at the venue. When more contracts than the limit are matched within 15 seconds,
 * the group is triggered: its orders are canceled and no new one is taken until it is reset.
 */

import { randomUUID } from 'node:crypto'

const WINDOW_MS = 15_000

interface Match {
  readonly atMs: number
  readonly countE2: number
}

export interface OrderGroup {
  readonly id: string
  readonly exchangeIndex: number
  readonly subaccount: number
  limitE2: number
  triggered: boolean
  /** Of the last 15 seconds. */
  matches: readonly Match[]
}

export class OrderGroups {
  private readonly groups = new Map<string, OrderGroup>()

  create(place: Pick<OrderGroup, 'exchangeIndex' | 'subaccount'>, limitE2: number): OrderGroup {
    const group: OrderGroup = { id: randomUUID(), ...place, limitE2, triggered: false, matches: [] }
    this.groups.set(group.id, group)
    return group
  }

  get(id: string): OrderGroup | undefined {
    return this.groups.get(id)
  }

  list(): readonly OrderGroup[] {
    return [...this.groups.values()]
  }

  delete(id: string): void {
    this.groups.delete(id)
  }
}

/** Counts a match. True when it takes the group over its limit: the caller triggers it. */
export function noteMatch(group: OrderGroup, countE2: number, nowMs: number): boolean {
  group.matches = [...group.matches, { atMs: nowMs, countE2 }]
  return isOver(group, nowMs)
}

/** True when the group is to be triggered and is not yet: also asked after its limit was lowered. */
export function isOver(group: OrderGroup, nowMs: number): boolean {
  group.matches = group.matches.filter(({ atMs }) => nowMs - atMs < WINDOW_MS)
  const matchedE2 = group.matches.reduce((sum, { countE2 }) => sum + countE2, 0)
  return !group.triggered && matchedE2 > group.limitE2
}

export function resetGroup(group: OrderGroup): void {
  group.triggered = false
  group.matches = []
}
