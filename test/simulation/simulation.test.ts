import { describe, expect, it } from 'vitest'
import { RULES, withoutRule } from './rules.js'
import { firstCounterexample } from './run.js'

/** What is seen to break first, from seed 1 on, without the rule. */
const BREAKS: Readonly<Record<string, string>> = {
  'dedupe, at the reader': 'duplicate or out of order',
  'epoch check, at the reader': 'stuck',
  'epoch check, at the store': 'never published',
  'checkpoint gate': 'duplicate or out of order',
  'checkpoint last': 'loss',
  'torn-tail cut': 'never published',
  'snapshot seam': 'stale value',
}

describe('the bus in simulated chaos', () => {
  it('keeps its promise', { timeout: 120_000 }, async () => {
    expect(await firstCounterexample(1, 1_000)).toBeUndefined()
  })

  it.each(Object.keys(RULES))('breaks it without %s', { timeout: 120_000 }, async (rule) => {
    expect((await withoutRule(rule, 1, 1_000)).counterexample?.what).toBe(BREAKS[rule])
  })
})
