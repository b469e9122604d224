import { describe, expect, it } from 'vitest'
import { RULES, withoutRule } from './rules.js'
import { firstCounterexample } from './run.js'

describe('the bus in simulated chaos', () => {
  it('keeps its promise', { timeout: 120_000 }, async () => {
    expect(await firstCounterexample(1, 1_000)).toBeUndefined()
  })

  it.each(Object.keys(RULES))('breaks it without %s', { timeout: 120_000 }, async (rule) => {
    expect((await withoutRule(rule, 1, 1_000)).counterexample).toBeDefined()
  })
})
