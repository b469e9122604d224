/** Figures in a file: `--save` writes them, `--baseline` compares with them. */

import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { ArbeesError, EXIT, messageOf } from '../core/errors.js'
import type { BenchName, BenchSummary } from './benches.js'

export interface Baseline {
  readonly path: string
  readonly p50_us: number
  readonly p99_us: number | null
  readonly cpu: string
  readonly commit: string | null
}

/** What is said of it in the summary; ratios are now over then. */
export interface Comparison {
  readonly file: string
  readonly commit: string | null
  readonly same_cpu: boolean
  readonly ratio: number | null
  readonly p99_ratio: number | null
}

/** Before anything is measured: whoever waited for minutes wants the file. Throws `CANNOT_SAVE` (usage). */
export function assertWritable(path: string): void {
  try {
    closeSync(openSync(path, 'a'))
  } catch (error) {
    throw new ArbeesError('CANNOT_SAVE', `--save ${path} cannot be written: ${messageOf(error)}`, {
      exit: EXIT.USAGE,
      hint: 'name a file in a folder that exists',
    })
  }
}

export function saveSummary(path: string, bench: BenchName, summary: BenchSummary): void {
  writeFileSync(path, `${JSON.stringify({ bench, summary })}\n`)
}

/** Throws `BAD_BASELINE` (usage) for anything but a file that `--save` wrote for the same benchmark. */
export function readBaseline(path: string, bench: BenchName): Baseline {
  const saved = readSaved(path)
  if (saved.bench !== bench) {
    throw badBaseline(path, `it is of 'bench ${String(saved.bench)}', this is 'bench ${bench}'`)
  }
  const { p50_us: p50, p99_us: p99, machine } = saved.summary ?? {}
  if (typeof p50 !== 'number' || typeof machine?.cpu !== 'string')
    throw badBaseline(path, 'it has no figures')
  return {
    path,
    p50_us: p50,
    p99_us: typeof p99 === 'number' ? p99 : null,
    cpu: machine.cpu,
    commit: typeof machine.commit === 'string' ? machine.commit : null,
  }
}

export function compareWith(baseline: Baseline, summary: BenchSummary): Comparison {
  const p99 = 'p99_us' in summary ? summary.p99_us : null
  return {
    file: baseline.path,
    commit: baseline.commit,
    same_cpu: baseline.cpu === summary.machine.cpu,
    ratio: ratioOf(summary.p50_us, baseline.p50_us),
    p99_ratio: ratioOf(p99, baseline.p99_us),
  }
}

const ratioOf = (now: number | null, before: number | null): number | null =>
  now === null || before === null || before === 0 ? null : Number((now / before).toFixed(3))

/** For people. */
export function describeComparison({ file, commit, ratio, p99_ratio }: Comparison): string {
  const shown = (value: number | null) => value?.toFixed(2) ?? '-'
  return `over ${file}${commit === null ? '' : ` (${commit})`}: p50 ${shown(ratio)}, p99 ${shown(p99_ratio)}`
}

interface Saved {
  readonly bench?: unknown
  readonly summary?: {
    readonly p50_us?: unknown
    readonly p99_us?: unknown
    readonly machine?: { readonly cpu?: unknown; readonly commit?: unknown }
  }
}

function readSaved(path: string): Saved {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (typeof value === 'object' && value !== null) return value
  } catch (error) {
    throw badBaseline(path, messageOf(error))
  }
  throw badBaseline(path, 'it has no figures')
}

const badBaseline = (path: string, why: string): ArbeesError =>
  new ArbeesError('BAD_BASELINE', `--baseline ${path}: ${why}`, {
    exit: EXIT.USAGE,
    hint: 'name a file that the same benchmark wrote with --save',
  })
