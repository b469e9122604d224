/** Who must say yes to an order, and how, before it is sent. */

import { createInterface } from 'node:readline/promises'
import { ArbeesError, EXIT } from '../core/errors.js'
import type { OrderPlan } from './order-plan.js'

/** What has to be typed; undefined where nothing has. */
export interface Confirmation {
  readonly word: string
  readonly question: string
}

/**
 * Real money is confirmed at a terminal, by the market's name, whatever was said before; the simulator's and paper money
 * by a word, or by `--yes`. Throws `NOT_CONFIRMED` (exit REFUSED) where nobody can be asked.
 */
export function confirmationOf(
  { env, mode, market_id: id }: Pick<OrderPlan, 'env' | 'mode' | 'market_id'>,
  { yes, isTerminal }: { readonly yes: boolean; readonly isTerminal: boolean },
): Confirmation | undefined {
  const isReal = mode === 'live' && env !== 'sim'
  if (isReal && isTerminal) return { word: id, question: `real money: type ${id} to send it: ` }
  if (isReal) throw notConfirmed('an order with real money is confirmed at a terminal', 'run it in one')
  if (yes) return undefined
  if (isTerminal) return { word: 'yes', question: 'type yes to send it: ' }
  throw notConfirmed('nobody is here to confirm the order', 'add --yes, or run it in a terminal')
}

/** Asks on the terminal. Throws `NOT_CONFIRMED` for another word, a Ctrl-C, or the end of input. */
export async function confirm({ word, question }: Confirmation): Promise<void> {
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const ended = new Promise<undefined>((resolve) => {
      lines.once('close', () => resolve(undefined))
      lines.once('SIGINT', () => resolve(undefined))
    })
    const typed = await Promise.race([lines.question(question).catch(() => undefined), ended])
    if (typed === undefined) process.stderr.write('\n')
    if (typed?.trim() === word) return
    throw notConfirmed('the order was not confirmed', `type ${word} to send it`)
  } finally {
    lines.close()
  }
}

const notConfirmed = (what: string, hint: string): ArbeesError =>
  new ArbeesError('NOT_CONFIRMED', `${what}: nothing was sent`, { exit: EXIT.REFUSED, hint })
