/**
 * What crosses the recovery socket. A request is one JSON frame; a reply is a JSON frame and, for a range or a
 * snapshot, a frame of journal records as they lie on disk, whose checksums travel along.
 *
 *     {"v":1,"id":7,"op":"range","source":"kalshi.prices","epoch":1769500000123,"from":1235,"to":1240}
 *     {"v":1,"id":8,"op":"snapshot","source":"kalshi.prices","cursor":0}
 *     {"v":1,"id":9,"op":"ping"}
 *     {"v":1,"id":10,"op":"halt","level":"entries","reason":"odd fills","by":"ops@host"}
 *     {"v":1,"id":11,"op":"order","order":{…}}
 *
 * Anything that connects can write to a ROUTER, so every field is validated before it is used, on both sides.
 */

import { isSource } from '../../messages/sources.js'
import { haltOrderOf, isHaltLevel } from '../../model/halt.js'
import type { HaltOrder, HaltedExec } from '../../model/halt.js'
import { manualAnswerOf, manualOrderOf } from '../../model/manual-order.js'
import type { ManualAnswer, ManualOrder } from '../../model/manual-order.js'
import { ENVS, MODES } from '../../model/venue.js'
import type { HoleReason, RangeReply, RangeRequest, SnapshotReply } from '../range.js'

/** Nothing larger is read as a request. */
export const MAX_REQUEST_BYTES = 4 * 1024

/**
 * One chunk; a single record may be larger than `bytes` and then comes alone. 64 KiB hold up the publisher for 0.1 ms,
 * 256 KiB for 0.5 ms.
 */
export const CHUNK = { records: 500, bytes: 64 * 1024 } as const

export type RecoveryRequest =
  | { readonly op: 'ping'; readonly id: number }
  /** For exec alone. Whatever it says besides, it halts. */
  | ({ readonly op: 'halt'; readonly id: number } & HaltOrder)
  /** For exec alone. */
  | { readonly op: 'order'; readonly id: number; readonly order: ManualOrder }
  | ({ readonly op: 'range'; readonly id: number; readonly source: string } & RangeRequest)
  /** Cursor 0 begins; then what the reply before said is `next`. */
  | { readonly op: 'snapshot'; readonly id: number; readonly source: string; readonly cursor: number }

/** A range's reply without its records. */
export type RangeHeader = Omit<RangeReply<never>, 'records'> & { readonly count: number }
/** A snapshot's reply without its values. */
export type SnapshotHeader = Omit<SnapshotReply<never>, 'values'> & { readonly count: number }

/** Why a well-formed request gets nothing. */
export type RefusalReason = 'unknown_source' | 'no_journal' | 'no_snapshot' | 'not_exec' | 'failed'

export type RecoveryReply =
  | { readonly op: 'pong'; readonly id: number }
  /** What is stopped from here on. */
  | ({ readonly op: 'halted'; readonly id: number } & HaltedExec)
  /** What has become of a manual order. */
  | { readonly op: 'ordered'; readonly id: number; readonly answer: ManualAnswer }
  | ({ readonly op: 'range'; readonly id: number; readonly source: string } & RangeHeader)
  | ({ readonly op: 'snapshot'; readonly id: number; readonly source: string } & SnapshotHeader)
  | { readonly op: 'rate_limited'; readonly id: number; readonly retry_ms: number }
  | { readonly op: 'refused'; readonly id: number; readonly reason: RefusalReason }

/** A request, or the word that its kind of garbage is counted by. */
export type ParsedRequest =
  | { readonly kind: 'request'; readonly request: RecoveryRequest }
  | { readonly kind: 'bad'; readonly reason: BadRequest }
export type BadRequest =
  'bad_frames' | 'oversize' | 'not_json' | 'not_an_object' | 'bad_version' | 'bad_id' | 'bad_op' | 'bad_field'

export const formatRequest = (request: RecoveryRequest): string => JSON.stringify({ v: 1, ...request })
export const formatReply = (reply: RecoveryReply): string => JSON.stringify({ v: 1, ...reply })

