/** A ledger as somebody sees it who did not write it: whether it is whole, what is open in it, what contradicts itself. */

import { existsSync, statSync } from 'node:fs'
import Database from 'libsql'
import { ArbeesError, EXIT } from '../core/errors.js'
import type { Env, Mode } from '../model/venue.js'
import { copyLedger } from './ledger-copy.js'
import type { LedgerCopy } from './ledger-copy.js'
import { LedgerHistory, isInFlight } from './ledger-history.js'
import {
  MIGRATIONS,
  SELECT_ORPHANS,
  SELECT_OVER_AGAIN,
  SELECT_PAID_FOR_NOTHING,
  SELECT_FILLS,
} from './ledger-schema.js'
import { lastCommitOf } from './ledger-wal.js'
import { corrupt, firstValue, openError } from './ledger.js'

interface LedgerOwner {
  readonly env: Env
  readonly mode: Mode
}

export interface LedgerLook {
  /** Wall clock of exec's host, ms; undefined for one without an event. */
  readonly lastWriteMs: number | undefined
  readonly events: number
  /** Orders without an outcome in games that are not final, the oldest first. */
  readonly open: readonly OpenOrder[]
  /** Plans that left something unhedged or unknown, in games that are not final. */
  readonly unhedged: readonly string[]
  /** Rows that contradict each other, in words. */
  readonly contradictions: readonly string[]
}

export interface OpenOrder {
  readonly orderId: string
  readonly state: string
  /** When its intent was recorded, exec's wall clock, ms. */
  readonly sinceMs: number
}

/** What rounds a spend up: a cent. */
const ROUNDING_MICROS = 10_000

/**
 * Looks at a copy: a running exec is not disturbed. Throws `LEDGER_MISSING`, `LEDGER_CORRUPT` (exit INTEGRITY),
 * `LEDGER_VERSION`, `LEDGER_FOREIGN`, `LEDGER_BUSY`, `LEDGER_FAILED`, all naming the file.
 */
export function lookAtLedger(path: string, owner: LedgerOwner): LedgerLook {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) {
    throw new ArbeesError('LEDGER_MISSING', `there is no ledger ${path}`, {
      exit: EXIT.UNHEALTHY,
      hint: 'exec makes it at its first start; if it runs elsewhere, look there, or name its --data-dir',
    })
  }
  const first = lookOnce(path, owner)
  if ('look' in first) return first.look
  // The end of what exec is just writing looks torn too: but never twice at the same frame.
  const second = lookOnce(path, owner, first.tornAt)
  if ('look' in second) return second.look
  throw corrupt(
    path,
    `its WAL is broken behind frame ${second.tornAt}: SQLite drops what follows, and says nothing`,
  )
}

/** Where the WAL is torn instead, unless it was torn elsewhere before. */
function lookOnce(
  path: string,
  owner: LedgerOwner,
  tornBefore?: number,
): { readonly look: LedgerLook } | { readonly tornAt: number } {
  let db: Database.Database | undefined
  let copy: LedgerCopy | undefined
  try {
    copy = copyLedger(path)
    const wal = `${copy.path}-wal`
    const commits = existsSync(wal) ? lastCommitOf(wal) : 0
    db = new Database(copy.path)
    const recovered = recoveredFrames(db)
    const isTorn = recovered < commits && (tornBefore === undefined || tornBefore === recovered)
    return isTorn ? { tornAt: recovered } : { look: readLedger(db, path, owner) }
  } catch (error) {
    throw error instanceof ArbeesError ? error : openError(error, path)
  } finally {
    db?.close()
    copy?.remove()
  }
}

/** Frames of the WAL that are taken for whole; none where there is no WAL. */
function recoveredFrames(db: Database.Database): number {
  const [row] = db.prepare('pragma wal_checkpoint(passive)').all() as { readonly log?: number }[]
  return Math.max(0, row?.log ?? 0)
}

function readLedger(db: Database.Database, path: string, { env, mode }: LedgerOwner): LedgerLook {
  const found = firstValue(db.prepare('pragma quick_check(1)').all())
  if (found !== 'ok') throw corrupt(path, String(found))
  const version = Number(firstValue(db.prepare('pragma user_version').all()))
  if (version === 0) throw corrupt(path, 'it has no tables')
  if (version > MIGRATIONS.length) {
    throw new ArbeesError('LEDGER_VERSION', `${path} was written by a newer arbees (schema ${version})`, {
      exit: EXIT.REFUSED,
      hint: 'look with the arbees that wrote it',
    })
  }
  const owned = firstValue(db.prepare("select value from meta where name = 'owner'").all())
  if (owned !== `${env}.${mode}`) {
    throw new ArbeesError(
      'LEDGER_FOREIGN',
      `${path} is the ledger of ${String(owned)}, not of ${env}.${mode}`,
      {
        exit: EXIT.REFUSED,
        hint: 'somebody has moved it: give each env and mode its own file',
      },
    )
  }
  const rows = <T>(sql: string, ...values: string[]): T[] => db.prepare<string[]>(sql).all(...values) as T[]
  const [whole] = rows<{ events: number; last: number | null }>(
    'select count(*) as events, max(at_ms) as last from event',
  )
  const { plans, inFlight } = new LedgerHistory((sql) => db.prepare(sql).all(), path)
  const open = inFlight.map(({ prepared, state }): OpenOrder => {
    const { orderId } = prepared.request
    const [intent] = rows<{ at_ms: number }>(
      "select at_ms from event where kind = 'intent' and order_id = ?",
      orderId,
    )
    return { orderId, state, sinceMs: intent?.at_ms ?? 0 }
  })
  return {
    lastWriteMs: whole?.last ?? undefined,
    events: whole?.events ?? 0,
    open: open.sort((a, b) => a.sinceMs - b.sinceMs),
    unhedged: plans
      .filter(({ naked, orders }) => naked && !orders.some(isInFlight))
      .map(({ signal }) => signal.id),
    contradictions: contradictionsIn(rows),
  }
}

interface FillRow {
  readonly order_id: string
  readonly filled: number
  readonly size: number
  readonly limit_e4: number
  readonly venue: string
  readonly side: string
  /** Null before the venue has told it. */
  readonly cash: number | null
}

function contradictionsIn(rows: <T>(sql: string) => T[]): string[] {
  const named = (sql: string, words: (order: string, kind: string) => string) =>
    rows<{ kind: string; order_id: string }>(sql).map(({ order_id: id, kind }) => words(id, kind))
  return [
    ...named(SELECT_ORPHANS, (order, kind) => `order ${order} is ${kind} without an intent before it`),
    ...named(SELECT_OVER_AGAIN, (order) => `order ${order} has ended more than once`),
    ...named(SELECT_PAID_FOR_NOTHING, (order) => `order ${order} has money of a fill, and none filled`),
    ...rows<FillRow>(SELECT_FILLS).flatMap(overfilled),
  ]
}

/** A buy at Polymarket is a spend: at better prices it gets more shares, never for more dollars. */
function overfilled({ order_id: id, filled, size, limit_e4: limit, venue, side, cash }: FillRow): string[] {
  const isSpend = venue === 'poly' && side === 'buy'
  if (!isSpend && filled > size * 10_000) return [`order ${id} of ${size / 100} has filled ${filled / 1e6}`]
  if (!isSpend || cash === null || cash <= limit * size + ROUNDING_MICROS) return []
  return [`order ${id} of $${(limit * size) / 1e6} has spent $${cash / 1e6}`]
}
