/**
 * `npm test`: sets up, then types, lint, formatting, unused code, and the tests. Arguments narrow it to the tests they name.
 * Ends with a line of counts; every check counts as one test.
 */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root, setUp } from './setup.mjs'

setUp({ forTests: true })
const names = process.argv.slice(2)
const bin = (name) => join(root, 'node_modules', '.bin', name)
const succeeds = (command, args) => spawnSync(command, args, { cwd: root, stdio: 'inherit' }).status === 0
const counts = { passed: 0, failed: 0, skipped: 0 }

const checks = [
  ['types', bin('tsc'), ['-p', 'tsconfig.json']],
  ['lint', bin('eslint'), ['.', '--max-warnings', '0']],
  ['format', bin('prettier'), ['--check', '--log-level', 'warn', '.']],
  ['unused code', bin('knip'), ['--no-progress']],
]
for (const [name, command, args] of names.length > 0 ? [] : checks) {
  const passed = succeeds(command, args)
  process.stdout.write(`${passed ? '✓' : '✗'} ${name}\n`)
  counts[passed ? 'passed' : 'failed']++
}

const scratch = mkdtempSync(join(tmpdir(), 'arbees-test-'))
const report = join(scratch, 'report.json')
const ran = succeeds(bin('vitest'), [
  'run',
  ...names,
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${report}`,
])
try {
  const { numPassedTests, numFailedTests, numPendingTests, numFailedTestSuites } = JSON.parse(
    readFileSync(report, 'utf8'),
  )
  counts.passed += numPassedTests
  counts.failed += numFailedTests
  counts.skipped += numPendingTests
  // A file that breaks before its first test fails no test: it still fails.
  if (!ran && numFailedTests === 0) counts.failed += Math.max(1, numFailedTestSuites)
} catch {
  counts.failed++
}
rmSync(scratch, { recursive: true, force: true })
const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''
process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed${skipped}\n`)
process.exit(counts.failed > 0 || !ran ? 1 : 0)
