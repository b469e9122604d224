/**
 * What a received message holds on to. libzmq reads a connection in pieces of 8 KiB and, unless told otherwise, hands
 * each message out as a part of its piece. One that is kept, or that the garbage collector has not come to, then keeps
 * the whole piece, of which the collector sees only the message's own bytes: a mirror grew by 85 MB in half a minute
 * without its Redis, at 500 messages/s of half a KiB.
 */

import { context } from 'zeromq'

/** ZMQ_ZERO_COPY_RECV of zmq.h; zeromq.js has no name for it. */
const ZERO_COPY_RECEIVE = 10

/** Each message has its bytes for itself, on every socket of this process that is made from now on. */
export function receiveApart(): void {
  context['setBoolOption'](ZERO_COPY_RECEIVE, false)
}
