/**
 * What a market pays when a game does not simply end with a winner, as data. The words are the venues' rules boiled down
 * to what a plan of several legs must know; who fills them in has read the rules.
 */

/** Whether the result after overtime counts. */
export const OVERTIME_RULES = ['included', 'excluded', 'unknown'] as const
/** What YES on a team pays on a tie: half a dollar, or nothing. `impossible`: the sport plays on. */
export const TIE_RULES = ['half', 'no', 'impossible', 'unknown'] as const
/** `stays`: open until the game is played, then paid by its result. `fair`: a price of the venue's own choice. */
export const POSTPONED_RULES = ['stays', 'half', 'fair', 'unknown'] as const
/** As above, for a game that is never played. */
export const CANCELED_RULES = ['half', 'fair', 'unknown'] as const

export interface SettlementRules {
  readonly overtime: (typeof OVERTIME_RULES)[number]
  readonly tie: (typeof TIE_RULES)[number]
  readonly postponed: (typeof POSTPONED_RULES)[number]
  readonly canceled: (typeof CANCELED_RULES)[number]
}
