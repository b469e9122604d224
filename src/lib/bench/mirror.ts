/**
 * The mirror: publishers with their journals, our mirror and its Redis, round by round beside an await for each message
 * and beside ioredis pipelines, each with a Redis of its own, so that whatever the machine does meanwhile happens to
 * all.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PublisherEndpoint } from '../bus/endpoints.js'
import { systemClock } from '../core/clock.js'
import { Lifecycle } from '../core/lifecycle.js'
import { pricesSource } from '../messages/sources.js'
import { VENUES } from '../model/venue.js'
import type { Venue } from '../model/venue.js'
import { startPrivateRedis } from '../redis/private-server.js'
import { BenchProcess } from './bench-process.js'
import { describeMachine } from './machine.js'
import { MIRROR_KINDS } from './mirror-messages.js'
import type {
  FromMirror,
  FromMirrorPublisher,
  MirrorKind,
  ToMirror,
  ToMirrorPublisher,
} from './mirror-messages.js'
import { searchMaxRate } from './mirror-max-rate.js'
import type { Attempt } from './mirror-max-rate.js'
import { publishedBy, summarizeMirror } from './mirror-report.js'
import type { CatchUp, MaxRate, MirrorRound, MirrorSummary } from './mirror-report.js'
import { StreamCount } from './mirror-streams.js'
import type { Written } from './mirror-window.js'
import { paceOf } from './pacing.js'
import type { Pace } from './pacing.js'

export interface MirrorOptions {
  readonly rounds: number
  /** Measured part of a case, ms. */
  readonly forMs: number
  /** Messages a second at which the lag is measured, all publishers together. */
  readonly rates: readonly number[]
  /** Publishing processes, at most `MAX_PUBLISHERS`. */
  readonly publishers: number
  /** Messages in the journal that our mirror finds when it comes back. */
  readonly journaled: number
  readonly signal: AbortSignal
  /** Progress and warnings. */
  readonly say: (line: string) => void
}

/** Dropped before each measurement: a quarter of it, at least so long. */
const LEAST_WARM_UP_MS = 100
/** Once, before the first round: code compiled, sockets and heap at their size. */
const FIRST_WARM_UP_RATE = 20_000
/** A mirror that keeps up has the last message in Redis so soon. */
const KEPT_UP_MS = 100
/** A journal is pulled at least so fast, or the mirror failed. */
const LEAST_PULLED_PER_S = 2_000

/** Throws `NO_REDIS` (exit 6), and `BENCH_FAILED` when a process fails. */
export async function benchMirror(options: MirrorOptions): Promise<MirrorSummary> {
  const lifecycle = new Lifecycle()
  try {
    const bench = await MirrorBench.start(options, lifecycle)
    return await bench.run()
  } finally {
    for (const failure of await lifecycle.close()) options.say(`while stopping: ${failure}`)
  }
}

interface Source {
  readonly venue: Venue
  readonly process: BenchProcess<ToMirrorPublisher, FromMirrorPublisher>
}

/** A mirror, its Redis and where it reads. */
interface Subject {
  readonly process: BenchProcess<ToMirror, FromMirror>
  readonly redisUrl: string
  readonly endpoints: readonly PublisherEndpoint[]
  readonly streams: StreamCount
}

class MirrorBench {
  private constructor(
    private readonly options: MirrorOptions,
    private readonly sources: readonly Source[],
    private readonly subjects: ReadonlyMap<MirrorKind, Subject>,
    private readonly redisVersion: string,
  ) {}

