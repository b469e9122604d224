/** Why exec did not send something, as a sentence with what was found and what is allowed. */

import type { CheckPayload } from '../messages/payloads.js'
import type { DenialCode } from '../risk/limits.js'
import { formatAge, formatCount } from '../view/units.js'

/** Risk's, and those of exec itself. */
type RefusalCode = DenialCode | 'INTERRUPTED' | 'LEDGER_DUPLICATE'

type Find = (name: RegExp) => CheckPayload | undefined
type Sentence = string | ((find: Find) => string)

/** Cents, and what a limit was passed by below them. */
const usd = (micros: number): string => `$${(micros / 1e6).toFixed(4).replace(/(\.\d\d\d*?)0+$/, '$1')}`

/** `more` says what the check's two numbers mean; without the check its own words stand alone. */
const withCheck =
  (words: string, name: RegExp, more: (check: CheckPayload) => string): Sentence =>
  (find) => {
    const check = find(name)
    return check === undefined ? words : `${words}: ${more(check)}`
  }

const overLimit = (words: string, name: RegExp, setting: string): Sentence =>
  withCheck(words, name, ({ value, limit }) => `${usd(value)}, and ${setting} allows ${usd(limit)}`)

/** `shard 3` of `shard_3_paused`; the whole account or exchange where the market names no shard. */
const shardOf = ({ name }: CheckPayload, otherwise: string): string => {
  const index = /^shard_(\d+)_/.exec(name)?.[1]
  return index === undefined ? otherwise : `shard ${index}`
}

const SENTENCES: Readonly<Record<RefusalCode, Sentence>> = {
  BAD_PLAN: 'its legs, sizes, prices or validity are none that a strategy of ours sends',
  UNKNOWN_MARKET: "no message about games has told the details of a leg's market",
  PAYOUT_OVERSTATED: 'by what the games tell of its markets, its legs pay less at worst than it says',
  SETTLEMENT_UNKNOWN:
    'what a leg pays when the game is tied, decided in overtime, postponed or canceled is not known for certain',
  EXPIRED: withCheck(
    'it came too late',
    /^age_ms$/,
    ({ value, limit }) => `${formatAge(value)} old, and good for ${formatAge(limit)}`,
  ),
  FROM_FUTURE: withCheck(
    "the deciding host's clock is ahead of exec's",
    /^age_ms$/,
    ({ value }) => `by ${formatAge(-value)}`,
  ),
  HALTED: 'a halt stands until arbees resume ends it',
  STOPPING: 'exec was about to end',
  RECOVERING: 'exec had just started and was learning what its last life had left',
  INTERRUPTED: 'exec ended between taking the signal and recording an order: nothing was sent',
  LEDGER_FAILED: 'the ledger could not be written, and nothing is sent that is not on disk',
  LEDGER_DUPLICATE: 'the ledger has this attempt already, and no attempt is sent twice',
  GAME_FINAL: 'the game is final',
  QUARANTINED:
    'an earlier plan on these markets ended unhedged or unknown: no entry before the game is final',
  PLAN_OPEN: 'a plan that buys one of its outcomes was still open, or one at all beside a sale',
  NOT_HELD: withCheck(
    'a sale takes what exec itself holds there for certain, and nothing short',
    /^sold_contracts/,
    ({ value, limit }) => `${value} asked for, ${limit} held`,
  ),
  ORDER_LIMIT: overLimit('one order could cost too much', /^order_micros/, 'limits.order_usd'),
  GAME_LIMIT: overLimit('too much would be at risk in this game', /^game_micros$/, 'limits.game_usd'),
  TOTAL_LIMIT: overLimit('too much would be at risk in all', /^total_micros$/, 'limits.total_usd'),
  NOT_PLANNED: 'the order belongs to no open plan, or was approved before',
  RATE_LIMITED: withCheck(
    "the account's rate limit does not pay for every leg now",
    /_tokens$/,
    ({ value, limit }) => `${formatCount(value)} tokens needed, ${formatCount(limit)} there`,
  ),
  SHARD_CASH: withCheck(
    'the money where these markets trade does not suffice',
    /_cash_micros$/,
    (check) =>
      `${usd(check.value)} needed at worst, ${usd(check.limit)} free on ${shardOf(check, 'the account')}`,
  ),
  CASH_UNKNOWN: withCheck(
    "the venue has not told the account's money",
    /^cash_age_ms$/,
    ({ value, limit }) => `last ${formatAge(value)} ago, and it is relied on for ${formatAge(limit)}`,
  ),
  EXCHANGE_PAUSED: withCheck(
    'the exchange does not trade',
    /_paused$/,
    (check) => `${shardOf(check, 'all of it')} is paused`,
  ),
  MARKET_CLOSED: 'the venue has said that the market is closed',
  ORDER_GROUP: withCheck(
    "the venue's own brake is not on, or has fallen and was not reset",
    /_group$/,
    (check) => `its order group on ${shardOf(check, 'the account')} (arbees resume resets it)`,
  ),
}

/**
 * What a code means; what follows a colon after the code is the sentence already. A code that is not known here is of
 * another version: undefined.
 */
export function denialSentence(reason: string, checks: readonly CheckPayload[] = []): string | undefined {
  const [code = '', ...rest] = reason.split(': ')
  if (rest.length > 0) return rest.join(': ')
  if (!isKnown(code)) return undefined
  const sentence = SENTENCES[code]
  if (typeof sentence === 'string') return sentence
  // The check that failed is the last of its kind.
  return sentence((name) => checks.findLast((check) => name.test(check.name)))
}

/** A check's number in its unit, as its name says it. */
export function checkFigure(name: string, value: number): string {
  if (name.includes('_micros')) return usd(value)
  if (name.endsWith('_ms')) return formatAge(value)
  return formatCount(value)
}

function isKnown(code: string): code is RefusalCode {
  return Object.hasOwn(SENTENCES, code)
}
