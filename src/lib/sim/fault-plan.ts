/** When a venue's faults happen: each once, by scenario time, by frames sent on a connection, or by requests. */

import type { Fault, RequestFault, SocketFault, VenueFault } from './faults.js'

export interface FaultListener {
  /** @param connection the one that was sent the frames, where that is why it happens now. */
  onFault(fault: SocketFault | VenueFault, connection: number | undefined): void
}

export class FaultPlan {
  private waiting: readonly { readonly fault: Fault; seen: number }[]
  private readonly armed: { readonly fault: RequestFault; left: number }[] = []
  private listener: FaultListener | undefined

  constructor(faults: readonly Fault[]) {
    this.waiting = faults.map((fault) => ({ fault, seen: 0 }))
  }

  listen(listener: FaultListener): void {
    this.listener = listener
  }

  /** Scenario time, ms. */
  onTime(scenarioMs: number): void {
    this.fireWhere(({ trigger: { kind, count } }) => kind === 'at_ms' && scenarioMs >= count)
  }

  /** A connection (the how many-th since the start) was sent so many data frames by now. */
  onFrames(connection: number, frames: number): void {
    this.fireWhere((fault) => {
      const { kind, count } = fault.trigger
      const named = fault.on === 'connection' ? (fault.connection ?? connection) : connection
      return kind === 'after_frames' && frames >= count && named === connection
    }, connection)
  }

  /** A request comes: what is to happen to it, if anything. */
  onRequest(method: string, path: string): RequestFault | undefined {
    for (const entry of this.waiting) {
      const { fault } = entry
      const concerns = fault.trigger.kind === 'after_requests' && matches(fault, method, path)
      if (concerns) entry.seen += 1
    }
    this.fireWhere(({ trigger: { kind, count } }, seen) => kind === 'after_requests' && seen > count)
    const index = this.armed.findIndex(({ fault }) => matches(fault, method, path))
    const hit = this.armed[index]
    if (hit === undefined) return undefined
    hit.left -= 1
    if (hit.left <= 0) this.armed.splice(index, 1)
    return hit.fault
  }

  private fireWhere(isDue: (fault: Fault, seen: number) => boolean, connection?: number): void {
    const due = this.waiting.filter(({ fault, seen }) => isDue(fault, seen))
    if (due.length === 0) return
    this.waiting = this.waiting.filter((entry) => !due.includes(entry))
    for (const { fault } of due) {
      if (fault.on === 'request') this.armed.push({ fault, left: fault.times })
      else this.listener?.onFault(fault, connection)
    }
  }
}

function matches(fault: Fault, method: string, path: string): boolean {
  if (fault.on !== 'request') return true
  return (fault.method ?? method) === method && path.endsWith(fault.path ?? '')
}
