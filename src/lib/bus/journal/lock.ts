/**
 * One writer for a folder: a file that names the process. A process is known by pid, start time and boot id, so that
 * neither a crash nor a restart of the machine leaves a lock behind, and a pid used again is not taken for its owner.
 */

import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { codeOf } from '../../core/errors.js'
import { bootId, randomId } from '../../core/ids.js'

interface Owner {
  readonly pid: number
  /** Clock ticks since boot when it started; empty where the system does not say. */
  readonly started: string
  readonly boot: string
}

/** Takes the lock; the pid of the live process that has it, or undefined when it is ours now. */
export function acquireLock(path: string): number | undefined {
  const own: Owner = { pid: process.pid, started: startOf(process.pid) ?? '', boot: bootId() }
  const draft = `${path}.${process.pid}-${randomId()}`
  writeFileSync(draft, JSON.stringify(own), { mode: 0o600 })
  try {
    for (;;) {
      if (tryLink(draft, path)) return undefined
      const holder = lockHolder(path) ?? removeStale(path, `${draft}-stale`)
      if (holder !== undefined) return holder
    }
  } finally {
    rmSync(draft, { force: true })
  }
}

/** The live process that has the lock, this one too; undefined when none does. */
export function lockHolder(path: string): number | undefined {
  const owner = readOwner(path)
  if (owner?.boot !== bootId() || startOf(owner.pid) !== owner.started) return undefined
  return owner.pid
}

/** Lets go of a lock that this process has. */
export function releaseLock(path: string): void {
  if (lockHolder(path) === process.pid) rmSync(path, { force: true })
}

/** Moves a dead owner's lock away; when another process took it over meanwhile, gives it back and says whose it is. */
function removeStale(path: string, aside: string): number | undefined {
  try {
    renameSync(path, aside)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
  const holder = lockHolder(aside)
  if (holder !== undefined) tryLink(aside, path)
  rmSync(aside, { force: true })
  return holder
}

/** A link is made whole or not at all, and never over another. */
function tryLink(draft: string, path: string): boolean {
  try {
    linkSync(draft, path)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

function readOwner(path: string): Owner | undefined {
  try {
    const { pid, started, boot } = JSON.parse(readFileSync(path, 'utf8')) as Partial<Owner>
    return typeof pid === 'number' && typeof started === 'string' && typeof boot === 'string'
      ? { pid, started, boot }
      : undefined
  } catch {
    return undefined
  }
}

/** When a process started; undefined when there is none, empty where only its being there is known. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is a name in parentheses, which may hold spaces; the state follows it, then 18 more.
    const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return state === 'Z' || state === 'X' ? undefined : rest[18]
  } catch {
    return isRunning(pid) ? '' : undefined
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}
