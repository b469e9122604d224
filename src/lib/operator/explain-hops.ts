/** How long each step took, by the stamps in the envelopes. */

import type { Header, Stamps } from '../messages/payloads.js'

/** Microseconds by the host's monotonic clock; null where a stamp is missing or two hosts are between. */
export interface HopTimes {
  /** The venue's time of the quote to its arrival here: two wall clocks, with whatever skew they have. Milliseconds. */
  readonly venue_monitor_ms: number | null
  /** From the frame to the quote on the bus. */
  readonly monitor_us: number | null
  readonly monitor_shard_us: number | null
  readonly decision_us: number | null
  readonly shard_exec_us: number | null
  /** From the signal's arrival to the bytes of the first order. */
  readonly exec_order_us: number | null
  readonly tick_to_order_us: number | null
}

interface Stamped {
  readonly host: string
  readonly stamps: Stamps
}

/** `order` is the first order that was sent, or whatever exec told first. */
export function hopsOf(
  signal: Stamped | undefined,
  trigger: (Stamped & Pick<Header, 'timestamp_ms'>) | undefined,
  order: Stamped | undefined,
): HopTimes {
  const between = (
    from: Stamped | undefined,
    start: keyof Stamps,
    to: Stamped | undefined,
    end: keyof Stamps,
  ) => {
    const [startUs, endUs] = [from?.stamps[start], to?.stamps[end]]
    return from?.host !== to?.host || startUs === undefined || endUs === undefined ? null : endUs - startUs
  }
  const venueMs = trigger?.stamps.venue_ms
  const monitorUs = between(trigger, 'recv', trigger, 'pub')
  return {
    venue_monitor_ms:
      venueMs === undefined || trigger === undefined || monitorUs === null
        ? null
        : trigger.timestamp_ms - Math.round(monitorUs / 1000) - venueMs,
    monitor_us: monitorUs,
    monitor_shard_us: between(trigger, 'pub', signal, 'shard_in'),
    decision_us: between(signal, 'shard_in', signal, 'shard_out'),
    shard_exec_us: between(signal, 'shard_out', order, 'exec_in'),
    exec_order_us: between(order, 'exec_in', order, 'order'),
    tick_to_order_us: between(order, 'recv', order, 'order'),
  }
}
