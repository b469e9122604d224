/** A process's keys, from its settings. */

import type { ServerRefusal } from '../bus/handshakes.js'
import { KeyFolder } from '../bus/key-files.js'
import { KeyRing } from '../bus/key-ring.js'
import { ZapHandler } from '../bus/zap.js'
import type { Settings } from '../core/config.js'
import { ArbeesError, EXIT } from '../core/errors.js'
import type { Lifecycle } from '../core/lifecycle.js'
import { sanitize } from '../core/sanitize.js'
import type { Counters } from '../telemetry/counters.js'
import type { Logger } from '../telemetry/logger.js'

/** Whose keys the operator's commands and `up` use. */
export const OPERATOR = 'operator'

/** The keys of the role `name`; undefined where `keys_dir` is empty. Throws `NO_KEY`, `BAD_KEY`, `OPEN_SECRET` (exit 4). */
export function loadKeyRing(
  { keys_dir: dir }: Settings,
  name: string,
  onRefused: (reason: string, where: string) => void,
): KeyRing | undefined {
  return dir === '' ? undefined : new KeyRing(new KeyFolder(dir), name, onRefused)
}

const UNFINISHED: ServerRefusal = 'unfinished'
/** Refusals that are logged, each once; beyond this many they are only counted. */
const MAX_LOGGED = 50

/**
 * A role's keys, with the handler that judges who connects to it; counts `handshake_refused:<reason>` and
 * `handshakes_unfinished`. Throws as `loadKeyRing` does.
 */
export async function openRoleKeys(
  name: string,
  settings: Settings,
  { counters, lifecycle, log }: { counters: Counters; lifecycle: Lifecycle; log: Logger },
): Promise<KeyRing | undefined> {
  const logged = new Set<string>()
  const warnOnce = (text: string): void => {
    if (logged.has(text) || logged.size >= MAX_LOGGED) return
    logged.add(text)
    log.warn(text)
  }
  const ring = loadKeyRing(settings, name, (reason, where) => {
    // A peer that died or left in the middle of it proves nothing.
    if (reason === UNFINISHED) return counters.add('handshakes_unfinished')
    counters.add('handshake_refused', reason)
    warnOnce(`handshake refused: ${reason}, ${where} (further ones are only counted)`)
  })
  if (ring === undefined) return undefined
  const zap = await ZapHandler.start({
    allows: (publicKey) => ring.allows(publicKey),
    onRefused: (publicKey, address) =>
      warnOnce(`${sanitize(address)} has a key that is not allowed here: ${publicKey}`),
  })
  lifecycle.defer('key handler', () => zap.close())
  return ring
}

/**
 * What signals are sealed with; undefined where there is none, which prod data do not allow. Throws `NO_SIGNAL_KEY`,
 * `BAD_KEY`, `OPEN_SECRET` (exit 4).
 */
export function loadSignalKey({ env, keys_dir: dir }: Settings): Buffer | undefined {
  const key = dir === '' ? undefined : new KeyFolder(dir).readSignalKey()
  if (key === undefined && env === 'prod') {
    throw new ArbeesError(
      'NO_SIGNAL_KEY',
      'on prod data every signal is sealed, and there is no key for that',
      {
        exit: EXIT.CONFIG,
        hint:
          dir === ''
            ? 'set keys_dir and make keys there with: arbees keys generate'
            : `copy signals.hmac from the host of exec or of another shard to ${dir}; for the first of them: arbees keys generate signals.hmac`,
      },
    )
  }
  return key
}
