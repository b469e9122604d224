/**
 * From what a role says of itself to metrics. A count `<what>` or `<what>:<reason>` becomes the counter
 * `arbees_<what>_total`, with the reason as a label; those below are states, not sums.
 */

import type { MetricFamily, MetricSample } from './metrics.js'

/** A heartbeat, or as much of one as the role has. */
export interface RoleFigures {
  readonly counts: Readonly<Record<string, number>>
  readonly hops: Readonly<
    Record<string, { readonly p50_us: number; readonly p99_us: number; readonly n: number }>
  >
  readonly channels?: readonly {
    readonly source: string
    readonly epoch: number
    readonly last_seq: number
    readonly journal: string
  }[]
  readonly feeds?: readonly {
    readonly name: string
    readonly state: string
    readonly proved_ago_us: number | null
    readonly markets: number
  }[]
}

/** Of the process that runs the role. */
export interface ProcessFigures {
  readonly cpuSeconds: number
  readonly residentBytes: number
  /** Unix time. */
  readonly startedSeconds: number
}

interface State {
  readonly name: string
  readonly help: string
  /** What stands behind the colon; `reason` when not said. */
  readonly label?: string
  /** From the count's unit to the metric's. */
  readonly factor?: number
}

/** Counts that are set, not added to; `<role>.<what>` where another role adds to one of the same name. */
export const STATES: Readonly<Record<string, State>> = {
  lag: { name: 'lag_messages', label: 'source', help: 'Messages that Redis does not have yet.' },
  lag_ms: { name: 'lag_seconds', label: 'source', factor: 1e-3, help: 'Age of the oldest of them.' },
  mirrored_per_s: { name: 'mirrored_per_second', label: 'source', help: 'How fast Redis moves, of late.' },
  groups_close: { name: 'group_behind_percent', label: 'group', help: 'Consumer groups about to lose.' },
  groups_lost: { name: 'group_lost', label: 'group', help: 'Consumer groups whose entries were trimmed.' },
  other_mirrors: { name: 'other_mirrors', help: 'Another mirror writes to the same Redis.' },
  redis_up: { name: 'redis_up', help: 'Redis answers.' },
  epoch_regressed: { name: 'epoch_regressed', label: 'source', help: 'Lives before the epoch in Redis.' },
  silent: { name: 'silent', label: 'publisher', help: 'Publishers that this role does not hear.' },
  markets: { name: 'markets', help: 'Markets that are followed.' },
  markets_without_shard: {
    name: 'markets_without_shard',
    help: 'Markets whose orders go without the brake of the venue, which does not name their shard.',
  },
  'exec.books': { name: 'books', help: 'Order books at hand.' },
  games: { name: 'games', help: 'Games at hand.' },
  live: { name: 'games_live', help: 'Games in play.' },
  paired: { name: 'games_paired', help: 'Games with markets on both venues.' },
  unpaired: { name: 'games_unpaired', help: 'Games without, by reason.' },
  shard_games: { name: 'shard_games', label: 'shard', help: 'Games that each shard trades.' },
  shard_down: { name: 'shard_down', label: 'shard', help: '1 while a shard does not trade.' },
  fenced: { name: 'fenced', help: '1 while it does not hear the orchestrator: it decides nothing.' },
  combinations: { name: 'combinations', help: 'Combinations of markets that are watched.' },
  listed: { name: 'catalog_listed', label: 'catalog', help: 'Markets in a catalog.' },
  'orchestrator.skipped': {
    name: 'catalog_skipped',
    label: 'catalog',
    help: 'Markets in a catalog that are not understood.',
  },
  catalog_skipped: {
    name: 'catalog_skipped',
    label: 'catalog',
    help: 'Markets in a catalog that are not understood.',
  },
  catalog_incomplete: {
    name: 'catalog_incomplete',
    label: 'catalog',
    help: '1 while not all announced fee changes can be read.',
  },
  sources_disagree: {
    name: 'games_disputed',
    help: 'Games that the scoreboard and the second source tell differently, for minutes.',
  },
  scores_differ: { name: 'games_scores_differ', help: 'Games whose scores differ between the two sources.' },
  second_source_down: {
    name: 'second_source_down',
    help: '1 while the second source of game states is not heard.',
  },
  pairing_file_wrong: {
    name: 'pairing_file_wrong',
    help: '1 while the pairing file cannot be read: what it said before stands.',
  },
  pins_unmatched: { name: 'pins_unmatched', help: 'Pins of the pairing file whose event nobody lists.' },
  bans_unmatched: { name: 'bans_unmatched', help: 'Bans of the pairing file of what is not there.' },
  exposure_usd: { name: 'exposure_dollars', help: 'At risk.' },
  limit_usd: { name: 'exposure_limit_dollars', help: 'What may be at risk in total.' },
  recovering: { name: 'recovering', help: '1 until it knows what its last life left: it enters nothing.' },
  ledger_failed: { name: 'ledger_failed', help: '1 when its ledger cannot be written: it enters nothing.' },
  open_plans: { name: 'open_plans', help: 'Plans under way.' },
  halted: { name: 'halted', help: '0 trades, 1 enters nothing, 2 sends nothing at all.' },
  quarantined: { name: 'quarantined_pairs', help: 'Pairs with something unhedged.' },
}

