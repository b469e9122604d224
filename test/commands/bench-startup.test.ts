import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { execFileSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { BINARY, launch } from '../e2e/launch.js'

const dir = mkdtempSync(join(tmpdir(), 'arbees-test-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

describe('arbees bench startup', () => {
  it('starts arbees beside a bare oclif command, saves, prints CSV and exits 3 when a threshold is missed', async () => {
    const path = join(dir, 'startup.json')
    const flags = ['--rounds', '1', '--csv', '--save', path, '--fail-if', 'max_ratio_to_bare>0.01']
    const run = launch(['bench', 'startup', ...flags], {})
    expect(await run.ended).toBe(3)
    const [names = '', ...lines] = run.stdout().trimEnd().split('\r\n')
    expect(names.split(',')).toEqual(
      expect.arrayContaining(['command', 'p50_us', 'bare_p50_us', 'ratio_to_bare']),
    )
    expect(lines).toHaveLength(2)
    const saved = JSON.parse(readFileSync(path, 'utf8')) as { bench: string; summary: { p50_us: number } }
    expect(saved.bench).toBe('startup')
    expect(saved.summary.p50_us).toBeGreaterThan(10_000)
    expect(run.stderr()).toMatch(/threshold missed: max_ratio_to_bare is [\d.]+ \(max_ratio_to_bare>0.01\)/)
  })

  it.each([
    [['hop', '--fail-if', 'p50>'], "not a threshold: 'p50>'"],
    [['hop', '--fail-if', 'ratio>1.2'], 'ratio needs --baseline'],
    [['mirror', '--baseline', '/nowhere.json'], '--baseline /nowhere.json: ENOENT'],
    [['refill', '--save', '/no/such/folder/file'], '--save /no/such/folder/file cannot be written'],
    [['startup', '--csv', '--json'], 'csv'],
    [['start'], 'start'],
  ])('%j is refused before anything is measured', async (args, why) => {
    const run = launch(['bench', ...args], {})
    expect(await run.ended).toBe(2)
    expect(run.stderr() + run.stdout()).toContain(why)
  })
})

describe('the manifest of commands', () => {
  const root = dirname(dirname(BINARY))

  it('from before the last build is thrown away: it would hide what is new', () => {
    const place = join(dir, 'place')
    for (const name of ['bin', 'package.json'])
      cpSync(join(root, name), join(place, name), { recursive: true })
    for (const name of ['dist', 'node_modules']) symlinkSync(join(root, name), join(place, name))
    const manifest = join(place, 'oclif.manifest.json')
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
    const help = () =>
      execFileSync(process.execPath, [join(place, 'bin', 'run.js'), '--help'], { encoding: 'utf8' })
    writeFileSync(manifest, JSON.stringify({ version, commands: {} }))
    expect(help()).not.toMatch(/^ +tap /m)
    utimesSync(manifest, 0, 0)
    expect(help()).toMatch(/^ +tap /m)
    expect(existsSync(manifest)).toBe(false)
  })
})
