/**
 * The harness under its own fault: ours is broken on purpose, each way that it could fail, and a verdict that does not
 * say so is the defect.
 */

import type { Programs } from './actor.js'
import { HARMS } from './harm.js'
import type { Harm } from './harm.js'
import { killCases } from './kill-cases.js'
import { runCases } from './runner.js'
import type { Sabotage } from './stage.js'

/** What the verdict must say of each break. */
const MUST_SAY: Readonly<Record<Harm, RegExp>> = {
  lose: /\d+ lost/,
  double: /\d+ duplicated/,
  reorder: /\d+ out of order/,
  alter: /arrived that nobody sent/,
  deaf: /both sides hear the publisher|nothing received/,
}

const BREAKS: readonly { readonly name: string; readonly sabotage: Sabotage; readonly mustSay: RegExp }[] = [
  ...HARMS.map((harm) => ({ name: harm, sabotage: { harm }, mustSay: MUST_SAY[harm] })),
  { name: 'the control in place of ours', sabotage: { cast: 'naive' }, mustSay: /\d+ lost/ },
  { name: 'ours in place of the control', sabotage: { cast: 'trusted' }, mustSay: /control lost nothing/ },
]

/** True when an honest run passes and every break is seen. */
export async function selfTest(programs: Programs, say: (text: string) => void): Promise<boolean> {
  const subject = killCases('bus').filter(({ name }) => name === 'bus/reader-kill-burst')
  const failuresUnder = async (sabotage: Sabotage): Promise<readonly string[]> => {
    const [line] = await runCases(subject, {
      programs,
      rounds: 1,
      width: 1,
      sabotage,
      keep: false,
      onLine: () => undefined,
      signal: new AbortController().signal,
    })
    return line?.failures ?? ['the case did not run']
  }
  const honest = await failuresUnder({})
  say(`${honest.length === 0 ? 'ok  ' : 'FAIL'} unharmed: ${honest.join('; ') || 'passes'}`)
  let seen = honest.length === 0
  for (const { name, sabotage, mustSay } of BREAKS) {
    const failures = await failuresUnder(sabotage)
    const isSeen = failures.some((text) => mustSay.test(text))
    seen = seen && isSeen
    say(`${isSeen ? 'ok  ' : 'BLIND'} ${name}: ${failures.join('; ') || 'passed as if nothing were wrong'}`)
  }
  return seen
}
