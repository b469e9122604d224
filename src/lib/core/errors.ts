/**
 * The one error type of arbees. `code` is stable and part of the contract; the message names what failed,
 * with which value, and the option or next step that mends it.
 */

/** Exit codes of the command line, by the reason a command ends. */
export const EXIT = {
  OK: 0,
  FAILED: 1,
  USAGE: 2,
  UNHEALTHY: 3,
  CONFIG: 4,
  TIMEOUT: 5,
  UNREACHABLE: 6,
  REFUSED: 7,
  INTEGRITY: 8,
} as const
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

export interface ArbeesErrorOptions {
  /** What the command line exits with; 1 when not said. */
  readonly exit?: ExitCode
  /** One line that mends it. */
  readonly hint?: string
  readonly cause?: unknown
}

export class ArbeesError extends Error {
  readonly exit: ExitCode
  readonly hint: string | undefined

  constructor(
    /** Stable, SCREAMING_SNAKE_CASE. */
    readonly code: string,
    message: string,
    options: ArbeesErrorOptions = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'ArbeesError'
    this.exit = options.exit ?? EXIT.FAILED
    this.hint = options.hint
  }
}

/** The text of whatever was thrown, without its stack. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The stable code of whatever was thrown: ours, Node's (`ECONNREFUSED`), or undefined. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
