/** From heartbeats and Redis to a verdict, without I/O. */

import { redisKeys } from '../redis/keys.js'
import type { PublisherEndpoint } from '../bus/endpoints.js'
import type { Problem } from '../bus/subscriber.js'
import type { Settings } from '../core/config.js'
import type { Counts, FeedBeat, Heartbeat, HopBeat } from '../messages/heartbeat.js'
import { SUSPECT_MS } from '../messages/heartbeat.js'
import type { HeardBeat } from './beat-listener.js'
import type { ClosedDoor } from './operator-keys.js'
import { totalOf } from '../telemetry/counters.js'
import { formatAge, plural } from '../view/units.js'

/** How far Redis is behind what a source said right before. */
export interface ChannelLag {
  readonly messages: number
  /** Age of the oldest of them by its publisher's clock, ms; null where its journal does not tell. */
  readonly ms: number | null
}

export interface RedisState {
  /** Without its password. */
  readonly url: string
  readonly version: string
  /** Why it takes no write; undefined where nothing says so. */
  readonly refusesWrites: string | undefined
  readonly mirror: Heartbeat | undefined
  /** Entries of `arbees:gaps`. */
  readonly gaps: number
  /** Of these, recorded within `RED_GAP_MS`. */
  readonly recentGaps: number
  /** By source, of those that were heard. */
  readonly lags: ReadonlyMap<string, ChannelLag>
}

export type RedisFindings = RedisState | { readonly error: string }

export interface StatusFindings {
  readonly settings: Settings
  readonly endpoints: readonly PublisherEndpoint[]
  readonly beats: ReadonlyMap<string, HeardBeat>
  /** What answered at an endpoint and does not belong there. */
  readonly strangers: readonly Problem[]
  /** Publishers that this very command could not listen to, and why. */
  readonly closedDoors: readonly ClosedDoor[]
  readonly redis: RedisFindings
  readonly nowUs: number
  readonly nowMs: number
}

interface ChannelStatus {
  readonly source: string
  readonly epoch: number
  /** Last seq published. */
  readonly published: number
  /** Messages that Redis does not have yet; null when that is not known. */
  readonly lag: number | null
  /** Age of the oldest of them, ms by its publisher's clock; null when that is not known. */
  readonly lag_ms: number | null
  /** What the mirror has written of late, messages a second; null without a mirror. */
  readonly mirrored_per_s: number | null
  readonly journal: string
}

export interface RoleStatus {
  readonly role: string
  /** silent: its heartbeats stopped. closing: it said so. down: nothing was heard. unknown: nobody to ask. */
  readonly state: 'up' | 'silent' | 'closing' | 'down' | 'unknown'
  readonly pid: number | null
  readonly heartbeat_age_ms: number | null
  readonly feeds: readonly FeedBeat[]
  readonly channels: readonly ChannelStatus[]
  readonly gaps: number
  readonly duplicates: number
  /** By reason, never only a sum. */
  readonly parse_errors: Counts
  readonly counts: Counts
  readonly hops: Readonly<Record<string, HopBeat>>
}

interface StatusProblem {
  readonly role: string
  readonly problem: string
  readonly hint?: string
}

export interface StatusReport {
  readonly healthy: boolean
  readonly env: string
  readonly roles: readonly RoleStatus[]
  readonly redis: {
    readonly url: string | null
    readonly version: string | null
    readonly gaps: number | null
    /** Of these, those of the last 24 hours: they alone are a problem. */
    readonly recent_gaps: number | null
    readonly error: string | null
  }
  readonly problems: readonly StatusProblem[]
}

/** Beyond this, Redis is not just a batch behind; messages count where nobody tells how old they are. */
const MAX_LAG_MS = 1_000
const MAX_LAG = 1_000
/** The mirror writes its own beat four times a second, into a Redis that may be slow. */
const MIRROR_SUSPECT_MS = 3_000

/** A gap is there for good: it is an alarm for a day, and on record from then on. */
export const RED_GAP_MS = 24 * 3_600_000

