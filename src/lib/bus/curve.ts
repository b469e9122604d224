/** CURVE on the bus: who may publish, who may read. Keys are Z85 text, 40 characters, as libzmq takes them. */

import { curveKeyPair } from 'zeromq'
import { ArbeesError, EXIT } from '../core/errors.js'

export interface KeyPair {
  readonly publicKey: string
  readonly secretKey: string
}

/** The keys of one process. */
export interface BusKeys {
  readonly own: KeyPair
  /** Public key that a publisher must prove to have; undefined for one that is not known. */
  serverKeyOf(publisher: string): string | undefined
  /** A handshake failed: a stable word, and the publisher or socket it was with. */
  onRefused?(reason: string, where: string): void
}

/** A new key pair. The public key begins with a letter or digit: a shell must not take it for a flag. */
export function generateKeyPair(): KeyPair {
  for (;;) {
    const pair = curveKeyPair()
    if (/^[0-9a-zA-Z]/.test(pair.publicKey)) return pair
  }
}

/** The domain that the authentication handler answers for. */
export const ZAP_DOMAIN = 'arbees'

/** The domain of sockets without keys, who admit everybody. */
export const PLAIN_ZAP_DOMAIN = 'arbees-plain'

/**
 * Options of a socket that binds. With keys only both ZAP options together fail closed; without them CURVE admits any
 * key. Without keys the domain alone makes libzmq refuse peers that speak less than ZMTP 3: one of those (an HTTP probe
 * looks like one) that is heard while the socket closes ends the process (an assertion in zmtp_engine.cpp, 4.3.5).
 */
export function serverOptions(keys: BusKeys | undefined) {
  if (keys === undefined) return { zapDomain: PLAIN_ZAP_DOMAIN }
  const { publicKey, secretKey } = keys.own
  return {
    curveServer: true,
    curvePublicKey: publicKey,
    curveSecretKey: secretKey,
    zapDomain: ZAP_DOMAIN,
    zapEnforceDomain: true,
  }
}

/** Options of a socket that connects to `publisher`, whose key is pinned. Throws `UNKNOWN_KEY` (exit 4). */
export function curveClientOptions(keys: BusKeys | undefined, publisher: string) {
  if (keys === undefined) return {}
  const curveServerKey = keys.serverKeyOf(publisher)
  if (curveServerKey === undefined) {
    throw new ArbeesError('UNKNOWN_KEY', `no public key of '${publisher}' is known here`, {
      exit: EXIT.CONFIG,
      hint: `copy it from its host and say: arbees keys allow ${publisher} '<public key>'`,
    })
  }
  const { publicKey, secretKey } = keys.own
  return { curveServerKey, curvePublicKey: publicKey, curveSecretKey: secretKey }
}
