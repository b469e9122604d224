/** The account's API keys: one for each nonce that a proof of the wallet's key was given with, until it is deleted. */

import { randomBytes, randomUUID } from 'node:crypto'
import type { PublicAccounts } from '../accounts.js'

export interface ApiKey {
  readonly apiKey: string
  /** Base64 in the URL alphabet. */
  readonly secret: string
  readonly passphrase: string
}

export class ApiKeys {
  private readonly byNonce = new Map<string, ApiKey>()

  /** The account's own key stands under nonce 0. */
  constructor({ api_key: apiKey, secret, passphrase }: PublicAccounts['polymarket']) {
    this.byNonce.set('0', { apiKey, secret, passphrase })
  }

  derive(nonce: string): ApiKey | undefined {
    return this.byNonce.get(nonce)
  }

  /** Undefined when the nonce has one. */
  create(nonce: string): ApiKey | undefined {
    if (this.byNonce.has(nonce)) return undefined
    const key = {
      apiKey: randomUUID(),
      secret: randomBytes(32).toString('base64').replaceAll('+', '-').replaceAll('/', '_'),
      passphrase: randomBytes(32).toString('hex'),
    }
    this.byNonce.set(nonce, key)
    return key
  }

  find(apiKey: string): ApiKey | undefined {
    return [...this.byNonce.values()].find((key) => key.apiKey === apiKey)
  }

  remove(apiKey: string): void {
    for (const [nonce, key] of this.byNonce) if (key.apiKey === apiKey) this.byNonce.delete(nonce)
  }

  list(): readonly string[] {
    return [...this.byNonce.values()].map(({ apiKey }) => apiKey)
  }
}
