/** An entry of a stream that the mirror wrote: a message of the bus and its place in its channel. */

import type { Position } from '../bus/position.js'
import type { Refusal } from '../messages/codec.js'

export interface StreamEntry extends Position {
  /** Redis's own; two refills of the same message have two. */
  readonly id: string
  readonly source: string
  readonly topic: string
  /** The envelope as it was published. */
  readonly data: Buffer
}

/** As Redis replies: fields and values in turns. */
export type RawEntry = readonly [id: Buffer, fields: readonly Buffer[]]

/** By name; the last value of a name that stands there twice. */
export function fieldsOf([, fields]: RawEntry): ReadonlyMap<string, Buffer> {
  const values = new Map<string, Buffer>()
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const [name, value] = [fields[i], fields[i + 1]]
    if (name !== undefined && value !== undefined) values.set(name.toString('latin1'), value)
  }
  return values
}

/** Undefined for an entry that no mirror of ours wrote. */
export function parseEntry(raw: RawEntry): StreamEntry | undefined {
  const values = fieldsOf(raw)
  const source = values.get('source')?.toString('utf8')
  const topic = values.get('topic')?.toString('utf8')
  const data = values.get('data')
  const epoch = countOf(values.get('epoch'))
  const seq = countOf(values.get('seq'))
  if (source === undefined || topic === undefined || data === undefined) return undefined
  if (epoch === undefined || seq === undefined) return undefined
  return { id: raw[0].toString('latin1'), source, topic, data, epoch, seq }
}

/** Why it is none. */
export const refusalOfRaw = ([id]: RawEntry, key: string): Refusal & { readonly reason: 'bad_entry' } => ({
  reason: 'bad_entry',
  detail: `entry ${id.toString('latin1')} of ${key}`,
})

/** The same of an entry that is one, and no message. */
export const refusalOfEntry = ({ reason, detail }: Refusal, { id }: StreamEntry): Refusal => ({
  reason,
  detail: `${detail}, entry ${id}`,
})

/** A whole number as the mirror writes it; undefined for anything else. */
export function countOf(value: Buffer | undefined): number | undefined {
  const text = value?.toString('latin1') ?? ''
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined
}
