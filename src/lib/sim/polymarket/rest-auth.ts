/** API keys over REST, and whether the venue serves where a request comes from. */

import { Hono } from 'hono'
import { reply } from '../http-host.js'
import type { ApiKeys } from './api-keys.js'
import { polyError, type PolyRefusal } from './errors.js'
import { checkL1 } from './l1-auth.js'
import type { Signed } from './signed-routes.js'
import type { VenueState } from './venue-state.js'

export interface PolyAuthOptions {
  readonly state: VenueState
  readonly keys: ApiKeys
  /** The wallet's address, lower case. */
  readonly wallet: string
  readonly refuse: (refusal: PolyRefusal) => Response
  readonly signed: Signed
}

export function polyAuthRoutes({ state, keys, wallet, refuse, signed }: PolyAuthOptions): Hono {
  const app = new Hono()
  app.get('/api/geoblock', () => reply(200, state.geoblock()))
  app.post('/auth/api-key', (c) => {
    const nonce = checkL1((name) => c.req.header(name), wallet, state.nowMs())
    if (typeof nonce !== 'string') return refuse(nonce)
    const key = keys.create(nonce)
    return key === undefined
      ? refuse(polyError(400, 'api_key_exists', 'Could not create api key'))
      : reply(200, key)
  })
  app.get('/auth/derive-api-key', (c) => {
    const nonce = checkL1((name) => c.req.header(name), wallet, state.nowMs())
    if (typeof nonce !== 'string') return refuse(nonce)
    const key = keys.derive(nonce)
    return key === undefined
      ? refuse(polyError(400, 'no_api_key', 'Could not derive api key!'))
      : reply(200, key)
  })
  app.get(
    '/auth/api-keys',
    signed(() => reply(200, { apiKeys: keys.list() })),
  )
  app.delete(
    '/auth/api-key',
    signed((c) => {
      keys.remove(c.req.header('POLY_API_KEY') ?? '')
      return reply(200, 'OK')
    }),
  )
  return app
}
