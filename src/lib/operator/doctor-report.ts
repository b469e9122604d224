/** What `doctor` found out, check by check. */

/** warning: it works, and may not for long. skipped: it was not looked at, and why. */
export type DoctorState = 'ok' | 'warning' | 'failed' | 'skipped'

export interface DoctorCheck {
  readonly name: string
  readonly state: DoctorState
  readonly found: string
  /** One line that mends it; absent where nothing is broken. */
  readonly mend?: string
}

export interface DoctorReport {
  /** Nothing failed. */
  readonly healthy: boolean
  readonly env: string
  readonly checks: readonly DoctorCheck[]
}

export const ok = (name: string, found: string): DoctorCheck => ({ name, state: 'ok', found })
export const skipped = (name: string, found: string): DoctorCheck => ({ name, state: 'skipped', found })
export const warning = (name: string, found: string, mend: string): DoctorCheck => ({
  ...{ name, found, mend },
  state: 'warning',
})
export const failed = (name: string, found: string, mend: string): DoctorCheck => ({
  ...{ name, found, mend },
  state: 'failed',
})
