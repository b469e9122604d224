/**
 * The ledger: what exec did, appended before and after it does it. One SQLite file per env and mode, held by one
 * process. Nothing is sent unless its intent, with the exact request bytes, is synced to this file first.
 *
 * WAL. An intent is synced (`synchronous=FULL`), and so is a halt and its end; what follows an intent is written at once
 * and synced by the next one or by a checkpoint: a killed process loses none of it, a power cut may lose an outcome, and then the order is found in
 * flight and queried.
 */

import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Database from 'libsql'
import type { Clock } from '../core/clock.js'
import { ArbeesError, EXIT, codeOf, messageOf } from '../core/errors.js'
import type { Env, Mode, Venue } from '../model/venue.js'
import type { OwnTrading } from '../venues/ports.js'
import { LedgerHistory } from './ledger-history.js'
import { readHeldE6 } from './ledger-holding.js'
import type { HeldMarket } from './ledger-holding.js'
import { SELECT_PLAN } from './ledger-manual.js'
import type { PlanEvent } from './ledger-manual.js'
import type { SeenPlace } from './ledger-history.js'
import { MIGRATIONS, SELECT_LAST_SEEN, SELECT_TOTALS } from './ledger-schema.js'
import type { LedgerKind, OrderTotals } from './ledger-schema.js'
import { readAccepted, readOwnTrading } from './ledger-trading.js'

export interface LedgerOptions {
  readonly dataDir: string
  readonly env: Env
  readonly mode: Mode
  readonly clock: Clock
}

/** What an event is about; absent where it does not apply. */
export interface LedgerSubject {
  readonly signalId?: string
  readonly orderId?: string
  readonly gameId?: string
}

/** Events of which there is one for each thing that they are about. */
export type OnceKind = 'game_final' | 'gap'

export const ledgerPath = ({ dataDir, env, mode }: Omit<LedgerOptions, 'clock'>): string =>
  join(dataDir, `ledger.${env}.${mode}.db`)

/** WAL pages before SQLite checkpoints by itself within a write: `checkpoint` off the hot path comes long before. */
const AUTO_CHECKPOINT_PAGES = 10_000

/** Events worth a checkpoint while nothing else is to do. */
const CHECKPOINT_WRITES = 1_000

type Statement = Database.Statement<(string | number | null)[]>

export class Ledger {
  private readonly insert: Statement
  private failure: ArbeesError | undefined
  private closed = false
  private writes = 0

  private constructor(
    private readonly db: Database.Database,
    readonly path: string,
    private readonly clock: Clock,
  ) {
    this.insert = db.prepare<(string | number | null)[]>(
      'insert into event (at_ms, kind, signal_id, order_id, game_id, detail, body) values (?, ?, ?, ?, ?, ?, ?)',
    )
  }

