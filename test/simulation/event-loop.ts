/** Simulated time: what happens next, in order; two events of one instant in the order they were scheduled. */

interface Event {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
}

export class EventLoop {
  nowMs = 0
  private readonly heap: Event[] = []
  private readonly unsettled: Promise<void>[] = []
  private scheduled = 0

  after(delayMs: number, run: () => void): void {
    const event = { atMs: this.nowMs + delayMs, order: this.scheduled++, run }
    const { heap } = this
    let place = heap.length
    heap.push(event)
    while (place > 0) {
      const parent = (place - 1) >> 1
      const above = heap[parent]!
      if (!isEarlier(event, above)) break
      heap[place] = above
      place = parent
    }
    heap[place] = event
  }

  /** Something finishes beside the events: no other event happens before it has. */
  settle(promise: Promise<void> = Promise.resolve()): void {
    this.unsettled.push(promise)
  }

  /** Runs what is due until `untilMs`, which is the time afterwards. */
  async runUntil(untilMs: number): Promise<void> {
    for (let next = this.heap[0]; next !== undefined && next.atMs <= untilMs; next = this.heap[0]) {
      this.removeFirst()
      this.nowMs = next.atMs
      next.run()
      while (this.unsettled.length > 0) await Promise.all(this.unsettled.splice(0))
    }
    this.nowMs = untilMs
  }

  private removeFirst(): void {
    const { heap } = this
    const last = heap.pop()!
    if (heap.length === 0) return
    let place = 0
    for (;;) {
      let child = place * 2 + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isEarlier(heap[child + 1]!, heap[child]!)) child++
      if (!isEarlier(heap[child]!, last)) break
      heap[place] = heap[child]!
      place = child
    }
    heap[place] = last
  }
}

const isEarlier = (a: Event, b: Event): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)

/** Something that can die: what it scheduled in one life does not happen in the next. */
export class Process {
  private lives = 0
  alive = false

  constructor(protected readonly loop: EventLoop) {}

  protected begin(): void {
    this.lives++
    this.alive = true
  }

  protected end(): void {
    this.lives++
    this.alive = false
  }

  protected later(delayMs: number, run: () => void): void {
    const { lives } = this
    this.loop.after(delayMs, () => {
      if (this.lives === lives) run()
    })
  }
}
