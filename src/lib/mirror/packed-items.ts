/**
 * The steps of one call as bytes: a client pays for each argument of a command, several times what copying a message
 * costs. `mirror-script.ts` reads them with Redis's `struct`; numbers are little-endian, text is UTF-8 behind its
 * length.
 *
 *     r  epoch f64, seq f64, stream u16, string u16 (0 for none), its end f64 (Unix ms), topic u16, data u32
 *     g  epoch f64, from f64, to f64, reason u16
 *     n  from epoch f64, to epoch f64, reason u16 (empty for none)
 *     c  epoch f64, seq f64
 */

import type { Item } from './item.js'

/** Keys of a call, each named by its index from 1. */
export class KeyList {
  readonly all: string[]
  private readonly indexes = new Map<string, number>()

  constructor(...first: readonly string[]) {
    this.all = [...first]
  }

  indexOf(key: string): number {
    let index = this.indexes.get(key)
    if (index === undefined) {
      index = this.all.push(key)
      this.indexes.set(key, index)
    }
    return index
  }
}

const KIND = { record: 0x72, gap: 0x67, epoch: 0x6e, closed: 0x63 } as const
/** The longest step without its text: a kind, its numbers and two lengths. */
const FIXED_BYTES = 40
/** A UTF-16 unit is at most so long in UTF-8. */
const UTF8_BYTES = 3

/** Adds the keys that they name to `keys`. */
export function packItems(items: readonly Item[], keys: KeyList): Buffer {
  const bytes = Buffer.allocUnsafe(items.reduce((sum, item) => sum + mostBytesOf(item), 0))
  const packer = new Packer(bytes)
  for (const item of items) packer.item(item, keys)
  return packer.packed
}

function mostBytesOf(item: Item): number {
  if (item.kind !== 'record')
    return FIXED_BYTES + ('reason' in item ? UTF8_BYTES * (item.reason?.length ?? 0) : 0)
  return FIXED_BYTES + UTF8_BYTES * item.value.topic.length + item.value.data.length
}

class Packer {
  private at = 0

  constructor(private readonly bytes: Buffer) {}

  get packed(): Buffer {
    return this.bytes.subarray(0, this.at)
  }

  item(item: Item, keys: KeyList): void {
    this.at = this.bytes.writeUInt8(KIND[item.kind], this.at)
    switch (item.kind) {
      case 'record': {
        const { stream, topic, data, snapshot } = item.value
        this.number(item.epoch)
        this.number(item.seq)
        this.at = this.bytes.writeUInt16LE(keys.indexOf(stream), this.at)
        this.at = this.bytes.writeUInt16LE(snapshot === undefined ? 0 : keys.indexOf(snapshot.key), this.at)
        this.number(snapshot?.expireAtMs ?? 0)
        this.text(topic)
        this.at = this.bytes.writeUInt32LE(data.length, this.at)
        this.bytes.set(data, this.at)
        this.at += data.length
        break
      }
      case 'gap':
        this.number(item.epoch)
        this.number(item.from)
        this.number(item.to)
        this.text(item.reason)
        break
      case 'epoch':
        this.number(item.from)
        this.number(item.to)
        this.text(item.reason ?? '')
        break
      case 'closed':
        this.number(item.epoch)
        this.number(item.seq)
        break
    }
  }

  private number(value: number): void {
    this.at = this.bytes.writeDoubleLE(value, this.at)
  }

  private text(text: string): void {
    const length = this.bytes.write(text, this.at + 2)
    this.bytes.writeUInt16LE(length, this.at)
    this.at += 2 + length
  }
}