/** Reads the one frame of a request. Never throws. */
export function parseRequest(frame: Buffer): ParsedRequest {
  if (frame.length > MAX_REQUEST_BYTES) return bad('oversize')
  const value = parseJson(frame)
  if (value === undefined) return bad('not_json')
  if (!isObject(value)) return bad('not_an_object')
  const { v, id, op, source, epoch, from, to, cursor } = value
  if (v !== 1) return bad('bad_version')
  if (!isCount(id)) return bad('bad_id')
  switch (op) {
    case 'ping':
      return { kind: 'request', request: { op, id } }
    case 'halt':
      return { kind: 'request', request: { op, id, ...haltOrderOf(value) } }
    case 'order': {
      const order = manualOrderOf(value['order'])
      return order === undefined ? bad('bad_field') : { kind: 'request', request: { op, id, order } }
    }
    case 'range': {
      if (!isSourceName(source) || !isCount(epoch) || !isSeq(from)) return bad('bad_field')
      if (to === undefined) return { kind: 'request', request: { op, id, source, epoch, from } }
      if (!isSeq(to) || to < from) return bad('bad_field')
      return { kind: 'request', request: { op, id, source, epoch, from, to } }
    }
    case 'snapshot':
      if (!isSourceName(source) || !isCount(cursor)) return bad('bad_field')
      return { kind: 'request', request: { op, id, source, cursor } }
    default:
      return bad('bad_op')
  }
}

/** Reads the first frame of a reply; undefined for anything that is none. Never throws. */
export function parseReply(frame: Buffer): RecoveryReply | undefined {
  const value = parseJson(frame)
  if (!isObject(value) || value['v'] !== 1) return undefined
  const { id, op, source, retry_ms: retryMs, reason } = value
  if (!isCount(id)) return undefined
  switch (op) {
    case 'pong':
      return { op, id }
    case 'halted':
      return isHaltLevel(value['level']) ? { op, id, level: value['level'], ...execOf(value) } : undefined
    case 'ordered': {
      const answer = manualAnswerOf(value['answer'])
      return answer === undefined ? undefined : { op, id, answer }
    }
    case 'range': {
      const header = rangeHeader(value)
      return header === undefined || !isSourceName(source) ? undefined : { op, id, source, ...header }
    }
    case 'snapshot': {
      const header = snapshotHeader(value)
      return header === undefined || !isSourceName(source) ? undefined : { op, id, source, ...header }
    }
    case 'rate_limited':
      return isCount(retryMs) ? { op, id, retry_ms: retryMs } : undefined
    case 'refused':
      return isOneOf(REFUSALS, reason) ? { op, id, reason } : undefined
    default:
      return undefined
  }
}

/** Which exec speaks, as far as it says so. */
const execOf = ({ env, mode }: JsonObject): Omit<HaltedExec, 'level'> => ({
  ...(isOneOf(ENVS, env) ? { env } : {}),
  ...(isOneOf(MODES, mode) ? { mode } : {}),
})

const REFUSALS: readonly RefusalReason[] = [
  'unknown_source',
  'no_journal',
  'no_snapshot',
  'not_exec',
  'failed',
]
const HOLES: readonly HoleReason[] = ['retention', 'degraded', 'corrupt']
const ENDS = ['known', 'unknown', null] as const

function rangeHeader(value: JsonObject): RangeHeader | undefined {
  const { epoch, from, count, known, last, end, next } = value
  const hole = holeOf(value['hole'])
  const isSound =
    isCount(epoch) &&
    isSeq(from) &&
    isCount(count) &&
    count <= CHUNK.records &&
    typeof known === 'boolean' &&
    hole !== undefined &&
    isCount(last) &&
    isOneOf(ENDS, end) &&
    (next === null || isCount(next))
  return isSound ? { epoch, from, count, known, hole, last, end, next } : undefined
}

/** Undefined for what is no hole; null is none. */
function holeOf(value: unknown): RangeHeader['hole'] | undefined {
  if (value === null) return null
  if (!isObject(value)) return undefined
  const { to, reason } = value
  return (to === null || isSeq(to)) && isOneOf(HOLES, reason) ? { to, reason } : undefined
}

function snapshotHeader({ epoch, seq, complete, count, next }: JsonObject): SnapshotHeader | undefined {
  const isSound =
    isCount(epoch) &&
    isCount(seq) &&
    typeof complete === 'boolean' &&
    isCount(count) &&
    count <= CHUNK.records &&
    (next === null || isSeq(next))
  return isSound ? { epoch, seq, complete, count, next } : undefined
}

type JsonObject = Readonly<Record<string, unknown>>

const bad = (reason: BadRequest): ParsedRequest => ({ kind: 'bad', reason })
const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0
const isSeq = (value: unknown): value is number => isCount(value) && value >= 1
const isSourceName = (value: unknown): value is string => typeof value === 'string' && isSource(value)
const isOneOf = <T>(allowed: readonly T[], value: unknown): value is T =>
  (allowed as readonly unknown[]).includes(value)

function parseJson(frame: Buffer): unknown {
  try {
    return JSON.parse(frame.toString('utf8'))
  } catch {
    return undefined
  }
}