  /**
   * Opens or creates the file, alone. Throws `LEDGER_LOCKED` (exit REFUSED) when another process has it,
   * `LEDGER_CORRUPT` (exit INTEGRITY), `LEDGER_VERSION`, `LEDGER_FOREIGN` or `LEDGER_FAILED`, all naming the file.
   */
  static open(options: LedgerOptions): Ledger {
    const path = ledgerPath(options)
    let db: Database.Database | undefined
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
      db = new Database(path)
      prepare(db, options, path)
      return new Ledger(db, path, options.clock)
    } catch (error) {
      db?.close()
      throw error instanceof ArbeesError ? error : openError(error, path)
    }
  }

  /** Why nothing can be written any more; undefined while all is well. Latched: a restart opens the file anew. */
  get broken(): ArbeesError | undefined {
    return this.failure
  }

  /** Records that a signal arrived; `duplicate` when it had before, in this life or an earlier one. */
  see(subject: LedgerSubject, detail: object): 'new' | 'duplicate' {
    return this.write('seen', subject, detail) ? 'new' : 'duplicate'
  }

  /**
   * Records an order with its exact bytes and syncs the file. Throws `LEDGER_FAILED`, or `LEDGER_DUPLICATE` when the
   * order has an intent already: in both cases it must not be sent.
   */
  intent(subject: LedgerSubject & { readonly orderId: string }, detail: object, body: string): void {
    const isNew = this.synced(() => this.write('intent', subject, detail, body))
    if (!isNew) throw this.duplicate('intent', subject)
  }

  /** Records a fall of the halt latch, or its end, and syncs the file. Throws `LEDGER_FAILED`. */
  latch(kind: 'halted' | 'resumed', detail: object): void {
    this.synced(() => this.write(kind, {}, detail))
  }

  /** Appends any other event. Throws `LEDGER_FAILED`, or `LEDGER_DUPLICATE` for a second final or money event. */
  append(
    kind: Exclude<LedgerKind, 'seen' | 'intent' | 'halted' | 'resumed'>,
    subject: LedgerSubject,
    detail: object = {},
  ): void {
    if (!this.write(kind, subject, detail)) throw this.duplicate(kind, subject)
  }

  /** As `append`, for what may be on record already; false then. */
  appendOnce(kind: OnceKind, subject: LedgerSubject, detail: object = {}): boolean {
    return this.write(kind, subject, detail)
  }

  /** Moves a long WAL into the file: blocks on the disk, so call it while no plan is open. */
  checkpointWhenLong(): void {
    if (this.writes < CHECKPOINT_WRITES || this.failure !== undefined) return
    this.writes = 0
    this.guard(() => this.db.exec('pragma wal_checkpoint(passive)'))
  }

  /** How far signals of a source were seen or are missing for good; undefined when none was, or by an arbees that kept no positions. */
  lastSeen(source: string): SeenPlace | undefined {
    const row = this.guard(() => this.db.prepare<[string]>(SELECT_LAST_SEEN).all(source))[0]
    const { epoch, seq } = typeof row === 'object' && row !== null ? (row as Partial<SeenPlace>) : {}
    return typeof epoch === 'number' && typeof seq === 'number' ? { epoch, seq } : undefined
  }

  /** What earlier lives left. */
  history(): LedgerHistory {
    return this.guard(() => new LedgerHistory((sql) => this.db.prepare(sql).all(), this.path))
  }

  /** Our trading at a venue, to be compared with its account. Reads everything: at start only. */
  ownTrading(venue: Venue): OwnTrading {
    const all = (sql: string, parameter: string) => this.db.prepare<[string]>(sql).all(parameter)
    return this.guard(() => readOwnTrading(venue, all))
  }

  /** Everything on record about one plan, oldest first. Throws `LEDGER_FAILED`. */
  planEvents(signalId: string): readonly PlanEvent[] {
    return this.guard(() => {
      const rows = this.db.prepare<[string]>(SELECT_PLAN).all(signalId) as readonly Readonly<
        Record<'kind' | 'detail', string>
      >[]
      return rows.map(({ kind, detail }) => ({ kind, detail: JSON.parse(detail) as PlanEvent['detail'] }))
    })
  }

  /** What is held of an outcome for certain, contracts x 10^6. Throws `LEDGER_FAILED`. */
  heldE6(market: HeldMarket): number {
    const all = (sql: string, ...parameters: readonly string[]) =>
      this.db.prepare<string[]>(sql).all(...parameters)
    return this.guard(() =>
      readHeldE6(market, readAccepted(market.venue, all).get(market.marketId) ?? 0, all),
    )
  }

  /** Orders and fills on record, and how many of them a report has told. */
  totals(): { readonly onRecord: OrderTotals; readonly told: OrderTotals } {
    return this.guard(() => ({
      onRecord: totalsOnRecord(this.db),
      told: totalsOf(JSON.parse(String(firstValue(this.db.prepare(SELECT_TOLD).all())))),
    }))
  }

  /** A report is about to tell so many. Throws `LEDGER_FAILED`. */
  markTold({ orders, fills }: OrderTotals): void {
    const value = JSON.stringify({ orders, fills })
    this.guard(() => this.db.prepare("update meta set value = ? where name = 'told'").run(value))
  }

  /** Leaves one file with everything in it. Nothing can be written afterwards. */
  close(): void {
    if (this.closed) return
    this.closed = true
    this.failure ??= failed(new Error('it is closed'), this.path)
    try {
      // libsql keeps the file open while statements live: the lock goes with exclusive mode, once something is read.
      this.db.exec('pragma journal_mode = delete')
      this.db.exec('pragma locking_mode = normal')
      this.db.exec('begin immediate; commit')
    } catch {
      // A disk that fails now leaves the WAL beside the file: the next start reads both.
    }
    this.db.close()
  }

  /** What is written within is on the disk when it returns. */
  private synced<T>(write: () => T): T {
    this.guard(() => this.db.exec('pragma synchronous = full'))
    try {
      return write()
    } finally {
      this.guard(() => this.db.exec('pragma synchronous = normal'))
    }
  }

  /** False when an index says that it is there already. */
  private write(
    kind: LedgerKind,
    subject: LedgerSubject,
    detail: object,
    body: string | null = null,
  ): boolean {
    const { signalId = null, orderId = null, gameId = null } = subject
    const values = [this.clock.nowMs(), kind, signalId, orderId, gameId, JSON.stringify(detail), body]
    return this.guard(() => {
      try {
        this.insert.run(...values)
        this.writes += 1
        return true
      } catch (error) {
        if (codeOf(error) === 'SQLITE_CONSTRAINT_UNIQUE') return false
        throw error
      }
    })
  }

  /** Any error of the disk latches: a ledger that failed once is not trusted again in this life. */
  private guard<T>(work: () => T): T {
    if (this.failure !== undefined) throw this.failure
    try {
      return work()
    } catch (error) {
      this.failure = error instanceof ArbeesError ? error : failed(error, this.path)
      throw this.failure
    }
  }

  private duplicate(kind: LedgerKind, { orderId, gameId, signalId }: LedgerSubject): ArbeesError {
    const id = orderId ?? gameId ?? signalId ?? ''
    return new ArbeesError('LEDGER_DUPLICATE', `${this.path} has a ${kind} event of ${id} already`, {
      exit: EXIT.INTEGRITY,
    })
  }
}