/** Counts that should stay 0, and what they mean: the words behind the number, or all of them. */
const COUNTED_PROBLEMS: Readonly<Record<string, string | ((total: number) => string)>> = {
  wrong_source: 'messages of a source that their endpoint is not configured for were refused',
  foreign_heartbeat: 'heartbeats of a publisher that does not belong there were refused',
  legacy_refused: 'first-design messages from an endpoint that is not marked legacy were refused',
  old_epoch: 'messages of an earlier life of their source were refused: two publishers claim it',
  handshake_refused: 'handshakes were refused',
  bad_hmac: 'signals had no seal or a wrong one and were not taken',
  signals_refused: 'signals could not be put on record and were not sent',
  epoch_regressed: 'sources live in an epoch before their latest: start their publishers with --epoch-floor',
  unguarded_lost: 'first-design messages did not reach Redis',
  journal_errors: 'writes of a journal failed: it may lack what was published then',
  recovery_bad_requests: 'requests on the recovery socket were none: something else talks to it',
  sources_disagree: 'games are told differently by the scoreboard and the second source, for minutes',
  second_source_down: () => 'the second source of game states is not heard: the scoreboard stands alone',
  pairing_file_wrong: () => 'the pairing file is wrong since it was changed: what it said before stands',
  shard_down: 'shards do not trade: the others have their games',
  fenced: () => "it does not hear the orchestrator and decides nothing: its games may be another shard's",
  loop_errors: 'rounds of a loop failed and were tried again',
  silent: 'publishers are not heard by this role: its link to them, or they themselves',
  foreign_fills:
    "fills on exec's account are of no order of ours, or more than one asked for: somebody else trades there",
  halted: () => 'trading is halted: nothing new is entered',
  halt_key_errors: 'looks at the halt key in Redis were refused: it halts nobody there',
  ledger_errors: 'events could not be put on record: entries are denied while the ledger cannot write',
  ledger_failed: () => 'its ledger cannot be written: nothing new is entered until it is started again',
  quarantined: (pairs) =>
    `${plural(pairs, 'pair')} of markets with something unhedged, where nothing new is entered`,
}

export function judge(findings: StatusFindings): StatusReport {
  const { settings, endpoints, redis, closedDoors } = findings
  const closed = new Set(closedDoors.map(({ publisher }) => publisher))
  const publishers = endpoints.filter(({ legacy }) => legacy !== true)
  const roles = [...publishers.map((endpoint) => publisherStatus(endpoint, findings)), mirrorStatus(findings)]
  const nothingRuns = closed.size === 0 && roles.every(({ state }) => state === 'down' || state === 'unknown')
  const problems = nothingRuns
    ? [{ role: 'arbees', problem: 'nothing runs', hint: 'start everything with: arbees up' }]
    : [
        // What could not be heard is not known to be down.
        ...roles
          .filter(({ role, state }) => !(state === 'down' && closed.has(role)))
          .flatMap((role) => roleProblems(role, endpoints)),
        ...redisProblems(redis, redisKeys(settings.env).gaps()),
      ]
  problems.push(
    ...strangerProblems(findings),
    ...closedDoors.map(({ publisher, problem, hint }) => ({ role: publisher, problem, hint })),
  )
  return {
    healthy: problems.length === 0,
    env: settings.env,
    roles,
    redis: {
      url: 'error' in redis ? null : redis.url,
      version: 'error' in redis ? null : redis.version,
      gaps: 'error' in redis ? null : redis.gaps,
      recent_gaps: 'error' in redis ? null : redis.recentGaps,
      error: 'error' in redis ? redis.error : null,
    },
    problems,
  }
}

function publisherStatus({ publisher }: PublisherEndpoint, findings: StatusFindings): RoleStatus {
  const heard = findings.beats.get(publisher)
  if (heard === undefined) return down(publisher)
  const ageMs = (findings.nowUs - heard.heardUs) / 1000
  return roleStatus(publisher, heard.heartbeat, ageMs, SUSPECT_MS, findings.redis)
}

