/** What is to happen at a virtual time: the earliest first, those of one time in the order in which they were added. */

interface Entry<T> {
  readonly atUs: number
  readonly order: number
  readonly event: T
}

export class EventQueue<T> {
  /** A binary heap. */
  private readonly entries: Entry<T>[] = []
  private added = 0

  add(atUs: number, event: T): void {
    const { entries } = this
    const entry = { atUs, order: this.added++, event }
    let at = entries.length
    for (let parent = (at - 1) >> 1; at > 0; at = parent, parent = (at - 1) >> 1) {
      const above = entries[parent]
      if (above === undefined || isFirst(above, entry)) break
      entries[at] = above
    }
    entries[at] = entry
  }

  /** Takes out the next one before `beforeUs`. */
  takeBefore(beforeUs: number): { readonly atUs: number; readonly event: T } | undefined {
    const { entries } = this
    const [first] = entries
    if (first === undefined || first.atUs >= beforeUs) return undefined
    const last = entries.pop()
    if (last !== undefined && last !== first) this.sink(last)
    return first
  }

  private sink(entry: Entry<T>): void {
    const { entries } = this
    let at = 0
    for (;;) {
      const [left, right] = [entries[2 * at + 1], entries[2 * at + 2]]
      if (left === undefined) break
      const isRight = right !== undefined && isFirst(right, left)
      const below = isRight ? right : left
      if (isFirst(entry, below)) break
      entries[at] = below
      at = 2 * at + (isRight ? 2 : 1)
    }
    entries[at] = entry
  }
}

const isFirst = <T>(one: Entry<T>, two: Entry<T>): boolean =>
  one.atUs < two.atUs || (one.atUs === two.atUs && one.order < two.order)
