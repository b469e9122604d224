/**
 * The folder of a recording:
 *
 *     lock
 *     <source>/<epoch>-<seq>.seg.gz     what comes from that message on
 */

import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { acquireLock, lockHolder, releaseLock } from '../../bus/journal/lock.js'
import { parseSegmentName, segmentName } from '../../bus/journal/segment-name.js'
import type { Position } from '../../bus/position.js'
import { ArbeesError, EXIT, messageOf } from '../../core/errors.js'
import { isSource } from '../../messages/sources.js'

export interface RecordedSegment {
  readonly path: string
  /** Its first message, or the first that is missing. */
  readonly first: Position
}

export interface RecordedSource {
  readonly source: string
  /** In order. */
  readonly segments: readonly RecordedSegment[]
}

const SUFFIX = '.gz'

/** By the name of a file; undefined for another file. */
function firstIn(name: string): Position | undefined {
  const parsed = name.endsWith(SUFFIX) ? parseSegmentName(name.slice(0, -SUFFIX.length)) : undefined
  return parsed && { epoch: parsed.epoch, seq: parsed.first }
}

export class RecordingFolder {
  constructor(readonly path: string) {}

  /** Makes it and takes it for this process. Throws `RECORDING_UNUSABLE` (exit CONFIG), `RECORDING_LOCKED` (REFUSED). */
  lock(): void {
    let holder: number | undefined
    try {
      mkdirSync(this.path, { recursive: true, mode: 0o700 })
      holder = acquireLock(this.lockPath)
    } catch (error) {
      throw new ArbeesError('RECORDING_UNUSABLE', `cannot write in ${this.path}: ${messageOf(error)}`, {
        exit: EXIT.CONFIG,
        hint: 'name a folder on a disk with room, that this user may write',
        cause: error,
      })
    }
    if (holder === undefined) return
    throw new ArbeesError('RECORDING_LOCKED', `process ${holder} records into ${this.path}`, {
      exit: EXIT.REFUSED,
      hint: 'stop it, or name another folder',
    })
  }

  unlock(): void {
    releaseLock(this.lockPath)
  }

  /** Somebody records into it right now. */
  get isLive(): boolean {
    return lockHolder(this.lockPath) !== undefined
  }

  /** Those that have segments; none where there is no folder. */
  sources(): RecordedSource[] {
    if (!existsSync(this.path)) return []
    return readdirSync(this.path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && isSource(entry.name))
      .map(({ name }) => ({ source: name, segments: this.segments(name) }))
      .filter(({ segments }) => segments.length > 0)
      .sort((a, b) => (a.source < b.source ? -1 : 1))
  }

  /** Where the segment of a source belongs that begins with that message; its folder is there. */
  pathOf(source: string, { epoch, seq }: Position): string {
    const folder = join(this.path, source)
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    return join(folder, segmentName(epoch, seq) + SUFFIX)
  }

  /** Removes the oldest files beyond so many bytes; of each source the newest stays: it says how far it got. */
  prune(retainBytes: number): void {
    const files = this.sources().flatMap(({ segments }) =>
      segments.map(({ path }, i) => {
        const { size, mtimeMs } = statSync(path)
        return { path, size, mtimeMs, stays: i === segments.length - 1 }
      }),
    )
    let total = files.reduce((sum, { size }) => sum + size, 0)
    for (const { path, size, stays } of files.sort((a, b) => a.mtimeMs - b.mtimeMs)) {
      if (total <= retainBytes) return
      if (stays) continue
      rmSync(path, { force: true })
      total -= size
    }
  }

  private segments(source: string): RecordedSegment[] {
    const folder = join(this.path, source)
    return readdirSync(folder)
      .flatMap((name) => {
        const first = firstIn(name)
        return first === undefined ? [] : [{ path: join(folder, name), first }]
      })
      .sort((a, b) => a.first.epoch - b.first.epoch || a.first.seq - b.first.seq)
  }

  private get lockPath(): string {
    return join(this.path, 'lock')
  }
}
