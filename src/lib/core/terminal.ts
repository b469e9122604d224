/** Whether this process still has the terminal that it was started in. */

import { isatty } from 'node:tty'

/** A terminal that hung up is none any more. */
export const hasTerminal = (): boolean => [0, 1, 2].some((descriptor) => isatty(descriptor))
