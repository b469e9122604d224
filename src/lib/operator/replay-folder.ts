/**
 * Where a replay onto the bus keeps its journals for as long as it runs: a folder a run, and beside it a lock that
 * names the process, taken first and let go last. What a replay left that was killed the next one removes.
 */

import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { acquireLock, releaseLock } from '../bus/journal/lock.js'
import { ArbeesError, EXIT, messageOf } from '../core/errors.js'
import { isRun } from '../messages/sources.js'

export interface ReplayFolder {
  /** Not there yet. */
  readonly path: string
  /** With everything in it. */
  remove(): void
}

const LOCK = '.lock'

/**
 * Takes the folder of `run`. Throws `RUN_TAKEN` (exit 7) while another replay has that name, `BAD_DATA_DIR` (exit 4).
 * `onNotice` hears of what a dead run left and cannot be removed.
 */
export function takeReplayFolder(
  dataDir: string,
  run: string,
  onNotice: (text: string) => void,
): ReplayFolder {
  const base = join(dataDir, 'replay')
  const path = join(base, run)
  const holder = takeLock(base, run)
  if (holder !== undefined) {
    throw new ArbeesError('RUN_TAKEN', `process ${holder} plays the run '${run}'`, {
      exit: EXIT.REFUSED,
      hint: 'give this one another name with --run',
    })
  }
  rmSync(path, { recursive: true, force: true })
  for (const other of runsIn(base)) {
    try {
      removeIfDead(base, other)
    } catch (error) {
      onNotice(`what the replay ${other} left in ${base} cannot be removed: ${messageOf(error)}`)
    }
  }
  return {
    path,
    remove: () => {
      rmSync(path, { recursive: true, force: true })
      releaseLock(join(base, run + LOCK))
    },
  }
}

/** The pid of the live process that has the run; undefined when it is ours now. */
function takeLock(base: string, run: string): number | undefined {
  try {
    mkdirSync(base, { recursive: true, mode: 0o700 })
    return acquireLock(join(base, run + LOCK))
  } catch (error) {
    throw new ArbeesError('BAD_DATA_DIR', `cannot write in ${base}: ${messageOf(error)}`, {
      exit: EXIT.CONFIG,
      hint: 'name a folder that can be written with --data-dir',
      cause: error,
    })
  }
}

/** Whose owner lives stays: nobody makes a folder here before its lock. */
function removeIfDead(base: string, run: string): void {
  const lock = join(base, run + LOCK)
  if (acquireLock(lock) !== undefined) return
  rmSync(join(base, run), { recursive: true, force: true })
  releaseLock(lock)
}

/** By their folders and by their locks. */
function runsIn(base: string): string[] {
  const names = readdirSync(base).map((name) => (name.endsWith(LOCK) ? name.slice(0, -LOCK.length) : name))
  return [...new Set(names)].filter(isRun)
}
