/** What happens at the door of a socket with keys: every handshake that failed, by reason. */

import type { Socket } from 'zeromq'
import { codeOf } from '../core/errors.js'
import type { BusKeys } from './curve.js'

/** Why a peer that connects to us stays outside. */
export type ServerRefusal =
  /** It proved a key that is not allowed. */
  | 'unlisted_key'
  /** It does not speak CURVE: no key at all. */
  | 'no_curve'
  /** It took us for somebody else: it holds another public key of ours. */
  | 'wrong_server_key'
  /** It went silent or away, or spoke something else, before it had proved a key. */
  | 'unfinished'

/** Why we do not listen to what answers at a publisher's address. */
export type ClientRefusal =
  /** It does not allow our key. */
  | 'not_allowed_there'
  | 'no_curve'
  /** It did not prove the key that is pinned for the publisher: a squatter, or a key that was replaced. */
  | 'server_key_not_proved'

/** Tells `keys` of every peer that failed to get in. `where` names the socket for the log. */
export function watchServer(socket: Socket, keys: BusKeys | undefined, where: string): void {
  if (keys === undefined) return
  const refused = (reason: ServerRefusal) => keys.onRefused?.(reason, where)
  const { events } = socket
  events.on('handshake:error:auth', () => refused('unlisted_key'))
  events.on('handshake:error:protocol', ({ error }) => {
    const code = codeOf(error)
    if (code === 'ERR_ZMTP_MECHANISM_MISMATCH') refused('no_curve')
    else refused(code === 'ERR_ZMTP_CRYPTOGRAPHIC' ? 'wrong_server_key' : 'unfinished')
  })
  events.on('handshake:error:other', () => refused('unfinished'))
}

/** Tells `ear` of every answer at `publisher`'s address that was not the publisher's. One connection a socket. */
export function watchClient(
  socket: Socket,
  ear: Pick<BusKeys, 'onRefused'> | undefined,
  publisher: string,
): void {
  if (ear?.onRefused === undefined) return
  /** Of the present connection: what came of its handshake is known. */
  let settled = true
  const refused = (reason: ClientRefusal) => {
    settled = true
    ear.onRefused?.(reason, publisher)
  }
  const { events } = socket
  events.on('connect', () => (settled = false))
  events.on('handshake', () => (settled = true))
  events.on('handshake:error:auth', () => refused('not_allowed_there'))
  events.on('handshake:error:protocol', ({ error }) => {
    refused(codeOf(error) === 'ERR_ZMTP_MECHANISM_MISMATCH' ? 'no_curve' : 'server_key_not_proved')
  })
  // A CURVE server that cannot open our greeting hangs up without a word, and what is no ZMTP at all makes no error.
  events.on('handshake:error:other', () => refused('server_key_not_proved'))
  events.on('disconnect', () => {
    if (!settled) refused('server_key_not_proved')
  })
}
