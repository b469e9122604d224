import { describe, expect, it } from 'vitest'
import type { Heartbeat } from '../../../src/lib/messages/heartbeat.js'
import type { ChannelFindings } from '../../../src/lib/operator/check-channel.js'
import { judgeMirror, mirrorUnknown } from '../../../src/lib/operator/check-mirror-report.js'
import type { MirrorFindings } from '../../../src/lib/operator/check-mirror-report.js'
import { renderMirrorCheck } from '../../../src/lib/operator/check-mirror-view.js'
import { NAGIOS_EXIT, exitOf } from '../../../src/lib/operator/check-report.js'
import { renderNagios, renderPrometheus } from '../../../src/lib/operator/check-view.js'
import { parsePrometheusText } from '../telemetry/prometheus-text.js'

const LIMITS = { warnMs: 100, criticalMs: 1_000 }
const MIRROR: Heartbeat = {
  v: 1,
  publisher: 'mirror',
  env: 'sim',
  host: 'h',
  pid: 1,
  timestamp_ms: 1,
  mono_us: 1,
  channels: [],
  feeds: [],
  counts: {},
  hops: {},
  closing: false,
}
const channel = (source: string, findings: Partial<ChannelFindings> = {}): ChannelFindings => ({
  source,
  said: { first: { epoch: 5, seq: 5 }, last: { epoch: 5, seq: 10 } },
  before: { epoch: 5, seq: 4 },
  after: { epoch: 5, seq: 10, closed: false },
  tookMs: 500,
  oldestMs: 4,
  content: 'equal',
  echoMs: 100,
  ...findings,
})
const WELL: MirrorFindings = {
  channels: [
    channel('kalshi.prices'),
    channel('shard-0.signals', { before: { epoch: 5, seq: 10 }, oldestMs: 0 }),
  ],
  mirror: MIRROR,
  mirrorAgeMs: 250,
  gaps: 0,
  recentGaps: 0,
  closedDoors: [],
  refusesWrites: undefined,
}
const judge = (findings: Partial<MirrorFindings>) => judgeMirror({ ...WELL, ...findings }, LIMITS)
const counting = (counts: Readonly<Record<string, number>>) => ({ mirror: { ...MIRROR, counts } })

