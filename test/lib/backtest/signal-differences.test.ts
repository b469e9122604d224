import { describe, expect, it } from 'vitest'
import { differencesOf } from '../../../src/lib/backtest/signal-differences.js'

const signal = { id: 'a', size: 5, legs: [{ limit: 0.45 }, { limit: 0.5 }], inputs: [] as object[] }
const compare = (change: object) =>
  differencesOf(JSON.stringify(signal), JSON.stringify({ ...signal, ...change }))

describe('two payloads of a signal', () => {
  it.each<[string, object, ReturnType<typeof compare>]>([
    ['a field', { size: 4 }, [{ field: 'size', recorded: 5, decided: 4 }]],
    [
      'a field of a leg',
      { legs: [{ limit: 0.45 }, { limit: 0.51 }] },
      [{ field: 'legs.1.limit', recorded: 0.5, decided: 0.51 }],
    ],
    ['a leg less', { legs: [{ limit: 0.45 }] }, [{ field: 'legs.1.limit', recorded: 0.5, decided: null }]],
    ['a field more', { kind: 'x' }, [{ field: 'kind', recorded: null, decided: 'x' }]],
    ['an input more', { inputs: [{ seq: 7 }] }, [{ field: 'inputs.0.seq', recorded: null, decided: 7 }]],
    ['nothing but their order', {}, [{ field: '(order)', recorded: null, decided: null }]],
  ])('differ in %s', (_, change, expected) => {
    expect(compare(change)).toEqual(expected)
  })
})
