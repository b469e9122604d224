/** The verdict on the mirror, from its channels and what is about it in Redis. Pure. */

import type { Heartbeat } from '../messages/heartbeat.js'
import { totalOf } from '../telemetry/counters.js'
import { formatAge, formatCount, plural } from '../view/units.js'
import { ECHO_LATE_MS, judgeChannel } from './check-channel.js'
import type { ChannelFindings, ChannelVerdict, Thresholds } from './check-channel.js'
import { worstOf } from './check-report.js'
import type { CheckFigure, CheckProblem, CheckReport } from './check-report.js'
import { NEWEST_GAPS } from './mirror-look.js'
import type { ClosedDoor } from './operator-keys.js'
import { named, reasonsOf } from './status-report.js'

export interface MirrorFindings {
  readonly channels: readonly ChannelFindings[]
  /** The mirror's own heartbeat; undefined when none is kept. */
  readonly mirror: Heartbeat | undefined
  /** Since it was written, by Redis's clock. */
  readonly mirrorAgeMs: number
  /** Entries of `arbees:gaps`. */
  readonly gaps: number
  /** Of these, those that are still an alarm. */
  readonly recentGaps: number
  readonly closedDoors: readonly ClosedDoor[]
  /** Why Redis takes no write; undefined where nothing says so. */
  readonly refusesWrites: string | undefined
}

export interface MirrorCheck extends CheckReport {
  readonly check: 'mirror'
  readonly warn_ms: number
  readonly critical_ms: number
  readonly channels: readonly ChannelVerdict[]
}

export function judgeMirror(findings: MirrorFindings, thresholds: Thresholds): MirrorCheck {
  const lives = livesIn(findings)
  const channels = findings.channels.map((each) => judgeChannel(each, thresholds, lives))
  const problems = [
    ...mirrorProblems(findings),
    ...channels.flatMap((each) => channelProblem(each, findings)),
  ]
  return {
    check: 'mirror',
    state: worstOf(problems),
    summary: summarize(channels, problems),
    warn_ms: thresholds.warnMs,
    critical_ms: thresholds.criticalMs,
    channels,
    problems,
    notes: notesOn(findings),
    figures: [...channels.flatMap((each) => figuresOf(each, thresholds)), ...gapFigures(findings)],
    unreachable: false,
  }
}

/** Redis does not tell: nothing can be said of the mirror but that nobody reads what it writes. */
export function mirrorUnknown(
  problem: string,
  { warnMs, criticalMs }: Thresholds,
  unreachable: boolean,
): MirrorCheck {
  return {
    check: 'mirror',
    state: 'critical',
    summary: problem,
    warn_ms: warnMs,
    critical_ms: criticalMs,
    channels: [],
    problems: [{ state: 'critical', subject: 'redis', problem }],
    notes: [],
    figures: [],
    unreachable,
  }
}

const livesIn = ({ mirror, mirrorAgeMs }: MirrorFindings): boolean =>
  mirror?.closing === false && mirrorAgeMs <= ECHO_LATE_MS

function mirrorProblems(findings: MirrorFindings): CheckProblem[] {
  const { mirror, mirrorAgeMs, recentGaps, refusesWrites } = findings
  const problems: CheckProblem[] = []
  const add = (state: CheckProblem['state'], subject: string, problem: string) =>
    problems.push({ state, subject, problem })
  if (refusesWrites !== undefined) add('critical', 'redis', `it takes no write: ${refusesWrites}`)
  // A mirror that lives could not keep its heartbeat there.
  else if (mirror === undefined)
    add('critical', 'mirror', 'no mirror writes to this Redis: no heartbeat of one is there')
  if (mirror?.closing === true) add('critical', 'mirror', 'the mirror has stopped')
  else if (mirror !== undefined && !livesIn(findings)) {
    const age = Number.isFinite(mirrorAgeMs) ? `${formatAge(mirrorAgeMs)} old` : 'kept by somebody else'
    add('critical', 'mirror', `its last heartbeat is ${age}`)
  }
  const counts = mirror?.counts ?? {}
  for (const group of Object.keys(reasonsOf(counts, 'groups_lost'))) {
    add('critical', 'redis', `consumer group ${group} has lost entries: they were trimmed unread`)
  }
  for (const [group, percent] of Object.entries(reasonsOf(counts, 'groups_close'))) {
    add(
      'warning',
      'redis',
      `consumer group ${group} is ${percent} % of its stream behind: it is about to lose`,
    )
  }
  if (recentGaps > 0) {
    const count = recentGaps < NEWEST_GAPS ? plural(recentGaps, 'gap') : `${NEWEST_GAPS} gaps or more`
    add('warning', 'redis', `${count} recorded within 24 h: something is missing for good`)
  }
  const refused = named(reasonsOf(counts, 'parse_errors'))
  if (refused !== '') add('warning', 'mirror', `the mirror refused input: ${refused}`)
  return problems
}

