/** Routes that only the account's owner may call. */

import type { Context } from 'hono'
import type { Clock } from '../../core/clock.js'
import type { ApiKeys } from './api-keys.js'
import type { PolyRefusal } from './errors.js'
import { refuseL2 } from './l2-auth.js'

/** Lets a request through, with its body as text, whose L2 headers are good. */
export type Signed = (answer: (c: Context, body: string) => Response) => (c: Context) => Promise<Response>

export interface SignedOptions {
  readonly clock: Pick<Clock, 'nowMs'>
  readonly keys: ApiKeys
  /** The wallet's address, lower case. */
  readonly wallet: string
  readonly refuse: (refusal: PolyRefusal) => Response
}

export const signedRoutes =
  ({ clock, keys, wallet, refuse }: SignedOptions): Signed =>
  (answer) =>
  async (c) => {
    const body = await c.req.text()
    const header = (name: string) => c.req.header(name)
    const path = new URL(c.req.url).pathname
    const refusal = refuseL2({ header, method: c.req.method, path, body }, { keys, wallet }, clock.nowMs())
    return refusal === undefined ? answer(c, body) : refuse(refusal)
  }
