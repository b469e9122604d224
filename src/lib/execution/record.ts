/** Records after the fact: the order is out, so a disk that fails now is an alarm and the end of entries, no more. */

import { ArbeesError, messageOf } from '../core/errors.js'
import type { Execution } from './execution.js'
import type { Ledger, LedgerSubject, OnceKind } from './ledger.js'
import type { LedgerKind } from './ledger-schema.js'

type Recorder = Pick<Execution, 'ledger' | 'listener'>

/** Appends; false when the ledger could not, which is an alarm. Its own latch stops entries. */
export function tryAppend(
  execution: Recorder,
  kind: Parameters<Ledger['append']>[0],
  subject: LedgerSubject,
  detail: object = {},
): boolean {
  return attempt(execution, kind, subject, () => execution.ledger.append(kind, subject, detail))
}

/** As `tryAppend`, for what may be on record already. */
export function tryAppendOnce(
  execution: Recorder,
  kind: OnceKind,
  subject: LedgerSubject,
  detail: object = {},
): boolean {
  return attempt(execution, kind, subject, () => execution.ledger.appendOnce(kind, subject, detail))
}

function attempt(
  { listener }: Recorder,
  kind: LedgerKind,
  subject: LedgerSubject,
  write: () => void,
): boolean {
  try {
    write()
    return true
  } catch (error) {
    const { orderId, signalId, gameId } = subject
    const code = error instanceof ArbeesError ? error.code : 'LEDGER_FAILED'
    listener.onCount('ledger_errors', code)
    listener.onAlarm(
      `${kind} of ${orderId ?? signalId ?? gameId ?? 'exec'} is not on record: ${messageOf(error)}`,
    )
    return false
  }
}
