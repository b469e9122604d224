/**
 * The files by which trading is halted and goes on. `<data_dir>/halt` is anybody's, and for every exec of that data dir,
 * whatever its env: while it is there, nothing new is entered. The latch file is exec's own: it is there while exec is halted, whatever halted it, and `resume` asks in it.
 */

import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { haltOrderOf, jsonObject, wordsOf } from '../model/halt.js'
import type { HaltOrder } from '../model/halt.js'
import { ENVS, MODES } from '../model/venue.js'
import type { Env, Mode } from '../model/venue.js'

/** Who lets trading go on, and why. */
export interface ResumeRequest {
  readonly reason: string
  readonly by: string
}

/** What exec holds itself to. */
export interface Latch extends HaltOrder {
  /** Wall clock of exec's host, ms. */
  readonly atMs: number
  /** Asked by `resume`, and not taken up yet. */
  readonly resume?: ResumeRequest | undefined
  /** Why the last such request was not taken up. */
  readonly refused?: string | undefined
}

export const haltPath = (dataDir: string): string => join(dataDir, 'halt')

/** One exec an env and mode: each has a latch of its own. */
export const latchPath = (dataDir: string, env: Env, mode: Mode): string =>
  join(dataDir, `exec-${env}-${mode}.halted`)

/** A latch that is there, and whose it is. */
export interface HeldLatch {
  readonly env: Env
  readonly mode: Mode
  readonly latch: Latch
}

/** Every latch of a data dir. Throws what reading a folder or a file throws. */
export function latchesIn(dataDir: string): HeldLatch[] {
  const found: HeldLatch[] = []
  for (const name of readdirSync(dataDir).sort()) {
    const [, envText, modeText] = /^exec-([a-z]+)-([a-z]+)\.halted$/.exec(name) ?? []
    const env = ENVS.find((each) => each === envText)
    const mode = MODES.find((each) => each === modeText)
    if (env === undefined || mode === undefined) continue
    const latch = readLatch(latchPath(dataDir, env, mode))
    if (latch !== undefined) found.push({ env, mode, latch })
  }
  return found
}

/** Undefined where there is none. What cannot be understood is a latch too. Throws what reading a file throws. */
export function readLatch(path: string): Latch | undefined {
  const text = readIfThere(path)
  if (text === undefined) return undefined
  const value = jsonObject(text)
  const resume = value['resume'] as Partial<Record<string, unknown>> | null | undefined
  const reason = wordsOf(resume?.['reason'])
  const refused = wordsOf(value['refused'])
  return {
    ...haltOrderOf(value, `${path} is there`),
    atMs: typeof value['at_ms'] === 'number' ? value['at_ms'] : 0,
    ...(reason === undefined ? {} : { resume: { reason, by: wordsOf(resume?.['by']) ?? 'unknown' } }),
    ...(refused === undefined ? {} : { refused }),
  }
}

/** In one step: nobody reads half of it. Throws what writing a file throws. */
export function writeLatch(path: string, { atMs, ...latch }: Latch): void {
  replaceFile(path, `${JSON.stringify({ ...latch, at_ms: atMs })}\n`)
}

/**
 * In one step, and on disk when it returns. Everybody may read it: exec must, whoever halted. Throws what writing a
 * file throws.
 */
export function replaceFile(path: string, text: string): void {
  const whole = `${path}.${process.pid}`
  writeFileSync(whole, text, { mode: 0o644, flush: true })
  renameSync(whole, path)
  const folder = openSync(dirname(path), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

export const removeFile = (path: string): void => rmSync(path, { force: true })

/** Undefined for a file that is not there. Throws everything else. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