  static async start(options: MirrorOptions, lifecycle: Lifecycle): Promise<MirrorBench> {
    const venues = VENUES.slice(0, options.publishers)
    const sources = venues.map((venue) => {
      const process = new BenchProcess<ToMirrorPublisher, FromMirrorPublisher>(
        'mirror-publisher.js',
        `publishing process of ${venue}`,
      )
      lifecycle.defer('publishing process', () => process.close())
      process.tell({ type: 'bind', venue })
      return { venue, process }
    })
    const bound = await Promise.all(sources.map(({ process }) => process.answer('bound')))
    const dir = mkdtempSync(join(tmpdir(), 'arbees-bench-'))
    lifecycle.defer('folder', () => rmSync(dir, { recursive: true, force: true }))
    const subjects = new Map<MirrorKind, Subject>()
    let redisVersion = ''
    for (const kind of MIRROR_KINDS) {
      const server = await startPrivateRedis({ dir: join(dir, kind), onNotice: options.say })
      lifecycle.defer('redis', () => server.stop())
      redisVersion = server.version
      const streams = await StreamCount.connect(server.url, venues)
      lifecycle.defer('redis connection', () => streams.close())
      const process = new BenchProcess<ToMirror, FromMirror>('mirror-process.js', `mirror '${kind}'`)
      lifecycle.defer('mirror', () => process.close())
      const endpoints = bound.map((each) => each.endpoints[kind])
      subjects.set(kind, { process, redisUrl: server.url, endpoints, streams })
    }
    const bench = new MirrorBench(options, sources, subjects, redisVersion)
    for (const kind of MIRROR_KINDS) await bench.join(kind)
    return bench
  }

  async run(): Promise<MirrorSummary> {
    const { rounds, rates, forMs, signal, say, publishers, journaled } = this.options
    const loadBefore = loadavg()[0] ?? 0
    for (const kind of MIRROR_KINDS) {
      say(`warm-up: ${kind}`)
      await this.measure(kind, this.pace(FIRST_WARM_UP_RATE, forMs))
    }
    const results: MirrorRound[] = []
    const maxima: MaxRate[] = []
    const catchUps: CatchUp[] = []
    for (let round = 0; round < rounds && !signal.aborted; round++) {
      const prefix = `round ${round + 1}/${rounds}:`
      // Whoever goes first meets the machine as the other left it: take turns.
      const turn = round % MIRROR_KINDS.length
      const order = [...MIRROR_KINDS.slice(turn), ...MIRROR_KINDS.slice(0, turn)]
      for (const rate of rates) {
        for (const kind of order) {
          if (signal.aborted) break
          const result = await this.measure(kind, this.pace(rate, forMs))
          results.push(result)
          say(`${prefix} ${describe(result)}`)
        }
      }
      for (const kind of order) {
        if (signal.aborted) break
        const measured = results.slice(-rates.length * order.length)
        const known = measured.filter(({ mirror }) => mirror === kind).map(attemptOf)
        const max = await searchMaxRate(known, async (rate) => {
          if (signal.aborted) return undefined
          const result = await this.measure(kind, this.pace(rate, forMs))
          say(`${prefix} ${describe(result)}`)
          return attemptOf(result)
        })
        maxima.push({ mirror: kind, ...max })
        say(`${prefix} ${kind} holds ${Math.round(max.rate)}/s`)
      }
      if (signal.aborted) break
      const caughtUp = await this.catchUp(journaled)
      catchUps.push(caughtUp)
      say(`${prefix} arbees catches up with ${journaled} messages at ${Math.round(caughtUp.perSecond)}/s`)
    }
    return summarizeMirror({
      results,
      maxima,
      catchUps,
      publishers,
      journaled,
      load: [loadBefore, loadavg()[0] ?? 0],
      machine: describeMachine(this.redisVersion),
    })
  }

  /** What is not in Redis so long after the last message was published is not waited for: as long as it was published. */
  private get withinMs(): number {
    return this.options.forMs
  }

  /** Of one publisher, where all together publish `rate`. */
  private pace(rate: number, ms: number): Pace {
    return paceOf(rate / this.sources.length, Math.max(LEAST_WARM_UP_MS, ms / 4), ms)
  }

  private async join(kind: MirrorKind): Promise<void> {
    const { process, redisUrl, endpoints } = this.subject(kind)
    process.tell({ type: 'join', kind, redisUrl, endpoints })
    await process.answer('joined')
  }

