/** The keys of one process, from its folder: its own pair, whom it lets in, and whom it believes to be a publisher. */

import { generateKeyPair } from './curve.js'
import type { BusKeys, KeyPair } from './curve.js'
import type { AllowedKeys, KeyFolder } from './key-files.js'

export class KeyRing implements BusKeys {
  readonly own: KeyPair
  private allowed: AllowedKeys
  /** Names that have left the list since the start. */
  private readonly gone = new Set<string>()
  private readonly nobody = generateKeyPair().publicKey

  /** Reads the keys of the role `name`. Throws what `KeyFolder` throws. */
  constructor(
    private readonly folder: KeyFolder,
    name: string,
    readonly onRefused: (reason: string, where: string) => void,
  ) {
    this.own = folder.readPair(name)
    this.allowed = folder.readAllowed()
  }

  /** Of a publisher that has left the list, a key that nobody holds: what answers in its place stays unheard. */
  serverKeyOf(publisher: string): string | undefined {
    return this.allowed.get(publisher) ?? (this.gone.has(publisher) ? this.nobody : undefined)
  }

  /** Whether the holder of this key may connect. */
  allows(publicKey: string): boolean {
    for (const key of this.allowed.values()) {
      if (key === publicKey) return true
    }
    return false
  }

  /**
   * Reads the allow-list again; returns how many keys it holds. Who is connected stays so until its connection ends.
   * Throws what `KeyFolder.readAllowed` throws, and then the list is as it was.
   */
  reload(): number {
    const before = this.allowed
    this.allowed = this.folder.readAllowed()
    for (const name of before.keys()) this.gone.add(name)
    return this.allowed.size
  }
}
