/**
 * The harness under its own fault: ours is broken on purpose, each way that it could fail, and a verdict that does not
 * say so is the defect. On both ways out, the bus and Redis, and for what is told to be missing.
 */

import type { Programs } from './actor.js'
import { HARMS } from './harm.js'
import type { Harm } from './harm.js'
import { killCases } from './kill-cases.js'
import { runCases } from './runner.js'
import type { Family, Sabotage } from './stage.js'
import { tamperedLooks } from './tampering.js'

/** What the verdict must say of each break. */
const MUST_SAY: Readonly<Record<Harm, RegExp>> = {
  lose: /\d+ lost/,
  double: /\d+ duplicated/,
  reorder: /\d+ out of order/,
  alter: /arrived that nobody sent/,
  deaf: /both sides hear the publisher|nothing received/,
}

interface Break {
  readonly name: string
  readonly sabotage: Sabotage
  readonly mustSay: RegExp
}

const TRUSTED: Break = {
  name: 'ours in place of the control',
  sabotage: { cast: 'trusted' },
  mustSay: /control lost nothing/,
}

/** What a mirror left behind can be changed by hand: that is quicker than one that goes wrong. */
const BREAKS: Readonly<Record<Family, readonly Break[]>> = {
  bus: [
    ...HARMS.map((harm) => ({ name: harm, sabotage: { harm }, mustSay: MUST_SAY[harm] })),
    { name: 'the control in place of ours', sabotage: { cast: 'naive' }, mustSay: /\d+ lost/ },
    TRUSTED,
  ],
  mirror: [TRUSTED],
}

/** True when honest runs pass and every break is seen. */
export async function selfTest(programs: Programs, say: (text: string) => void): Promise<boolean> {
  const reports: boolean[] = []
  const report = (name: string, failures: readonly string[], mustSay?: RegExp): void => {
    const isRight =
      mustSay === undefined ? failures.length === 0 : failures.some((text) => mustSay.test(text))
    reports.push(isRight)
    const verdict = isRight ? 'ok  ' : mustSay === undefined ? 'FAIL' : 'BLIND'
    say(`${verdict} ${name}: ${failures.join('; ') || 'passes'}`)
  }
  for (const family of ['bus', 'mirror'] as const) {
    report(`${family}: unharmed`, await failuresUnder({}, family, programs))
    for (const { name, sabotage, mustSay } of BREAKS[family]) {
      report(`${family}: ${name}`, await failuresUnder(sabotage, family, programs), mustSay)
    }
    const looks = await tamperedLooks(family, programs)
    for (const { name, failures, mustSay } of looks) report(`${family}: ${name}`, failures, mustSay)
  }
  return !reports.includes(false)
}

async function failuresUnder(
  sabotage: Sabotage,
  family: Family,
  programs: Programs,
): Promise<readonly string[]> {
  const subject = killCases(family).filter(({ name }) => /(reader|mirror)-kill-burst$/.test(name))
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