function mirrorStatus({ redis, nowMs }: StatusFindings): RoleStatus {
  if ('error' in redis) return { ...down('mirror'), state: 'unknown' }
  // A mirror that lives cannot keep its heartbeat there either.
  if (redis.mirror === undefined) {
    return { ...down('mirror'), state: redis.refusesWrites === undefined ? 'down' : 'unknown' }
  }
  // Read out of Redis: the wall clocks of two hosts.
  const ageMs = Math.max(0, nowMs - redis.mirror.timestamp_ms)
  return { ...roleStatus('mirror', redis.mirror, ageMs, MIRROR_SUSPECT_MS, redis), channels: [] }
}

function roleStatus(
  role: string,
  heartbeat: Heartbeat,
  ageMs: number,
  suspectMs: number,
  redis: RedisFindings,
): RoleStatus {
  const { pid, feeds, counts, hops, channels, closing } = heartbeat
  return {
    role,
    state: closing ? 'closing' : ageMs > suspectMs ? 'silent' : 'up',
    pid,
    heartbeat_age_ms: Math.round(ageMs),
    feeds,
    channels: channels.map(({ source, epoch, last_seq: published, journal }) => ({
      source,
      epoch,
      published,
      ...progressOf(source, redis),
      journal,
    })),
    gaps: totalOf(counts, 'gaps'),
    duplicates: totalOf(counts, 'duplicates'),
    parse_errors: reasonsOf(counts, 'parse_errors'),
    counts,
    hops,
  }
}

const down = (role: string): RoleStatus => ({
  role,
  state: 'down',
  pid: null,
  heartbeat_age_ms: null,
  feeds: [],
  channels: [],
  gaps: 0,
  duplicates: 0,
  parse_errors: {},
  counts: {},
  hops: {},
})

function progressOf(
  source: string,
  redis: RedisFindings,
): Pick<ChannelStatus, 'lag' | 'lag_ms' | 'mirrored_per_s'> {
  if ('error' in redis) return { lag: null, lag_ms: null, mirrored_per_s: null }
  const { messages: lag, ms: lagMs } = redis.lags.get(source) ?? { messages: null, ms: null }
  return { lag, lag_ms: lagMs, mirrored_per_s: redis.mirror?.counts[`mirrored_per_s:${source}`] ?? null }
}

/** `{not_json: 2}` from `parse_errors:not_json`; what has no reason counts as `unnamed`. */
export function reasonsOf(counts: Counts, name: string): Record<string, number> {
  const reasons: Record<string, number> = {}
  for (const [key, value] of Object.entries(counts)) {
    if (value === 0) continue
    if (key === name) reasons['unnamed'] = value
    else if (key.startsWith(`${name}:`)) reasons[key.slice(name.length + 1)] = value
  }
  return reasons
}

/** What brings a role up. */
function startHint(role: string): string {
  const shard = /^shard-(\d+)$/.exec(role)?.[1]
  if (shard !== undefined) return `start it with: arbees shard --index ${shard}`
  if (role === 'kalshi') return 'start it with: arbees monitor kalshi'
  if (role === 'poly') return 'start it with: arbees monitor polymarket'
  return `start it with: arbees ${role}`
}

