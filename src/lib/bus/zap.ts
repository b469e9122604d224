/**
 * Who may connect to the sockets of this process that bind: libzmq asks here (ZAP, ZeroMQ RFC 27) for every CURVE
 * handshake. Without an answer nobody gets in. It also asks about sockets without keys, who admit everybody.
 */

import { Reply } from 'zeromq'
import { PLAIN_ZAP_DOMAIN, ZAP_DOMAIN } from './curve.js'
import { keyText } from './z85.js'

const ZAP_URL = 'inproc://zeromq.zap.01'
const VERSION = '1.0'

export interface ZapPolicy {
  allows(publicKey: string): boolean
  /** A key that was proved and is not allowed, with the peer's address. */
  onRefused(publicKey: string, address: string): void
}

/** Answers until closed. One a process, started before any socket with keys binds. */
export class ZapHandler {
  private constructor(
    private readonly socket: Reply,
    private readonly policy: ZapPolicy,
  ) {
    void this.answer()
  }

  static async start(policy: ZapPolicy): Promise<ZapHandler> {
    const socket = new Reply({ linger: 0 })
    await socket.bind(ZAP_URL)
    return new ZapHandler(socket, policy)
  }

  close(): void {
    this.socket.close()
  }

  private async answer(): Promise<void> {
    for await (const request of this.socket) {
      const allowed = this.judge(request)
      const [, id = Buffer.alloc(0)] = request
      await this.socket.send([VERSION, id, allowed ? '200' : '400', '', '', ''])
    }
  }

  /** Frames: version, request id, domain, address, identity, mechanism, key. */
  private judge([version, , domain, address, , mechanism, key, ...rest]: readonly Buffer[]): boolean {
    if (String(domain) === PLAIN_ZAP_DOMAIN) return true
    const asked =
      String(version) === VERSION &&
      String(domain) === ZAP_DOMAIN &&
      String(mechanism) === 'CURVE' &&
      rest.length === 0
    const publicKey = key === undefined ? undefined : keyText(key)
    if (!asked || publicKey === undefined) return false
    if (this.policy.allows(publicKey)) return true
    this.policy.onRefused(publicKey, String(address))
    return false
  }
}
