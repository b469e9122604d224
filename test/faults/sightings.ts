/**
 * What a process saw, one line each, in a file that outlives it: `m <epoch> <seq> <n>` for a message,
 * `g <epoch> <from> <to or -> <reason>` for a gap. A write that returned survives SIGKILL, so the last line is also
 * where a reader stands.
 */

import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import type { Arrivals, GapSighting, Place, Sighting } from './tally.js'

/** Of a file that is being written, the end is looked at. */
const TAIL_BYTES = 4 * 1024

/** Appends; what one loop turn saw is one write. */
export class SightingLog {
  private readonly fd: number
  private text = ''

  /** A line that was cut by a kill is removed. */
  constructor(path: string) {
    this.fd = openSync(path, 'a+')
    const tail = tailOf(path)
    ftruncateSync(this.fd, sizeOf(path) - (tail.length - 1 - tail.lastIndexOf('\n')))
  }

  message({ epoch, seq, n }: Sighting): void {
    this.add(`m ${epoch} ${seq} ${n}\n`)
  }

  gap({ epoch, from, to, reason }: GapSighting): void {
    this.add(`g ${epoch} ${from} ${to ?? '-'} ${reason}\n`)
  }

  flush(): void {
    if (this.text === '') return
    writeSync(this.fd, this.text)
    this.text = ''
  }

  private add(line: string): void {
    if (this.text === '') setImmediate(() => this.flush())
    this.text += line
  }
}

/** The last message of the file. */
export function lastMessage(path: string): Sighting | undefined {
  const fields = tailOf(path)
    .split('\n')
    .slice(0, -1)
    .findLast((line) => line.startsWith('m '))
    ?.split(' ')
  return fields && { epoch: Number(fields[1]), seq: Number(fields[2]), n: Number(fields[3]) }
}

/** Where the writer of the file stands: behind its last message or closed gap; undefined when it has neither. */
export function lastPlace(path: string): Place | undefined {
  const lines = tailOf(path).split('\n').slice(0, -1).reverse()
  for (const line of lines) {
    const [kind, epoch, a, b] = line.split(' ')
    if (kind === 'm') return { epoch: Number(epoch), seq: Number(a) }
    if (kind === 'g' && b !== '-') return { epoch: Number(epoch), seq: Number(b) }
  }
  return undefined
}

/** Bytes so far; 0 when there is no file yet. */
export function sizeOf(path: string): number {
  return withFile(path, (fd) => fstatSync(fd).size) ?? 0
}

/** From byte `start` on, which is where a line begins. */
export function readSightings(path: string, start = 0): Arrivals {
  const messages: Sighting[] = []
  const gaps: GapSighting[] = []
  const text = withFile(path, (fd) => textFrom(fd, start)) ?? ''
  for (const line of text.split('\n')) {
    const [kind, epoch, a, b, reason] = line.split(' ')
    if (kind === 'm') messages.push({ epoch: Number(epoch), seq: Number(a), n: Number(b) })
    if (kind === 'g') {
      const to = b === '-' ? null : Number(b)
      gaps.push({ epoch: Number(epoch), from: Number(a), to, reason: reason ?? '' })
    }
  }
  return { messages, gaps }
}

function tailOf(path: string): string {
  const text = withFile(path, (fd) => {
    const { size } = fstatSync(fd)
    const found = textFrom(fd, Math.max(0, size - TAIL_BYTES))
    // The first line may be cut by where we began to read.
    return size > TAIL_BYTES ? found.slice(found.indexOf('\n') + 1) : found
  })
  return text ?? ''
}

function textFrom(fd: number, start: number): string {
  const buffer = Buffer.alloc(Math.max(0, fstatSync(fd).size - start))
  return buffer.toString('latin1', 0, readSync(fd, buffer, 0, buffer.length, start))
}

function withFile<T>(path: string, use: (fd: number) => T): T | undefined {
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch {
    return undefined
  }
  try {
    return use(fd)
  } finally {
    closeSync(fd)
  }
}