function channelProblem(
  { source, state, flow, problem }: ChannelVerdict,
  { closedDoors }: MirrorFindings,
): CheckProblem[] {
  if (state === 'ok' || problem === undefined) return []
  const door =
    flow === 'silent' ? closedDoors.find(({ publisher }) => publisher === publisherOf(source)) : undefined
  return [{ state, subject: source, problem: door === undefined ? problem : door.problem }]
}

/** `shard-0` of `shard-0.signals`. */
export const publisherOf = (source: string): string => source.slice(0, source.lastIndexOf('.'))

function summarize(channels: readonly ChannelVerdict[], problems: readonly CheckProblem[]): string {
  const [worst] = [...problems].sort((a, b) => rank(a) - rank(b))
  if (worst !== undefined) {
    const others = problems.length - 1
    const subject = worst.subject === 'mirror' ? '' : `${worst.subject}: `
    return `${subject}${worst.problem}${others === 0 ? '' : `, and ${plural(others, 'other problem')}`}`
  }
  const flowing = channels.filter(({ flow }) => flow === 'flowing')
  const perSecond = channels.reduce((sum, { per_s: rate }) => sum + Math.max(0, rate ?? 0), 0)
  const lagMs = Math.max(0, ...channels.map(({ lag_ms: ms }) => ms ?? 0))
  const flow =
    flowing.length === 0
      ? 'nothing is published'
      : `${flowing.length} flow at ${formatCount(Math.round(perSecond))}/s, the oldest missing ${formatAge(lagMs)} old`
  return `Redis has all of ${plural(channels.length, 'channel')}: ${flow}`
}

const rank = ({ state }: CheckProblem): number => (state === 'critical' ? 0 : 1)

function notesOn({ mirror, channels }: MirrorFindings): string[] {
  const notes: string[] = []
  if (totalOf(mirror?.counts ?? {}, 'other_mirrors') > 0) {
    notes.push('more than one mirror writes to this Redis; nothing is doubled')
  }
  const unproven = channels
    .filter(({ content, said }) => content === 'unproven' && said !== undefined)
    .map(({ source }) => source)
  if (unproven.length > 0) {
    notes.push(`proved by position alone, as no journal tells what should be there: ${unproven.join(', ')}`)
  }
  return notes
}

function figuresOf(
  { source, lag, lag_ms: lagMs, per_s: perSecond, state }: ChannelVerdict,
  { warnMs, criticalMs }: Thresholds,
): CheckFigure[] {
  const labels = { source }
  const figure = (name: string, help: string, value: number | null): CheckFigure[] =>
    value === null ? [] : [{ name, help, labels, value, unit: '' }]
  const age: CheckFigure[] =
    lagMs === null
      ? []
      : [
          {
            name: 'lag_seconds',
            help: 'Age of the oldest message that Redis does not have.',
            labels,
            value: lagMs / 1000,
            unit: 's',
            warn: warnMs / 1000,
            critical: criticalMs / 1000,
          },
        ]
  return [
    ...age,
    ...figure('lag_messages', 'Messages that Redis does not have.', lag),
    ...figure('mirrored_per_second', 'How fast Redis moved.', perSecond),
    ...figure('channel_ok', 'The channel flows, or has nothing to flow.', state === 'ok' ? 1 : 0),
  ]
}

const gapFigures = ({ gaps, recentGaps }: MirrorFindings): CheckFigure[] => [
  { name: 'gap_records', help: 'Entries of arbees:gaps.', labels: {}, value: gaps, unit: '' },
  {
    name: 'gap_records_recent',
    help: 'Those of the last 24 h, 100 at most.',
    labels: {},
    value: recentGaps,
    unit: '',
  },
]
