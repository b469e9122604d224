/**
 * A line of a recording: crc32 of the rest in hex, a space, JSON. A message's envelope stands in it byte for byte, so
 * that `zcat` and `cut -c10-` show what was sent; one that holds a line end is in base64.
 */

import { crc32 } from 'node:zlib'
import type { Gap } from '../../bus/gap.js'
import { isObject } from '../../messages/checks.js'
import type { JsonObject } from '../../messages/checks.js'
import { isSource } from '../../messages/sources.js'
import type { PastItem, PastMessage } from '../past.js'

export type RecordingLine =
  | PastMessage
  | { readonly kind: 'gap'; readonly gap: Gap }
  /** The file was closed as it should be: it is whole. */
  | { readonly kind: 'end' }
  /** What follows in the file was picked out of its sources: what stands between was not lost. */
  | { readonly kind: 'selection' }

const CRC_BYTES = 9
const LINE_END = 0x0a
/** A quote inside a string would be escaped: the first of these is the member. */
const ENVELOPE = ',"envelope":'

/** With its line end. */
export function lineOf(item: PastItem | { readonly kind: 'end' | 'selection' }): Buffer {
  switch (item.kind) {
    case 'message':
      return messageLine(item)
    case 'gap':
      return line(Buffer.from(JSON.stringify({ gap: item.gap })))
    case 'end':
      return line(Buffer.from('{"end":true}'))
    case 'selection':
      return line(Buffer.from('{"selection":true}'))
  }
}

function messageLine({ topic, source, epoch, seq, timestampMs, data }: PastMessage): Buffer {
  const head =
    `{"topic":${JSON.stringify(topic)},"source":${JSON.stringify(source)}` +
    `,"epoch":${epoch},"seq":${seq},"timestamp_ms":${timestampMs}`
  return data.includes(LINE_END)
    ? line(Buffer.from(`${head},"base64":"${data.toString('base64')}"}`))
    : line(Buffer.concat([Buffer.from(head + ENVELOPE), data, Buffer.from('}')]))
}

const line = (json: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${crc32(json).toString(16).padStart(8, '0')} `), json, Buffer.from('\n')])

/** What a line, without its end, says; undefined for one that is damaged or none of ours. */
export function parseLine(bytes: Buffer): RecordingLine | undefined {
  const json = bytes.subarray(CRC_BYTES)
  const crc = Number.parseInt(bytes.toString('latin1', 0, CRC_BYTES - 1), 16)
  if (bytes[CRC_BYTES - 1] !== 0x20 || crc !== crc32(json)) return undefined
  const split = json.indexOf(ENVELOPE)
  const fields = tryParse(split === -1 ? json.toString('utf8') : `${json.toString('utf8', 0, split)}}`)
  if (fields === undefined) return undefined
  if (fields['end'] === true) return { kind: 'end' }
  if (fields['selection'] === true) return { kind: 'selection' }
  const { base64, gap } = fields
  if (isObject(gap)) return isGap(gap) ? { kind: 'gap', gap } : undefined
  if (split !== -1) return messageOf(fields, json.subarray(split + ENVELOPE.length, -1))
  return typeof base64 === 'string' ? messageOf(fields, Buffer.from(base64, 'base64')) : undefined
}

function messageOf(fields: JsonObject, data: Buffer): PastMessage | undefined {
  const { topic, source, epoch, seq, timestamp_ms: timestampMs } = fields
  if (typeof topic !== 'string' || typeof source !== 'string' || !isSource(source)) return undefined
  if (!isCount(epoch) || !isCount(seq)) return undefined
  if (typeof timestampMs !== 'number' || !Number.isFinite(timestampMs)) return undefined
  return { kind: 'message', source, topic, epoch, seq, timestampMs, data }
}

/** The writer's own words, where the crc is right; a recording may still have been written by somebody else. */
function isGap(gap: JsonObject): gap is JsonObject & Gap {
  const { source, epoch, from, to, reason } = gap
  return (
    typeof source === 'string' &&
    isSource(source) &&
    isCount(epoch) &&
    isCount(from) &&
    (to === null || isCount(to)) &&
    typeof reason === 'string' &&
    /^[a-z_]{1,40}$/.test(reason)
  )
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0

function tryParse(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
