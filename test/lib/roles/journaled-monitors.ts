/** Monitors and an orchestrator as they run in production, journal and all, that a test makes speak. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sourcesOf } from '../../../src/lib/bus/endpoints.js'
import { journalRoot } from '../../../src/lib/bus/journal/paths.js'
import { Publisher } from '../../../src/lib/bus/publisher.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import type { OrderbookPayload, PricesPayload } from '../../../src/lib/messages/payloads.js'
import type { Position } from '../../../src/lib/bus/position.js'
import type { Venue } from '../../../src/lib/model/venue.js'
import { runShard } from '../../../src/lib/roles/shard.js'
import { testRole } from './role-harness.js'
import type { TestRole } from './role-harness.js'

export interface Book {
  readonly bid: readonly [price: number, size: number]
  readonly ask: readonly [price: number, size: number]
}

export class JournaledMonitors {
  private bookSeq = 0

  private constructor(
    readonly dataDir: string,
    readonly kalshi: Publisher,
    readonly poly: Publisher,
    readonly orchestrator: Publisher,
    private readonly cleanups: (() => unknown)[],
  ) {}

  static async bind(cleanups: (() => unknown)[]): Promise<JournaledMonitors> {
    const dataDir = mkdtempSync(join(tmpdir(), 'arbees-monitors-'))
    cleanups.push(() => rmSync(dataDir, { recursive: true, force: true }))
    const bind = async (name: string): Promise<Publisher> => {
      const feed = { name, state: 'LIVE', proved_ago_us: 1_000, markets: 1, reconnects: 0 } as const
      const wildcards = { url: 'tcp://127.0.0.1:*', recoveryUrl: 'tcp://127.0.0.1:*' }
      const publisher = await Publisher.bind({
        ...{ name, ...wildcards, env: 'sim', clock: systemClock, sources: sourcesOf(name) },
        journal: { root: journalRoot({ data_dir: dataDir, env: 'sim' }), retainBytes: 16 * 1024 * 1024 },
        details: () => (name === 'orchestrator' ? {} : { feeds: [feed] }),
      })
      cleanups.push(() => publisher.close())
      return publisher
    }
    const publishers = [await bind('kalshi'), await bind('poly'), await bind('orchestrator')] as const
    return new JournaledMonitors(dataDir, ...publishers, cleanups)
  }

  /** One change of a book as a monitor publishes it. */
  quote(venue: Venue, id: string, { bid, ask }: Book): { readonly book: Position; readonly price: Position } {
    this.bookSeq++
    const publisher = venue === 'kalshi' ? this.kalshi : this.poly
    const stamps = { stamps: { recv: systemClock.monoUs() } }
    const state = { venue, market_id: id, state: 'LIVE', book_seq: this.bookSeq } as const
    const book: OrderbookPayload = { ...state, bids: [[...bid]], asks: [[...ask]] }
    const sides = {
      ...{ yes_bid: bid[0], yes_bid_size: bid[1] },
      ...{ yes_ask: ask[0], yes_ask_size: ask[1] },
    }
    const price: PricesPayload = { ...state, selection: 'HOU', ...sides }
    return {
      book: publisher.channel(`${venue}.orderbook`).publish(`orderbook.${venue}.${id}`, book, stamps),
      price: publisher.channel(`${venue}.prices`).publish(`prices.${venue}.${id}`, price, stamps),
    }
  }

  /** A shard of this world; `polyUrl` where Polymarket's monitor is heard another way than directly. */
  async startShard(polyUrl = this.poly.url): Promise<TestRole> {
    const role = testRole('shard-0', {
      'endpoints.kalshi': this.kalshi.url,
      'endpoints.poly': polyUrl,
      'endpoints.orchestrator': this.orchestrator.url,
      'recovery.kalshi': this.kalshi.recoveryUrl!,
      'recovery.poly': this.poly.recoveryUrl!,
      'recovery.orchestrator': this.orchestrator.recoveryUrl!,
      'endpoints.shards': 'tcp://127.0.0.1:*',
      'recovery.shards': 'tcp://127.0.0.1:*',
      data_dir: this.dataDir,
    })
    this.cleanups.push(() => role.context.lifecycle.close())
    await runShard(role.context, 0)
    return role
  }
}
