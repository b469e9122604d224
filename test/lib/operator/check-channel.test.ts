import { describe, expect, it } from 'vitest'
import { judgeChannel } from '../../../src/lib/operator/check-channel.js'
import type { ChannelFindings } from '../../../src/lib/operator/check-channel.js'

const at = (seq: number, epoch = 5) => ({ epoch, seq })
const stored = (seq: number, epoch = 5, closed = false) => ({ epoch, seq, closed })
const LIMITS = { warnMs: 100, criticalMs: 1_000 }

/** All is there, nothing moves. */
const IDLE: ChannelFindings = {
  source: 'kalshi.prices',
  said: { first: at(10), last: at(10) },
  before: at(10),
  after: stored(10),
  tookMs: 500,
  oldestMs: 0,
  content: 'equal',
  echoMs: 200,
}
const judge = (findings: Partial<ChannelFindings>, mirrorLives = true) =>
  judgeChannel({ ...IDLE, ...findings }, LIMITS, mirrorLives)

describe('a channel', () => {
  it.each<[string, Partial<ChannelFindings>, string, string]>([
    ['on which nothing is published', {}, 'idle', 'ok'],
    ['that was never used', { said: { first: at(0), last: at(0) }, before: undefined, after: undefined, content: 'none' }, 'idle', 'ok'], // prettier-ignore
    [
      'that moved with its publisher',
      { said: { first: at(5), last: at(10) }, before: at(4) },
      'flowing',
      'ok',
    ],
    ['that caught up', { before: at(4) }, 'flowing', 'ok'],
    [
      'with young messages on their way',
      { said: { first: at(10), last: at(12) }, oldestMs: 99 },
      'flowing',
      'ok',
    ],
    ['with a message since the last heartbeat', { oldestMs: 40 }, 'flowing', 'ok'],
    ['that moves, too late for a warning', { said: { first: at(10), last: at(12) }, before: at(4), oldestMs: 100 }, 'behind', 'warning'], // prettier-ignore
    ['that moves, far too late', { said: { first: at(90), last: at(92) }, before: at(4), oldestMs: 1_000 }, 'behind', 'critical'], // prettier-ignore
    [
      'that stands still for long',
      { said: { first: at(12), last: at(12) }, oldestMs: 5_000 },
      'stuck',
      'critical',
    ],
    ['that stands still and no journal says how old it is', { said: { first: at(12), last: at(12) }, oldestMs: null }, 'stuck', 'critical'], // prettier-ignore
    ['that moves with no journal, past what was said at first', { said: { first: at(9), last: at(12) }, before: at(4), oldestMs: null }, 'flowing', 'ok'], // prettier-ignore
    ['that moves with no journal, not as far as that', { said: { first: at(11), last: at(12) }, before: at(4), oldestMs: null }, 'behind', 'warning'], // prettier-ignore
    ['whose publisher ended in order', { said: undefined, after: stored(10, 5, true) }, 'ended', 'ok'],
    ['whose publisher is silent', { said: undefined, oldestMs: null }, 'silent', 'warning'],
    ['whose publisher never was there', { said: undefined, before: undefined, after: undefined, content: 'none' }, 'silent', 'warning'], // prettier-ignore
    ['whose publisher the mirror has not heard for long', { echoMs: 3_001 }, 'unheard', 'critical'],
    ['whose publisher the mirror never heard', { echoMs: null }, 'unheard', 'critical'],
    [
      'whose publisher lives in the past',
      { said: { first: at(3, 4), last: at(3, 4) } },
      'regressed',
      'critical',
    ],
    ['whose newest entry is another one', { content: 'differs' }, 'wrong', 'critical'],
    ['whose newest entry is gone', { content: 'missing' }, 'wrong', 'critical'],
    ['whose newest entry is gone, with a silent publisher', { content: 'missing', said: undefined }, 'wrong', 'critical'], // prettier-ignore
    ['that nobody can compare', { content: 'unproven' }, 'idle', 'ok'],
  ])('%s is %s, %s', (_, findings, flow, state) => {
    const verdict = judge(findings)
    expect([verdict.flow, verdict.state]).toEqual([flow, state])
    expect(verdict.problem === undefined).toBe(state === 'ok')
  })

  it('counts what Redis does not have, in the life of its source', () => {
    const said = { first: at(10), last: at(12) }
    expect(judge({ said, oldestMs: 40.4 })).toMatchObject({ published: 12, stored: 10, lag: 2, lag_ms: 40 })
    expect(judge({ said, after: stored(900, 4) }).lag).toBe(12)
    expect(judge({ said, before: undefined, after: undefined }).lag).toBe(12)
    expect(judge({ oldestMs: 40 }).lag).toBe(1)
    expect(judge({ said: undefined, oldestMs: null })).toMatchObject({
      published: null,
      lag: null,
      lag_ms: null,
    })
  })

  it('says how fast Redis moved, within one life', () => {
    expect(judge({ before: at(4), tookMs: 500 }).per_s).toBe(12)
    expect(judge({ before: at(4, 4) }).per_s).toBeNull()
    expect(judge({ before: undefined }).per_s).toBeNull()
  })

  it('is not said to be unheard when no mirror lives: that is said once', () => {
    expect(judge({ echoMs: null }, false)).toMatchObject({ flow: 'idle', state: 'ok' })
  })
})
