/**
 * The hops of a quote on its way to an order, from the stamps that messages carry. Two moments of one host are told
 * apart by its monotonic clock, those of two hosts by their wall clocks.
 */

import { evictOldest } from '../core/evict-oldest.js'
import type { Message } from '../messages/codec.js'
import type { Header } from '../messages/payloads.js'

/** What is measured on live traffic, in the order of the way. */
export const LIVE_HOPS = [
  /** The venue's own time of a change, to its frame at the monitor. */
  'venue_monitor',
  /** The frame at the monitor, to its message handed to the bus. */
  'frame_to_quote',
  /** The triggering message handed to the bus, to the shard. */
  'monitor_shard',
  /** The triggering message at the shard, to the signal decided. */
  'decision',
  /** The signal decided, to exec. */
  'shard_exec',
  /** The signal at exec, to the bytes of its opening order written. */
  'exec_venue',
  /** The frame at the monitor, to those bytes. */
  'tick_to_order',
  /** What a heartbeat speaks of, to all of it in Redis. */
  'mirror_lag',
  /** A message handed to the bus, to this command. */
  'receive',
] as const
/** What is measured by asking. */
export const PROBE_HOPS = [
  /** A PING on a publisher's recovery socket. */
  'echo',
  /** A PING of Redis. */
  'redis_echo',
  /** A byte to another thread and back over bare TCP on loopback. */
  'tcp_echo',
  /** A turn of this process's event loop. */
  'loop_turn',
  /** How late a timer of this process fires. */
  'timer_late',
] as const
export const HOPS = [...LIVE_HOPS, ...PROBE_HOPS] as const
export type Hop = (typeof HOPS)[number]

/** A time between two moments, and what told it. */
export type Reading =
  | { readonly us: number; readonly clock: 'monotonic' | 'venue' }
  /** Between two hosts: as wrong as their wall clocks differ. */
  | { readonly us: number; readonly clock: 'wall'; readonly from: string; readonly to: string }

/** A reading with what it is of. */
export interface Sample {
  readonly hop: Hop
  readonly reading: Reading
  /** Of the message that completes the hop. */
  readonly source: string
  readonly topic: string
}

/** An instant of a host on both of its clocks. */
export interface Moment {
  readonly host: string
  readonly monoUs: number
  readonly wallMs: number
}

export function between(from: Moment, to: Moment): Reading {
  if (from.host === to.host) return { us: to.monoUs - from.monoUs, clock: 'monotonic' }
  return { us: (to.wallMs - from.wallMs) * 1000, clock: 'wall', from: from.host, to: to.host }
}

/** Triggers and signals that are remembered for what refers to them. */
const REMEMBERED = 50_000
/** References that wait for what they refer to. */
const WAITING = 1_000

interface Trigger {
  readonly frame: Moment | undefined
  readonly published: Moment
}

export class HopMeter {
  /** By trace. */
  private readonly triggers = new Meeting<Trigger>()
  /** When each was decided, by signal id. */
  private readonly signals = new Meeting<Moment>()
  /** Signals and orders whose opening was counted: several messages tell of the same. */
  private readonly arrived = new Set<string>()
  private readonly sent = new Set<string>()

  constructor(private readonly onSample: (sample: Sample) => void) {}

  /** Signals and orders of which the message before is not known: it was published before this began, or is not read. */
  get unmatched(): number {
    return this.triggers.waiting + this.signals.waiting
  }

  take(message: Message, topic: string): void {
    const { header } = message
    const emit = (hop: Hop, reading: Reading) => this.onSample({ hop, reading, source: header.source, topic })
    const { shard_in: shardIn, shard_out: shardOut, exec_in: execIn, order, recv, pub } = header.stamps
    switch (message.family) {
      case 'prices':
      case 'orderbook':
      case 'games': {
        if (pub === undefined) return
        const frame = recv === undefined ? undefined : momentOf(header, recv)
        const published = momentOf(header, pub)
        this.triggers.put(header.trace, { frame, published })
        if (frame === undefined) return
        const { venue_ms: venueMs } = header.stamps
        if (venueMs !== undefined) {
          emit('venue_monitor', { us: (frame.wallMs - venueMs) * 1000, clock: 'venue' })
        }
        return emit('frame_to_quote', between(frame, published))
      }
      case 'signals': {
        if (shardIn === undefined || shardOut === undefined) return
        const [arrived, decided] = [momentOf(header, shardIn), momentOf(header, shardOut)]
        this.triggers.meet(header.trace, ({ published }) =>
          emit('monitor_shard', between(published, arrived)),
        )
        this.signals.put(message.payload.id, decided)
        return emit('decision', between(arrived, decided))
      }
      case 'orders': {
        const { leg, attempt, signal_id: signalId, order_id: orderId } = message.payload
        if (leg !== 0 || attempt !== 0 || execIn === undefined) return
        const arrived = momentOf(header, execIn)
        if (isNew(this.arrived, signalId)) {
          // Exec keeps the stamps of its own host alone.
          if (shardOut !== undefined) emit('shard_exec', between(momentOf(header, shardOut), arrived))
          else this.signals.meet(signalId, (decided) => emit('shard_exec', between(decided, arrived)))
        }
        if (order === undefined || !isNew(this.sent, orderId)) return
        const written = momentOf(header, order)
        emit('exec_venue', between(arrived, written))
        if (recv !== undefined) return emit('tick_to_order', between(momentOf(header, recv), written))
        return this.triggers.meet(header.trace, ({ frame }) => {
          if (frame !== undefined) emit('tick_to_order', between(frame, written))
        })
      }
      case 'trades':
        return
    }
  }
}

/** The instant of a stamp: what its host's wall clock said then follows from when the message was published. */
export function momentOf({ host, timestamp_ms: timestampMs, stamps }: Header, monoUs: number): Moment {
  return { host, monoUs, wallMs: timestampMs - ((stamps.pub ?? monoUs) - monoUs) / 1000 }
}

function isNew(seen: Set<string>, id: string): boolean {
  if (seen.has(id)) return false
  seen.add(id)
  evictOldest(seen, REMEMBERED)
  return true
}

/** Two messages that come in any order, by what they have in common. */
class Meeting<T> {
  private readonly known = new Map<string, T>()
  private readonly waiters = new Map<string, ((value: T) => void)[]>()

  get waiting(): number {
    return this.waiters.size
  }

  put(key: string, value: T): void {
    this.known.set(key, value)
    evictOldest(this.known, REMEMBERED)
    if (this.waiters.size === 0) return
    const waiters = this.waiters.get(key) ?? []
    this.waiters.delete(key)
    for (const waiter of waiters) waiter(value)
  }

  /** Uses the value now, or when it comes. */
  meet(key: string, use: (value: T) => void): void {
    const value = this.known.get(key)
    if (value !== undefined) return use(value)
    this.waiters.set(key, [...(this.waiters.get(key) ?? []), use])
    evictOldest(this.waiters, WAITING)
  }
}
