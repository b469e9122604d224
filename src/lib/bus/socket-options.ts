/** Every ZeroMQ option that arbees sets, with its reason. Measured with zeromq.js 6.8 (libzmq 4.3.5). */

import { MAX_MESSAGE_BYTES } from '../messages/codec.js'
import { MAX_REQUEST_BYTES } from './recovery/messages.js'

/**
 * The default of 1,000 drops for a healthy subscriber as soon as one loop turn sends more. 100,000 is about 65 MB for
 * a subscriber that is stuck, and 0 has no bound.
 */
const HIGH_WATER_MARK = 100_000

export const PUBLISHER_OPTIONS = {
  sendHighWaterMark: HIGH_WATER_MARK,
  /** Synchronous, un-awaited sends: with the default timeout the 514th of a turn throws EBUSY. PUB never blocks. */
  sendTimeout: 0,
  /** The default waits forever for peers that are gone. */
  linger: 0,
  /** A peer that never finishes its greeting is cut. ZMTP heartbeats stay off on the binding side: they lose. */
  handshakeInterval: 2_000,
} as const

export const SUBSCRIBER_OPTIONS = {
  receiveHighWaterMark: HIGH_WATER_MARK,
  linger: 0,
  /** No backoff: a publisher that restarts is found within 100 ms, before its first data (`JOIN_GRACE_MS`). */
  reconnectInterval: 100,
  reconnectMaxInterval: 0,
  /** A stopped or cut-off peer shows in under a second; without, never. The connecting side only. */
  heartbeatInterval: 200,
  heartbeatTimeout: 600,
  handshakeInterval: 2_000,
  /** Larger frames end the session for good: the publisher refuses to send them, the reader re-creates the socket. */
  maxMessageSize: MAX_MESSAGE_BYTES,
} as const

/**
 * A publisher waits so long after bind before it publishes, so that subscribers, which retry every 100 ms, have
 * rejoined: PUB drops what nobody has subscribed to yet.
 */
export const JOIN_GRACE_MS = 300

/** A publisher silent for so long gets a new socket: an oversize frame leaves the old one dead without an event. */
export const RECREATE_AFTER_MS = 3_000

/** Chunks that a client may leave unread before its answers are dropped: it asks for one at a time. */
const UNREAD_CHUNKS = 8

export const RECOVERY_SERVER_OPTIONS = {
  sendHighWaterMark: UNREAD_CHUNKS,
  /** Never waits for a client: what does not fit is dropped, and asked for again. */
  sendTimeout: 0,
  linger: 0,
  handshakeInterval: 2_000,
  maxMessageSize: MAX_REQUEST_BYTES,
} as const

export const RECOVERY_CLIENT_OPTIONS = {
  linger: 0,
  sendTimeout: 0,
  reconnectInterval: 100,
  reconnectMaxInterval: 0,
  heartbeatInterval: 200,
  heartbeatTimeout: 600,
  handshakeInterval: 2_000,
  /** One record of the largest message, with what the journal adds. */
  maxMessageSize: 2 * MAX_MESSAGE_BYTES,
} as const
