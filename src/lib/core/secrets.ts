/** What must not be shown, and who may read the file that it stands in. */

import { statSync } from 'node:fs'
import { ArbeesError, EXIT } from './errors.js'

/** Up to the first colon of the authority is a user; what follows up to its last `@`, a password. */
const PASSWORD = /^([a-z][a-z0-9+.-]*:\/\/[^:/@]*):.+@/i

export const hasPassword = (url: string): boolean => PASSWORD.test(url)

/** The same URL without the password, if it has one. */
export const maskPassword = (url: string): string => url.replace(PASSWORD, '$1:****@')

/** Throws `OPEN_SECRET` (exit 4) for a file that its group or others can read or change. */
export function assertPrivateFile(path: string): void {
  if ((statSync(path).mode & 0o077) === 0) return
  throw new ArbeesError('OPEN_SECRET', `${path} can be read by others`, {
    exit: EXIT.CONFIG,
    hint: `chmod 600 ${path}`,
  })
}
