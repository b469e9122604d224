/** An entry of a stream that the mirror wrote: a message of the bus and its place in its channel. */

import type { Position } from '../bus/position.js'

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

/** Undefined for an entry that no mirror of ours wrote. */
export function parseEntry([id, fields]: RawEntry): StreamEntry | undefined {
  const values = new Map<string, Buffer>()
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const [name, value] = [fields[i], fields[i + 1]]
    if (name !== undefined && value !== undefined) values.set(name.toString('latin1'), value)
  }
  const source = values.get('source')?.toString('utf8')
  const topic = values.get('topic')?.toString('utf8')
  const data = values.get('data')
  const epoch = count(values.get('epoch'))
  const seq = count(values.get('seq'))
  if (source === undefined || topic === undefined || data === undefined) return undefined
  if (epoch === undefined || seq === undefined) return undefined
  return { id: id.toString('latin1'), source, topic, data, epoch, seq }
}

function count(value: Buffer | undefined): number | undefined {
  const text = value?.toString('latin1') ?? ''
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined
}