/** Reasons that have a better name. */
const LABELS: Readonly<Record<string, string>> = { journal_errors: 'source' }

export function metricsOfRole(
  role: string,
  { counts, hops, channels = [], feeds = [] }: RoleFigures,
  process: ProcessFigures,
): MetricFamily[] {
  const families = new Families(role)
  for (const [key, value] of Object.entries(counts)) {
    const colon = key.indexOf(':')
    const what = colon === -1 ? key : key.slice(0, colon)
    const labels = (label: string) => (colon === -1 ? {} : { [label]: key.slice(colon + 1) })
    const state = stateOf(role, what)
    if (state === undefined) {
      const help = 'Counted since the start of the role.'
      families.add(`${what}_total`, 'counter', help, labels(LABELS[what] ?? 'reason'), value)
    } else {
      const { name, help, label = 'reason', factor = 1 } = state
      families.add(name, 'gauge', help, labels(label), value * factor)
    }
  }
  for (const [hop, { p50_us: p50, p99_us: p99, n }] of Object.entries(hops)) {
    families.add('hop_p50_seconds', 'gauge', 'Median since the start of the role.', { hop }, p50 / 1e6)
    families.add('hop_p99_seconds', 'gauge', 'Since the start of the role.', { hop }, p99 / 1e6)
    families.add('hop_measured_total', 'counter', 'Messages measured.', { hop }, n)
  }
  for (const { source, epoch, last_seq: seq, journal } of channels) {
    families.add('channel_epoch', 'gauge', 'Life of the source, Unix ms.', { source }, epoch)
    families.add('channel_seq', 'gauge', 'Last seq: published, of the mirror in Redis.', { source }, seq)
    const degraded = journal === 'degraded' ? 1 : 0
    families.add('journal_degraded', 'gauge', 'The journal cannot be written.', { source }, degraded)
  }
  for (const { name, state, proved_ago_us: provedUs, markets } of feeds) {
    const feed = { feed: name }
    families.add('feed_live', 'gauge', 'The feed is LIVE.', feed, state === 'LIVE' ? 1 : 0)
    families.add('feed_markets', 'gauge', 'Markets of the feed.', feed, markets)
    if (provedUs !== null) {
      families.add('feed_proved_seconds', 'gauge', 'Since continuity was proved.', feed, provedUs / 1e6)
    }
  }
  return [...families.all(), ...processFamilies(role, process)]
}

function stateOf(role: string, what: string): State | undefined {
  const key = [`${role.replace(/-\d+$/, '')}.${what}`, what].find((name) => Object.hasOwn(STATES, name))
  return key === undefined ? undefined : STATES[key]
}

/** The names that every exporter uses. */
function processFamilies(
  role: string,
  { cpuSeconds, residentBytes, startedSeconds }: ProcessFigures,
): MetricFamily[] {
  const family = (name: string, type: MetricFamily['type'], help: string, value: number): MetricFamily => ({
    name: `process_${name}`,
    type,
    help,
    samples: [{ labels: { role }, value }],
  })
  return [
    family('cpu_seconds_total', 'counter', 'User and system CPU time.', cpuSeconds),
    family('resident_memory_bytes', 'gauge', 'Resident memory.', residentBytes),
    family('start_time_seconds', 'gauge', 'Start of the process, Unix time.', startedSeconds),
  ]
}

/** By name, in the order of their first sample. */
class Families {
  private readonly byName = new Map<string, MetricFamily & { readonly samples: MetricSample[] }>()

  constructor(private readonly role: string) {}

  add(
    what: string,
    type: MetricFamily['type'],
    help: string,
    labels: MetricSample['labels'],
    value: number,
  ): void {
    const name = `arbees_${what.replace(/[^a-zA-Z0-9_]/g, '_')}`
    const sample = { labels: { role: this.role, ...labels }, value }
    const family = this.byName.get(name)
    if (family === undefined) this.byName.set(name, { name, type, help, samples: [sample] })
    else family.samples.push(sample)
  }

  all(): MetricFamily[] {
    return [...this.byName.values()]
  }
}
