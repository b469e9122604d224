import { afterEach, describe, expect, it, vi } from 'vitest'
import { TapScreen } from '../../../src/lib/operator/tap-screen.js'
import { TapStats } from '../../../src/lib/operator/tap-stats.js'

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

/** What two frames of counts write to a terminal of this kind. */
function framesOn(term: string): string {
  const { stdout } = process
  const isTTY = Object.getOwnPropertyDescriptor(stdout, 'isTTY')
  vi.stubEnv('TERM', term)
  let written = ''
  vi.spyOn(stdout, 'write').mockImplementation((text) => ((written += String(text)), true))
  Object.defineProperty(stdout, 'isTTY', { value: true, configurable: true })
  try {
    const screen = new TapScreen({
      ...{ isJson: false, color: false, fields: undefined },
      tables: { sources: true, topics: false },
    })
    const stats = new TapStats(0, 0)
    screen.show(stats.report(1_000_000))
    screen.show(stats.report(2_000_000))
    screen.close()
  } finally {
    if (isTTY === undefined) Reflect.deleteProperty(stdout, 'isTTY')
    else Object.defineProperty(stdout, 'isTTY', isTTY)
  }
  return written
}

describe('the counts of a tap', () => {
  it('follow each other on a terminal that cannot move its cursor', () => {
    const written = framesOn('dumb')
    expect(written).not.toContain('\u001b')
    expect(written.trimEnd().split('\n').length).toBeGreaterThan(1)
    expect(framesOn('xterm')).toContain('\u001b[')
  })
})