function prepare(db: Database.Database, { env, mode }: LedgerOptions, path: string): void {
  // Exclusive before anything is read: the first lock is then held until the process ends.
  db.exec('pragma locking_mode = exclusive')
  db.exec('pragma journal_mode = wal')
  db.exec('pragma synchronous = full')
  db.exec(`pragma wal_autocheckpoint = ${AUTO_CHECKPOINT_PAGES}`)
  db.exec('begin immediate')
  const check = firstValue(db.prepare('pragma quick_check(1)').all())
  if (check !== 'ok') throw corrupt(path, String(check))
  migrate(db, path)
  const owner = `${env}.${mode}`
  db.prepare("insert or ignore into meta (name, value) values ('owner', ?)").run(owner)
  const found = firstValue(db.prepare("select value from meta where name = 'owner'").all())
  if (found !== owner) {
    throw new ArbeesError('LEDGER_FOREIGN', `${path} is the ledger of ${String(found)}, not of ${owner}`, {
      exit: EXIT.REFUSED,
      hint: 'give each env and mode its own data_dir or file name',
    })
  }
  // A ledger of before this mark: what it holds has been told.
  const told = JSON.stringify(totalsOnRecord(db))
  db.prepare("insert or ignore into meta (name, value) values ('told', ?)").run(told)
  db.exec('commit')
  db.exec('pragma synchronous = normal')
}

function migrate(db: Database.Database, path: string): void {
  const version = Number(firstValue(db.prepare('pragma user_version').all()))
  if (version > MIGRATIONS.length) {
    throw new ArbeesError(
      'LEDGER_VERSION',
      `${path} has schema version ${version}, this arbees knows ${MIGRATIONS.length}`,
      { exit: EXIT.REFUSED, hint: 'run the arbees that wrote it, or a newer one' },
    )
  }
  for (const migration of MIGRATIONS.slice(version)) db.exec(migration)
  if (version < MIGRATIONS.length) db.exec(`pragma user_version = ${MIGRATIONS.length}`)
}

const SELECT_TOLD = "select value from meta where name = 'told'"

const totalsOnRecord = (db: Database.Database): OrderTotals => totalsOf(db.prepare(SELECT_TOTALS).all()[0])

function totalsOf(row: unknown): OrderTotals {
  const { orders, fills } = typeof row === 'object' && row !== null ? (row as Partial<OrderTotals>) : {}
  return { orders: Number(orders ?? 0), fills: Number(fills ?? 0) }
}

/** The only column of the first row. */
export function firstValue(rows: readonly unknown[]): unknown {
  const [row] = rows
  return typeof row === 'object' && row !== null ? Object.values(row)[0] : undefined
}

/** The ArbeesError for what SQLite says of a ledger. */
export function openError(error: unknown, path: string): ArbeesError {
  const code = codeOf(error) ?? ''
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) {
    return new ArbeesError('LEDGER_LOCKED', `another exec holds the ledger ${path}`, {
      exit: EXIT.REFUSED,
      hint: 'stop it first: two executors of one account would trade twice',
      cause: error,
    })
  }
  if (code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT')) return corrupt(path, messageOf(error))
  return failed(error, path)
}

export const corrupt = (path: string, why: string): ArbeesError =>
  new ArbeesError('LEDGER_CORRUPT', `the ledger ${path} is damaged: ${why}`, {
    exit: EXIT.INTEGRITY,
    hint: 'keep the file, compare positions with the venues, then start with a new data_dir',
  })

const failed = (error: unknown, path: string): ArbeesError =>
  new ArbeesError('LEDGER_FAILED', `the ledger ${path} cannot be used: ${messageOf(error)}`, {
    exit: EXIT.FAILED,
    hint: 'check free space and permissions of data_dir; no order is sent without it',
    cause: error,
  })
