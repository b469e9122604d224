/** A reporter of tests that passed only at their second try: one name a line, into the file that SECOND_TRIES names. */

import { writeFileSync } from 'node:fs'

export default class SecondTries {
  onTestRunEnd(modules) {
    const names = []
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        if (test.diagnostic()?.flaky) names.push(`${module.relativeModuleId}: ${test.fullName}`)
      }
    }
    writeFileSync(process.env['SECOND_TRIES'], names.map((name) => `${name}\n`).join(''))
  }
}
