/** The terminal that this process was started in: whether it still has it, and how wide it is. */

import { isatty } from 'node:tty'

/** A terminal that hung up is none any more. */
export const hasTerminal = (): boolean => [0, 1, 2].some((descriptor) => isatty(descriptor))

const UNKNOWN_WIDTH = 80

/** Columns; 80 where the terminal does not know its size, which it tells as 0, and where there is none. */
export const terminalWidth = ({ columns = 0 }: { readonly columns?: number }): number =>
  columns > 0 ? columns : UNKNOWN_WIDTH
