/**
 * `npm test`: sets up, then types, lint, formatting, unused code, and the tests. Arguments narrow it to the tests they name.
 * Ends with a line of counts; every check counts as one test.
 */

import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root, setUp } from './setup.mjs'

setUp({ forTests: true })
const names = process.argv.slice(2)
const bin = (name) => join(root, 'node_modules', '.bin', name)
const counts = { passed: 0, failed: 0, skipped: 0 }

// Each uses one core: two lanes, the longest check alone in the first.
const lanes = [
  [['lint', 'eslint', ['.', '--max-warnings', '0']]],
  [
    ['types', 'tsc', ['-p', 'tsconfig.json']],
    ['format', 'prettier', ['--check', '--log-level', 'warn', '.']],
    ['unused code', 'knip', ['--no-progress']],
  ],
]
if (names.length === 0) {
  await Promise.all(
    lanes.map(async (lane) => {
      for (const [name, command, args] of lane) await check(name, command, args)
    }),
  )
}

/** What a check prints comes at its end, so that two do not mix. */
async function check(name, command, args) {
  const child = spawn(bin(command), args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => output.push(chunk))
  const status = await new Promise((resolve) => child.once('close', resolve).once('error', resolve))
  process.stdout.write(Buffer.concat(output))
  process.stdout.write(`${status === 0 ? '✓' : '✗'} ${name}\n`)
  counts[status === 0 ? 'passed' : 'failed']++
}

const scratch = mkdtempSync(join(tmpdir(), 'arbees-test-'))
const report = join(scratch, 'report.json')
const secondTries = join(scratch, 'second-tries.txt')
const reporters = ['default', 'json', join(root, 'scripts', 'second-tries.mjs')].map(
  (name) => `--reporter=${name}`,
)
const { status } = spawnSync(bin('vitest'), ['run', ...names, ...reporters, `--outputFile.json=${report}`], {
  ...{ cwd: root, stdio: 'inherit' },
  env: { ...process.env, SECOND_TRIES: secondTries },
})
const ran = status === 0
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
const again = existsSync(secondTries) ? readFileSync(secondTries, 'utf8') : ''
rmSync(scratch, { recursive: true, force: true })
const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''
if (again !== '') {
  const count = again.trim().split('\n').length
  process.stdout.write(`\npassed only at the second try: ${count}\n${again}`)
}
process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed${skipped}\n`)
process.exit(counts.failed > 0 || !ran ? 1 : 0)
