/** The keys of the operator's own commands, and what it means when one of them stays outside. */

import type { BusKeys } from '../bus/curve.js'
import type { ClientRefusal } from '../bus/handshakes.js'
import type { Settings } from '../core/config.js'
import { OPERATOR, loadKeyRing } from '../roles/bus-keys.js'

/** A publisher that a command could not listen to. */
export interface ClosedDoor {
  readonly publisher: string
  readonly problem: string
  readonly hint: string
}

/** Undefined where the bus has no keys. Each publisher's reason is told once. Throws as `KeyRing` does (exit 4). */
export function operatorKeys(
  settings: Settings,
  onClosedDoor: (door: ClosedDoor) => void,
): BusKeys | undefined {
  const told = new Set<string>()
  return loadKeyRing(settings, OPERATOR, (reason, publisher) => {
    const key = `${publisher} ${reason}`
    if (told.has(key)) return
    told.add(key)
    onClosedDoor(explain(reason as ClientRefusal, publisher))
  })
}

function explain(reason: ClientRefusal, publisher: string): ClosedDoor {
  const find = 'find out who holds that port'
  switch (reason) {
    case 'not_allowed_there':
      return {
        publisher,
        problem: `it does not allow the operator's key (${reason})`,
        hint: "on its host: arbees keys allow operator '<public key>', then SIGHUP",
      }
    case 'no_curve':
      return {
        publisher,
        problem: `what answers there has no keys (${reason})`,
        hint: `it runs without keys_dir; if it does not, ${find}`,
      }
    case 'server_key_not_proved':
      return {
        publisher,
        problem: `what answers there did not prove its key (${reason})`,
        hint: `its key was replaced, or it is somebody else: ${find}`,
      }
  }
}
