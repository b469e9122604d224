/** `npm run properties -- [--runs N] [--json] [FILE...]`: every property of the project, N runs each. */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

const USAGE = `usage: npm run properties -- [--runs N] [--json] [FILE...]
  Runs each property N times (default 10,000; npm test has about a hundredth), in all test files that have one or in
  those whose path contains a FILE. A counterexample is printed with its seed and path.`

const { values, positionals } = parseArgs({
  options: {
    runs: { type: 'string', default: '10000' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
  allowPositionals: true,
})
const runs = Number(values.runs)
if (values.help || !Number.isSafeInteger(runs) || runs < 1) {
  process.stderr.write(`${USAGE}\n`)
  process.exit(values.help ? 0 : 2)
}

const root = resolve(import.meta.dirname, '../..')
const files = readdirSync(join(root, 'test'), { recursive: true })
  .map((name) => join('test', String(name)))
  .filter((name) => name.endsWith('.test.ts') && !name.includes('node_modules'))
  .filter((name) => positionals.length === 0 || positionals.some((part) => name.includes(part)))
  .filter((name) => readFileSync(join(root, name), 'utf8').includes(`from 'fast-check'`))
if (files.length === 0) {
  process.stderr.write(`no test file with a property matches ${positionals.join(', ')}\n`)
  process.exit(2)
}

const scratch = mkdtempSync(join(tmpdir(), 'arbees-properties-'))
const report = join(scratch, 'report.json')
const startedMs = performance.now()
const { status } = spawnSync(
  join(root, 'node_modules', '.bin', 'vitest'),
  [
    ...['run', '--root', root, '--config', 'test/properties/vitest.config.ts', ...files],
    ...['--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
  ],
  { cwd: root, stdio: ['ignore', 2, 2], env: { ...process.env, PROPERTY_RUNS: String(runs) } },
)
const summary = {
  runs,
  files: files.length,
  ...countsOf(report),
  seconds: Math.round((performance.now() - startedMs) / 1000),
}
rmSync(scratch, { recursive: true, force: true })
if (values.json) process.stdout.write(`${JSON.stringify({ summary })}\n`)
else {
  process.stdout.write(
    `${summary.files} files, ${runs} runs of each property: ${summary.passed} tests passed, ${summary.failed} failed, in ${summary.seconds} s\n`,
  )
}
process.exit(status === 0 ? 0 : 1)

function countsOf(path: string): { readonly passed: number; readonly failed: number } {
  const counts = JSON.parse(readFileSync(path, 'utf8')) as Record<string, number>
  return { passed: counts.numPassedTests ?? 0, failed: counts.numFailedTests ?? 0 }
}
