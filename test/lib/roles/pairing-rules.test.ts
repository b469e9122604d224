import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { PairingRulesFile } from '../../../src/lib/roles/pairing-rules.js'

let dir: string
let path: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'arbees-pairing-'))
  path = join(dir, 'pairing.yaml')
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const ban = (market: string): string => `bans: [{ market: ${market}, why: x }]`
const banned = (...markets: string[]) => markets.map((marketId) => ({ kind: 'market', marketId }))

it.each(['', '# later', 'bans:', 'pins:\nbans: ~'])('that becomes %j lifts no ban, and says so', (text) => {
  writeFileSync(path, ban('A'))
  const file = new PairingRulesFile(path)
  writeFileSync(path, text)
  expect(file.look()).toEqual({
    kind: 'wrong',
    error: `${path} says nothing any more (to take its rules back, write 'bans: []')`,
  })
  expect([file.look(), file.look(), file.isWrong]).toEqual([{ kind: 'same' }, { kind: 'same' }, true])
  writeFileSync(path, 'bans: []')
  expect(file.look()).toEqual({ kind: 'same' })
  expect(file.look()).toMatchObject({ kind: 'changed', rules: { bans: [] } })
  expect(file.isWrong).toBe(false)
})

it('is obeyed when two looks agree: no half of what is being written', () => {
  const [first = '', second = ''] = ['bans:\n  - { market: A, why: x }\n', '  - { market: B, why: x }\n']
  writeFileSync(path, `${first}${second}`)
  const file = new PairingRulesFile(path)
  writeFileSync(path, first)
  expect(file.look()).toEqual({ kind: 'same' })
  writeFileSync(path, `${first}${second}`)
  expect([file.look(), file.look()]).toEqual([{ kind: 'same' }, { kind: 'same' }])
  writeFileSync(path, first)
  expect(file.look()).toEqual({ kind: 'same' })
  expect(file.look()).toMatchObject({ kind: 'changed', rules: { bans: banned('A') } })
})

it('is read when it changes, and only then', () => {
  writeFileSync(path, ban('A'))
  const file = new PairingRulesFile(path)
  expect(file.first.bans).toEqual(banned('A'))
  expect(file.look()).toEqual({ kind: 'same' })
  writeFileSync(path, ban('B'))
  file.look()
  expect(file.look()).toMatchObject({ kind: 'changed', rules: { bans: banned('B') } })
  expect(file.look()).toEqual({ kind: 'same' })
})

it('that has become wrong, or is gone, changes nothing: it is told once, and until it is mended', () => {
  writeFileSync(path, ban('A'))
  const file = new PairingRulesFile(path)
  writeFileSync(path, 'bams: []')
  const wrong = file.look()
  expect(wrong).toEqual({
    kind: 'wrong',
    error: `${path}:1: nothing is named 'bams' here (near: bans)`,
  })
  expect([file.look(), file.isWrong]).toEqual([{ kind: 'same' }, true])
  rmSync(path)
  expect(file.look()).toMatchObject({ kind: 'wrong', error: expect.stringContaining(path) as string })
  expect([file.look(), file.isWrong]).toEqual([{ kind: 'same' }, true])
  // Back as it was: said again, for whoever waits for the alarm to end.
  writeFileSync(path, ban('A'))
  expect(file.look()).toMatchObject({ kind: 'changed', rules: { bans: banned('A') } })
  expect(file.isWrong).toBe(false)
})

it('is no file where none is named', () => {
  const file = new PairingRulesFile('')
  expect([file.first, file.look()]).toEqual([{ pins: [], bans: [], settlement: [] }, { kind: 'same' }])
})
