/**
 * Runs every property of a test file so often as `PROPERTY_RUNS` says, whatever it asks for itself. One with a seed of
 * its own shows a single case and stays as it is.
 */

import { vi } from 'vitest'

vi.mock(import('fast-check'), async (importOriginal) => {
  const original = await importOriginal()
  const numRuns = Number(process.env.PROPERTY_RUNS)
  const assert: typeof original.assert = (property, parameters) =>
    parameters?.seed === undefined
      ? (original.assert(property, { ...parameters, numRuns }) as never)
      : (original.assert(property, parameters) as never)
  return { ...original, assert, default: { ...original.default, assert } }
})
