/** Identity: content hashes for ids, and the name of this host. */

import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'

/** First 32 hex digits of the SHA-256 over the parts, length-prefixed so that no two lists collide. */
export function hashId(parts: readonly (string | number)[]): string {
  const hash = createHash('sha256')
  for (const part of parts) {
    const text = String(part)
    hash.update(`${Buffer.byteLength(text)}:${text};`)
  }
  return hash.digest('hex').slice(0, 32)
}

/** A short random id for things that need no derivation: runs, requests. */
export function randomId(bytes = 6): string {
  return randomBytes(bytes).toString('hex')
}

let cachedHost: string | undefined

/** Host name and boot id: monotonic stamps compare only where this is equal. */
export function hostId(): string {
  cachedHost ??= `${hostname()}/${bootId()}`
  return cachedHost
}

/** Linux's boot id; elsewhere a per-process value, so that stamps are never compared by mistake. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim().slice(0, 8)
  } catch {
    return `pid${process.pid}`
  }
}
