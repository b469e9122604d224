/** How every error is told: one line of JSON on stdout under `--json`, else a line and its hint on stderr. */

import { sanitize } from '../core/sanitize.js'

export interface ToldError {
  /** Stable, SCREAMING_SNAKE_CASE. */
  readonly code: string
  /** One line. */
  readonly message: string
  readonly exit: number
  readonly hint?: string | undefined
}

export function writeError(
  { code, message, exit, hint }: ToldError,
  { isJson }: { readonly isJson: boolean },
): void {
  if (isJson) {
    process.stdout.write(`${JSON.stringify({ error: { code, message, exit, hint } })}\n`)
    return
  }
  process.stderr.write(`error: ${sanitize(message)}\n`)
  if (hint !== undefined) process.stderr.write(`  ${sanitize(hint)}\n`)
}
