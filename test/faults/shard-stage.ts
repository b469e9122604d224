/**
 * Two shards and who gives them games, with the naive hand-over beside them under the same quotes and the same fault.
 * What became of it is read from the journals that the processes left.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { epochPages } from '../../src/lib/bus/journal/epoch-pages.js'
import { journalDir } from '../../src/lib/bus/journal/paths.js'
import { openJournalReader } from '../../src/lib/bus/journal/reader.js'
import { FileStorage } from '../../src/lib/bus/journal/storage.js'
import { decode } from '../../src/lib/messages/codec.js'
import type { Message } from '../../src/lib/messages/codec.js'
import { GAMES_SOURCE, pricesSource, signalsSource } from '../../src/lib/messages/sources.js'
import { VENUES } from '../../src/lib/model/venue.js'
import { freePort } from '../lib/free-port.js'
import { Actor } from './actor.js'
import type { Round } from './stage.js'
import type { Played, QuoteSeen, SignalSeen, WordSeen } from './shard-tally.js'

const SHARDS = [0, 1] as const
/** Everything below it is an opportunity: see `shard-quotes-child.ts`. */
const OPEN_BELOW = 0.45

interface Place {
  readonly url: string
  readonly recoveryUrl: string
}

async function place(): Promise<Place> {
  return {
    url: `tcp://127.0.0.1:${await freePort()}`,
    recoveryUrl: `tcp://127.0.0.1:${await freePort()}`,
  }
}

interface Monitors {
  readonly kalshi: Place
  readonly poly: Place
}

/** One way to hand games over: its orchestrator and its shards. */
export class Fleet {
  private constructor(
    readonly isNaive: boolean,
    private readonly dataDir: string,
    readonly games: Actor,
    readonly shards: readonly Actor[],
  ) {}

  static async create(
    round: Round,
    dir: string,
    { isNaive, monitors }: { readonly isNaive: boolean; readonly monitors: Monitors },
  ): Promise<Fleet> {
    const name = isNaive ? 'control' : 'ours'
    const dataDir = join(dir, name)
    const orchestrator = await place()
    const shards = [await place(), await place()]
    const environment = (count: number): Record<string, string> => ({
      ARBEES_ENV: 'sim',
      ARBEES_DATA_DIR: dataDir,
      ARBEES_LOG_LEVEL: 'info',
      ARBEES_REDIS_URL: 'redis://127.0.0.1:9',
      ARBEES_SHARDS: String(count),
      // A signal holds longer than any opportunity lasts: a second one is never right.
      ARBEES_STRATEGY__VALID: '6s',
      ARBEES_ENDPOINTS__KALSHI: monitors.kalshi.url,
      ARBEES_RECOVERY__KALSHI: monitors.kalshi.recoveryUrl,
      ARBEES_ENDPOINTS__POLY: monitors.poly.url,
      ARBEES_RECOVERY__POLY: monitors.poly.recoveryUrl,
      ARBEES_ENDPOINTS__ORCHESTRATOR: orchestrator.url,
      ARBEES_RECOVERY__ORCHESTRATOR: orchestrator.recoveryUrl,
      ARBEES_ENDPOINTS__SHARDS: shards.map(({ url }) => url).join(','),
      ARBEES_RECOVERY__SHARDS: shards.map(({ recoveryUrl }) => recoveryUrl).join(','),
    })
    const { programs } = round
    const games = new Actor({
      ...{ programs, dir, name: `${name}-games`, program: 'shard-games-child', config: { isNaive } },
      environment: environment(SHARDS.length),
    })
    // A shard that believes to be alone takes a game when it is told to, and asks nobody.
    const actors = SHARDS.map(
      (index) =>
        new Actor({
          ...{ programs, dir, name: `${name}-shard-${index}`, program: 'shard-child', config: { index } },
          environment: environment(isNaive ? 1 : SHARDS.length),
        }),
    )
    return new Fleet(isNaive, dataDir, games, actors)
  }

  words(): WordSeen[] {
    return messagesOf(this.dataDir, GAMES_SOURCE).flatMap((message): WordSeen[] => {
      if (message.family !== 'games' || !('markets' in message.payload)) return []
      const { shard, shard_from_ms: atMs, shard_before: from, markets } = message.payload
      const market = markets.find(({ venue }) => venue === 'kalshi')?.market_id ?? ''
      const handover = atMs === undefined || from === undefined ? undefined : { from, atMs }
      return [{ market, atMs: message.header.timestamp_ms, shard, handover }]
    })
  }