function roleProblems(status: RoleStatus, endpoints: readonly PublisherEndpoint[]): StatusProblem[] {
  const { role, state, feeds, channels, gaps, parse_errors: parseErrors, counts } = status
  const problem = (text: string, hint?: string): StatusProblem =>
    hint === undefined ? { role, problem: text } : { role, problem: text, hint }
  if (state === 'down') {
    const url = endpoints.find(({ publisher }) => publisher === role)?.url
    return [problem(url === undefined ? 'not running' : `no heartbeat from ${url}`, startHint(role))]
  }
  const problems: StatusProblem[] = []
  if (state === 'unknown') problems.push(problem('its heartbeat is kept in Redis, which does not tell'))
  if (state === 'silent') problems.push(problem('its heartbeats stopped', startHint(role)))
  if (state === 'closing') problems.push(problem('it is stopping', startHint(role)))
  for (const feed of feeds.filter((each) => each.state !== 'LIVE')) {
    problems.push(
      problem(`feed ${feed.name} is ${feed.state}`, 'its log says why; quotes of it are not traded on'),
    )
  }
  // What the mirror counted it also recorded: the records are what is judged.
  if (gaps > 0 && role !== 'mirror') problems.push(problem(plural(gaps, 'gap'), 'arbees:gaps names them'))
  const reasons = named(parseErrors)
  if (reasons !== '')
    problems.push(problem(`refused input: ${reasons}`, 'the log of the role shows the first of each'))
  for (const [name, meaning] of Object.entries(COUNTED_PROBLEMS)) {
    const total = totalOf(counts, name)
    const shown = Object.hasOwn(counts, name) ? name : `${name}: ${named(reasonsOf(counts, name))}`
    if (total === 0) continue
    const text = typeof meaning === 'string' ? `${total} ${meaning}` : meaning(total)
    problems.push(problem(`${text} (${shown})`, 'its log says more'))
  }
  for (const [group, percent] of Object.entries(reasonsOf(counts, 'groups_close'))) {
    const hint = 'what it has not read will be trimmed: let it catch up, or raise mirror.*_maxlen'
    problems.push(problem(`consumer group ${group} is ${percent} % of its stream behind`, hint))
  }
  for (const group of Object.keys(reasonsOf(counts, 'groups_lost'))) {
    problems.push(problem(`consumer group ${group} has lost entries`, 'they were trimmed unread'))
  }
  for (const { source, lag, lag_ms: lagMs, journal } of channels) {
    if (lag !== null && (lagMs === null ? lag > MAX_LAG : lagMs > MAX_LAG_MS)) {
      const age = lagMs === null ? '' : ` (${formatAge(lagMs)})`
      problems.push(problem(`Redis is ${plural(lag, 'message')}${age} behind ${source}`))
    }
    if (journal === 'degraded')
      problems.push(problem(`the journal of ${source} is degraded`, 'is the disk full?'))
  }
  return problems
}

function redisProblems(redis: RedisFindings, gapsKey: string): StatusProblem[] {
  if ('error' in redis) {
    return [
      {
        role: 'redis',
        problem: redis.error,
        hint: 'the hot path runs without it; set redis_url, or start one',
      },
    ]
  }
  const { gaps, recentGaps, refusesWrites } = redis
  const problems: StatusProblem[] = []
  if (refusesWrites !== undefined) {
    const hint = 'nothing is lost as long as the journals last: mend it, and the mirror catches up by itself'
    problems.push({ role: 'redis', problem: `it takes no write: ${refusesWrites}`, hint })
  }
  if (recentGaps > 0) {
    const recent = recentGaps === gaps ? '' : `, ${recentGaps} of the last 24 h`
    problems.push({
      role: 'redis',
      problem: `${gapsKey} holds ${plural(gaps, 'record')}${recent}`,
      hint: `XREVRANGE ${gapsKey} + - COUNT 20 shows the newest; each is a problem for 24 h`,
    })
  }
  return problems
}

function strangerProblems({ strangers }: StatusFindings): StatusProblem[] {
  const seen = new Map<string, StatusProblem>()
  for (const { endpoint, reason, detail } of strangers) {
    const problem = { role: endpoint.publisher, problem: `${reason} at ${endpoint.url}: ${detail}` }
    seen.set(`${endpoint.url} ${reason}`, { ...problem, hint: 'find out who holds that port' })
  }
  return [...seen.values()]
}

/** `not_json 2, bad_header 1`; empty when there are none. */
export const named = (counts: Counts): string =>
  Object.entries(counts)
    .map(([reason, count]) => `${reason} ${count}`)
    .join(', ')
