/**
 * One message as it lies in the journal, and as it travels from the recovery socket. Little endian:
 *
 *     u32 length of what follows the crc | u32 crc32 of it |
 *     u64 epoch | u64 seq | u64 timestamp, ms | u16 length of the topic | topic | envelope
 */

import { crc32 } from 'node:zlib'
import { MAX_MESSAGE_BYTES } from '../../messages/codec.js'
import type { Position } from '../position.js'

/** A message that was published. */
export interface JournalRecord extends Position {
  /** The publisher's wall clock. */
  readonly timestampMs: number
  readonly topic: string
  /** The envelope, a view into the bytes it was read from. */
  readonly data: Buffer
}

/** What a record adds to topic and envelope. */
export const RECORD_OVERHEAD_BYTES = 34
const HEAD_BYTES = 8
const BODY_BYTES = RECORD_OVERHEAD_BYTES - HEAD_BYTES
const MAX_TOPIC_BYTES = 0xffff
const MAX_BODY_BYTES = BODY_BYTES + MAX_TOPIC_BYTES + MAX_MESSAGE_BYTES
const TWO_32 = 2 ** 32

export interface RecordParts extends Position {
  readonly timestampMs: number
  readonly topic: Buffer
  /** The envelope. */
  readonly text: string
}

/** Encodes into `into`, which has room (`recordBytes`); says where the envelope begins and where the record ends. */
export function writeRecord(
  into: Buffer,
  offset: number,
  { epoch, seq, timestampMs, topic, text }: RecordParts,
): { readonly dataStart: number; readonly end: number } {
  const body = offset + HEAD_BYTES
  writeU64(into, body, epoch)
  writeU64(into, body + 8, seq)
  writeU64(into, body + 16, timestampMs)
  into.writeUInt16LE(topic.length, body + 24)
  topic.copy(into, body + BODY_BYTES)
  const dataStart = body + BODY_BYTES + topic.length
  const end = dataStart + into.write(text, dataStart)
  into.writeUInt32LE(end - body, offset)
  into.writeUInt32LE(crc32(into.subarray(body, end)), offset + 4)
  return { dataStart, end }
}

/** Bytes of the record of an envelope of `textBytes`. */
export const recordBytes = (topic: Buffer, textBytes: number): number =>
  RECORD_OVERHEAD_BYTES + topic.length + textBytes

export type ReadRecord =
  | { readonly kind: 'record'; readonly record: JournalRecord; readonly end: number }
  /** The bytes end within the record: more may follow, or a write was cut short. */
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'corrupt'; readonly why: 'length' | 'crc' | 'content' }

/** The record at `offset`. Never throws. */
export function readRecord(buffer: Buffer, offset: number): ReadRecord {
  if (buffer.length - offset < HEAD_BYTES) return { kind: 'incomplete' }
  const length = buffer.readUInt32LE(offset)
  if (length < BODY_BYTES || length > MAX_BODY_BYTES) return { kind: 'corrupt', why: 'length' }
  const body = offset + HEAD_BYTES
  const end = body + length
  if (end > buffer.length) return { kind: 'incomplete' }
  if (crc32(buffer.subarray(body, end)) !== buffer.readUInt32LE(offset + 4))
    return { kind: 'corrupt', why: 'crc' }
  const epoch = readU64(buffer, body)
  const seq = readU64(buffer, body + 8)
  const timestampMs = readU64(buffer, body + 16)
  const dataStart = body + BODY_BYTES + buffer.readUInt16LE(body + 24)
  if (dataStart > end || ![epoch, seq, timestampMs].every(Number.isSafeInteger))
    return { kind: 'corrupt', why: 'content' }
  const topic = buffer.toString('utf8', body + BODY_BYTES, dataStart)
  return {
    kind: 'record',
    record: { epoch, seq, timestampMs, topic, data: buffer.subarray(dataStart, end) },
    end,
  }
}

/** Whether the record at `offset` is whole and undamaged, by its crc alone. */
export function isIntact(buffer: Buffer, offset: number): boolean {
  if (buffer.length - offset < RECORD_OVERHEAD_BYTES) return false
  const body = offset + HEAD_BYTES
  const end = body + buffer.readUInt32LE(offset)
  return end <= buffer.length && crc32(buffer.subarray(body, end)) === buffer.readUInt32LE(offset + 4)
}

/** A chunk of whole records, one behind the other; undefined when it is anything else. */
export function readRecords(bytes: Buffer): JournalRecord[] | undefined {
  const records: JournalRecord[] = []
  for (let offset = 0; offset < bytes.length;) {
    const read = readRecord(bytes, offset)
    if (read.kind !== 'record') return undefined
    records.push(read.record)
    offset = read.end
  }
  return records
}

/** Where the record at `offset` ends if it is message `seq` of `epoch`, by its head alone, without its crc. */
export function endOfRecord(buffer: Buffer, offset: number, { epoch, seq }: Position): number | undefined {
  if (buffer.length - offset < RECORD_OVERHEAD_BYTES) return undefined
  const length = buffer.readUInt32LE(offset)
  const body = offset + HEAD_BYTES
  const fits = length >= BODY_BYTES && body + length <= buffer.length
  return fits && readU64(buffer, body) === epoch && readU64(buffer, body + 8) === seq
    ? body + length
    : undefined
}

/** The first whole record of `epoch` at or behind `offset` with a seq of at least `seq`. */
export function findRecord(
  buffer: Buffer,
  offset: number,
  { epoch, seq }: Position,
): { readonly offset: number; readonly seq: number } | undefined {
  const needle = Buffer.alloc(8)
  writeU64(needle, 0, epoch)
  for (let at = buffer.indexOf(needle, offset + HEAD_BYTES); at !== -1; at = buffer.indexOf(needle, at + 1)) {
    const read = readRecord(buffer, at - HEAD_BYTES)
    if (read.kind === 'record' && read.record.epoch === epoch && read.record.seq >= seq)
      return { offset: at - HEAD_BYTES, seq: read.record.seq }
  }
  return undefined
}

/**
 * The bytes from `offset` to the end are the beginning of a record and nothing else: a write that was cut short. A
 * record that is all there, with a length that says more, is damage.
 */
export function isTorn(buffer: Buffer, offset: number): boolean {
  if (readRecord(buffer, offset).kind !== 'incomplete') return false
  if (buffer.length - offset < RECORD_OVERHEAD_BYTES) return true
  return crc32(buffer.subarray(offset + HEAD_BYTES)) !== buffer.readUInt32LE(offset + 4)
}

function writeU64(into: Buffer, offset: number, value: number): void {
  const low = value % TWO_32
  into.writeUInt32LE(low, offset)
  into.writeUInt32LE((value - low) / TWO_32, offset + 4)
}

const readU64 = (buffer: Buffer, offset: number): number =>
  buffer.readUInt32LE(offset) + buffer.readUInt32LE(offset + 4) * TWO_32