  /** `publishedMs`: when each quote was, by its trace. */
  signals(publishedMs: ReadonlyMap<string, number>): SignalSeen[] {
    return SHARDS.flatMap((shard) =>
      messagesOf(this.dataDir, signalsSource(shard)).flatMap((message): SignalSeen[] => {
        if (message.family !== 'signals') return []
        const { payload, header } = message
        const quote = payload.inputs.find(({ source }) => source === pricesSource('kalshi'))
        const leg = payload.legs.find(({ venue }) => venue === 'kalshi')
        const at = { atMs: header.timestamp_ms, triggerMs: publishedMs.get(header.trace) ?? 0 }
        return [{ shard, ...at, market: leg?.market_id ?? '', seq: quote?.seq ?? 0 }]
      }),
    ).sort((a, b) => a.atMs - b.atMs)
  }

  get actors(): readonly Actor[] {
    return [this.games, ...this.shards]
  }
}

export class ShardStage {
  private constructor(
    private readonly round: Round,
    private readonly dir: string,
    private readonly quotes: Actor,
    readonly ours: Fleet,
    readonly control: Fleet,
  ) {}

  static async set(round: Round): Promise<ShardStage> {
    const dir = mkdtempSync(join(tmpdir(), 'arbees-faults-shard-'))
    const monitors = { kalshi: await place(), poly: await place() }
    const quotes = new Actor({
      ...{ programs: round.programs, dir, name: 'quotes', program: 'shard-quotes-child' },
      config: { urls: monitors, journalRoot: join(dir, 'quotes', 'journal', 'sim') },
    })
    const ours = await Fleet.create(round, dir, { isNaive: false, monitors })
    const control = await Fleet.create(round, dir, { isNaive: true, monitors })
    await quotes.start()
    return new ShardStage(round, dir, quotes, ours, control)
  }

  /** Both ways, at once. */
  async both(act: (fleet: Fleet) => Promise<unknown> | void): Promise<void> {
    await Promise.all([this.ours, this.control].map((fleet) => Promise.resolve(act(fleet))))
  }

  /** Every process that ended by itself. */
  accidents(): string[] {
    return [this.quotes, ...this.ours.actors, ...this.control.actors].flatMap(({ accidents }) => accidents)
  }

  /** Ends the load, then everybody. */
  async end(): Promise<void> {
    await this.quotes.end()
    await this.both((fleet) => Promise.all(fleet.actors.map((actor) => actor.end())))
  }

  /** What the fleet left, for a tally. */
  seen(fleet: Fleet): Pick<Played, 'quotes' | 'words' | 'signals' | 'isNaive'> {
    const published = VENUES.flatMap((venue) => messagesOf(join(this.dir, 'quotes'), pricesSource(venue)))
    const publishedMs = new Map(published.map(({ header }) => [header.trace, header.timestamp_ms]))
    const quotes = published.flatMap((message): QuoteSeen[] => {
      if (message.family !== 'prices' || message.payload.venue !== 'kalshi') return []
      const { payload, header } = message
      const isOpen = (payload.yes_ask ?? 1) < OPEN_BELOW
      return [{ market: payload.market_id, seq: header.seq, atMs: header.timestamp_ms, isOpen }]
    })
    const { isNaive } = fleet
    return { quotes, words: fleet.words(), signals: fleet.signals(publishedMs), isNaive }
  }

  close(): void {
    if (this.round.keep) process.stderr.write(`shard round ${this.round.index} left ${this.dir}\n`)
    else rmSync(this.dir, { recursive: true, force: true })
  }
}

function messagesOf(dataDir: string, source: string): Message[] {
  const journal = openJournalReader(new FileStorage(journalDir({ data_dir: dataDir, env: 'sim' }, source)))
  return journal.epochs.flatMap(({ epoch }) =>
    [...epochPages(journal, epoch)].flatMap(({ records }) =>
      records.flatMap(({ topic, data }) => {
        const decoded = decode(topic, data, 'sim')
        return decoded.kind === 'message' ? [decoded.message] : []
      }),
    ),
  )
}
