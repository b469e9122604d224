/** A disk that can be full: a small tmpfs, and a file on it that takes up the rest. Needs root. */

import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, unlinkSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { codeOf } from '../../src/lib/core/errors.js'

const CHUNK = Buffer.alloc(64 * 1024)

/** Why no tmpfs can be mounted here; undefined when it can. */
export function smallDiskRefusal(): string | undefined {
  if (process.getuid?.() !== 0) return 'mounting a tmpfs needs root'
  const dir = mkdtempSync(join(tmpdir(), 'arbees-disk-'))
  try {
    new SmallDisk(dir, 1).remove()
    return undefined
  } catch {
    return 'no tmpfs can be mounted'
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

export class SmallDisk {
  constructor(
    readonly path: string,
    megabytes: number,
  ) {
    mkdirSync(path, { recursive: true })
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'arbees-faults', path], {
      stdio: 'pipe',
    })
  }

  /** Until the last byte. */
  fill(): void {
    const fd = openSync(this.filler, 'a')
    try {
      for (let size = CHUNK.length; size >= 1;) {
        try {
          if (writeSync(fd, CHUNK, 0, size) < size) size >>= 1
        } catch (error) {
          if (codeOf(error) !== 'ENOSPC') throw error
          size >>= 1
        }
      }
    } finally {
      closeSync(fd)
    }
  }

  free(): void {
    unlinkSync(this.filler)
  }

  remove(): void {
    execFileSync('umount', ['-l', this.path], { stdio: 'pipe' })
  }

  private get filler(): string {
    return join(this.path, 'filler')
  }
}