describe('the check of the mirror', () => {
  it.each<[string, Partial<MirrorFindings>, string, number, number, RegExp]>([
    [
      'all is well',
      {},
      'ok',
      0,
      0,
      /^Redis has all of 2 channels: 1 flow at 12\/s, the oldest missing 4ms old$/,
    ],
    [
      'no mirror',
      { mirror: undefined, mirrorAgeMs: Infinity },
      'critical',
      3,
      2,
      /^no mirror writes to this Redis/,
    ],
    [
      'a mirror that stopped',
      { mirror: { ...MIRROR, closing: true } },
      'critical',
      3,
      2,
      /^the mirror has stopped/,
    ],
    ['a mirror that hangs', { mirrorAgeMs: 3_500 }, 'critical', 3, 2, /^its last heartbeat is 3\.5s old$/],
    ['a heartbeat that nobody keeps', { mirrorAgeMs: Infinity }, 'critical', 3, 2, /kept by somebody else/],
    ['gaps of today', { gaps: 9, recentGaps: 2 }, 'warning', 3, 1, /^redis: 2 gaps recorded within 24 h/],
    [
      'more gaps than are counted',
      { gaps: 900, recentGaps: 100 },
      'warning',
      3,
      1,
      /^redis: 100 gaps or more/,
    ],
    ['gaps of the past', { gaps: 2 }, 'ok', 0, 0, /./],
    [
      'a group about to lose',
      counting({ 'groups_close:sim:prices:kalshi/g': 85 }),
      'warning',
      3,
      1,
      /g is 85 %/,
    ],
    [
      'a group that lost',
      counting({ 'groups_lost:sim:prices:kalshi/g': 100 }),
      'critical',
      3,
      2,
      /g has lost/,
    ],
    ['input that was refused', counting({ 'parse_errors:not_json': 3 }), 'warning', 3, 1, /not_json 3/],
    ['a second mirror', counting({ other_mirrors: 1 }), 'ok', 0, 0, /./],
  ])('%s', (_, findings, state, exit, nagios, summary) => {
    const report = judge(findings)
    expect(report.state).toBe(state)
    expect(exitOf(report)).toBe(exit)
    expect(NAGIOS_EXIT[report.state]).toBe(nagios)
    expect(report.summary).toMatch(summary)
    expect(report.summary).not.toContain('\n')
  })

  it('puts the worst first, and counts the rest', () => {
    const channels = [channel('a.prices', { content: 'differs' }), channel('b.prices', { said: undefined })]
    const report = judge({ channels, gaps: 1, recentGaps: 1 })
    expect(report.summary).toBe(
      'a.prices: #10 in Redis is not what its publisher journaled, and 2 other problems',
    )
    expect(report.problems.map(({ subject }) => subject)).toEqual(['redis', 'a.prices', 'b.prices'])
    const text = renderMirrorCheck(report, { width: 100, color: false })
    expect(text.split('\n')[0]).toBe('CRITICAL mirror: 3 problems')
    expect(text).toContain(
      '\n! b.prices: its publisher is not heard: what it published behind #10 is not known',
    )
  })

  it('says why a publisher is not heard where the door is closed to us', () => {
    const door = {
      publisher: 'b',
      problem: "it does not allow the operator's key",
      hint: 'arbees keys allow',
    }
    const report = judge({ channels: [channel('b.prices', { said: undefined })], closedDoors: [door] })
    expect(report.problems).toEqual([{ state: 'warning', subject: 'b.prices', problem: door.problem }])
  })

  it('notes a second mirror, and what is proved by position alone', () => {
    const channels = [channel('a.prices', { content: 'unproven' }), channel('b.prices')]
    const { notes } = judge({ channels, ...counting({ other_mirrors: 1 }) })
    expect(notes).toEqual([
      'more than one mirror writes to this Redis; nothing is doubled',
      'proved by position alone, as no journal tells what should be there: a.prices',
    ])
  })

  it('is critical without Redis, and says so by its exit', () => {
    const report = mirrorUnknown('no Redis answers', LIMITS, true)
    expect([report.state, exitOf(report)]).toEqual(['critical', 6])
    expect(renderNagios(report)).toBe('MIRROR CRITICAL - no Redis answers')
    expect(renderMirrorCheck(report, { width: 80, color: false })).toBe('CRITICAL mirror: no Redis answers')
  })
})

describe('a check in the words of others', () => {
  it('is one line for Nagios, thresholds with the numbers, and no bar but its own', () => {
    const line = renderNagios(judge(counting({ 'groups_close:sim:prices:kalshi/a|b\u001b[31m\n': 85 })))
    expect(line).not.toMatch(/[\n\u001b]/)
    const [head, figures, ...rest] = line.split('|')
    expect(rest).toEqual([])
    expect(head).toMatch(/^MIRROR WARNING - redis: consumer group sim:prices:kalshi\/a\/b/)
    const pattern = /^'[^'=]+'=-?[\d.]+(s)?;([\d.]+)?;([\d.]+)?;0$/
    const all = figures!.trim().split(' ')
    for (const figure of all) expect(figure).toMatch(pattern)
    expect(all).toContain("'lag_seconds:kalshi.prices'=0.004s;0.1;1;0")
    expect(all).toContain("'gap_records'=0;;;0")
  })

  it('is metrics that Prometheus reads', () => {
    const families = parsePrometheusText(renderPrometheus(judge({ gaps: 2, recentGaps: 1 })))
    const valueOf = (name: string, source?: string) =>
      families.get(name)?.samples.find(({ labels }) => labels['source'] === source)?.value
    expect(valueOf('arbees_check_state')).toBe(1)
    expect(valueOf('arbees_check_lag_seconds', 'kalshi.prices')).toBe(0.004)
    expect(valueOf('arbees_check_mirrored_per_second', 'kalshi.prices')).toBe(12)
    expect(valueOf('arbees_check_channel_ok', 'shard-0.signals')).toBe(1)
    expect(valueOf('arbees_check_gap_records')).toBe(2)
  })

  it('fits a narrow terminal', () => {
    const text = renderMirrorCheck(judge({ gaps: 1, recentGaps: 1 }), { width: 60, color: false })
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(60)
    expect(text).toContain('kalshi.prices')
  })
})