  private async measure(kind: MirrorKind, pace: Pace): Promise<MirrorRound> {
    const { process, streams } = this.subject(kind)
    await streams.empty()
    const firstSeqs = await this.prepare(kind, pace)
    await this.watch(kind, pace, firstSeqs)
    const cpuBefore = await streams.serverCpuUs()
    const published = await Promise.all(
      this.sources.map(async (source) => {
        source.process.tell({ type: 'go' })
        return (await source.process.answer('done')).result
      }),
    )
    const endedUs = Math.max(...published.map((result) => result.endedUs))
    process.tell({ type: 'finish', endedUs, withinMs: this.withinMs })
    const { result } = await process.answer('finished')
    const cpuUs = (await streams.serverCpuUs()) - cpuBefore
    const perSource = pace.warmUp + pace.measured
    const { lost, duplicated } = await streams.compare(firstSeqs, perSource)
    return {
      mirror: kind,
      rate: (pace.rate ?? 0) * this.sources.length,
      sent: perSource * this.sources.length,
      measured: pace.measured * this.sources.length,
      written: result.written,
      dropped: lost,
      duplicated,
      drainMs: drainMs(result.written, endedUs, this.withinMs),
      failedCalls: result.failedCalls,
      ...publishedBy(published, pace),
      // The server counts the warm-up too.
      redisCpuUs: (cpuUs * pace.measured) / perSource,
      mirrorRssMib: result.rssMib,
    }
  }

  /** Our mirror away while the journals grow, then back: at which rate it pulls and writes. */
  private async catchUp(journaled: number): Promise<CatchUp> {
    const { process, streams } = this.subject('arbees')
    const each = Math.ceil(journaled / this.sources.length)
    const pace = { rate: null, warmUp: 0, measured: each }
    process.tell({ type: 'leave' })
    await process.answer('left')
    await streams.empty()
    const firstSeqs = await this.prepare('arbees', pace)
    await Promise.all(
      this.sources.map((source) => {
        source.process.tell({ type: 'fill', kind: 'arbees', count: each })
        return source.process.answer('filled')
      }),
    )
    await this.watch('arbees', pace, firstSeqs)
    await this.join('arbees')
    process.tell({
      type: 'finish',
      endedUs: systemClock.monoUs(),
      withinMs: (journaled / LEAST_PULLED_PER_S) * 1000,
    })
    const { result } = await process.answer('finished')
    const { lost, duplicated } = await streams.compare(firstSeqs, each)
    return { perSecond: result.written.rate, lost, duplicated }
  }

  /** The seq that each source begins with. */
  private async prepare(kind: MirrorKind, pace: Pace): Promise<ReadonlyMap<Venue, number>> {
    const entries = this.sources.map(async ({ venue, process }) => {
      process.tell({ type: 'prepare', kind, pace })
      return [venue, (await process.answer('prepared')).firstSeq] as const
    })
    return new Map(await Promise.all(entries))
  }

  private async watch(kind: MirrorKind, pace: Pace, firstSeqs: ReadonlyMap<Venue, number>): Promise<void> {
    const { process } = this.subject(kind)
    const firstMeasured = Object.fromEntries(
      [...firstSeqs].map(([venue, first]) => [pricesSource(venue), first + pace.warmUp]),
    )
    process.tell({ type: 'watch', watch: { firstMeasured, measured: pace.measured } })
    await process.answer('watching')
  }

  private subject(kind: MirrorKind): Subject {
    const subject = this.subjects.get(kind)
    if (subject === undefined) throw new RangeError(`no mirror '${kind}'`)
    return subject
  }
}

const attemptOf = ({ rate, dropped, drainMs, achievedRate }: MirrorRound): Attempt => ({
  rate,
  isHeld: dropped === 0 && drainMs <= KEPT_UP_MS,
  achieved: achievedRate,
})

/** From the last publish to the last reply; at least as long as was waited where some never came. */
const drainMs = ({ lastReplyUs }: Written, endedUs: number, withinMs: number): number =>
  lastReplyUs === null ? withinMs : (lastReplyUs - endedUs) / 1000

function describe({ mirror, rate, written, dropped, drainMs, behind }: MirrorRound): string {
  const { p50_us: p50, p99_us: p99 } = written.lags
  const lost = dropped === 0 ? '' : `, ${dropped} not in Redis`
  const late = behind ? ', the generators fell behind' : ''
  return `${mirror} ${rate}/s lag p50 ${ms(p50)}, p99 ${ms(p99)}, last one after ${Math.round(drainMs)} ms${lost}${late}`
}

const ms = (us: number | null): string => (us === null ? 'unknown' : `${(us / 1000).toFixed(1)} ms`)
