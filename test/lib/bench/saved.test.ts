import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { FIGURES } from '../../../src/lib/bench/benches.js'
import { toCsv } from '../../../src/lib/bench/csv.js'
import { summarizeHop } from '../../../src/lib/bench/hop-report.js'
import type { HopSummary } from '../../../src/lib/bench/hop-report.js'
import { summarizeMirror } from '../../../src/lib/bench/mirror-report.js'
import { summarizePipeline } from '../../../src/lib/bench/pipeline-report.js'
import { summarizeRefill } from '../../../src/lib/bench/refill-report.js'
import { assertWritable, compareWith, readBaseline, saveSummary } from '../../../src/lib/bench/saved.js'
import { summarizeStartup } from '../../../src/lib/bench/startup-report.js'

const MACHINE = {
  cpu: 'a processor',
  cores: 2,
  memory_gib: 24,
  os: 'Linux 6',
  node: '20.19.0',
  libzmq: '4.3.5',
  redis: null,
  commit: 'abc1234',
}
const NO_MIRROR = {
  ...{ results: [], maxima: [], catchUps: [], publishers: 1, journaled: 1 },
  ...{ load: [0, 0] as const, machine: MACHINE },
}
const dir = mkdtempSync(join(tmpdir(), 'arbees-test-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const summary: HopSummary = { ...summarizeHop([], MACHINE), p50_us: 200, p99_us: 1_000 }

describe('figures in a file', () => {
  it('are compared with later ones', () => {
    const path = join(dir, 'hop.json')
    saveSummary(path, 'hop', summary)
    const later = { ...summary, p50_us: 250, p99_us: 500, machine: { ...MACHINE, cpu: 'another' } }
    expect(compareWith(readBaseline(path, 'hop'), later)).toEqual({
      file: path,
      commit: 'abc1234',
      same_cpu: false,
      ratio: 1.25,
      p99_ratio: 0.5,
    })
  })

  it.each([
    ['not there', undefined, /ENOENT/],
    ['no JSON', 'hop\n', /JSON/],
    ['of another kind', '[]\n', /it is of 'bench undefined', this is 'bench hop'/],
    [
      'of another benchmark',
      '{"bench":"mirror","summary":{}}\n',
      /it is of 'bench mirror', this is 'bench hop'/,
    ],
    ['without figures', '{"bench":"hop","summary":{"p50_us":null}}\n', /it has no figures/],
    ['null', 'null\n', /it has no figures/],
  ])('that are %s are refused by name', (_, text, why) => {
    const path = join(dir, 'bad.json')
    rmSync(path, { force: true })
    if (text !== undefined) writeFileSync(path, text)
    expect(() => readBaseline(path, 'hop')).toThrowError(
      expect.objectContaining({ code: 'BAD_BASELINE', exit: 2, message: expect.stringMatching(why) }),
    )
    expect(() => readBaseline(path, 'hop')).toThrowError(path)
  })

  it('cannot be saved where no file can be: said before anything is measured', () => {
    const path = join(dir, 'no', 'such', 'folder.json')
    expect(() => assertWritable(path)).toThrowError(
      expect.objectContaining({ code: 'CANNOT_SAVE', exit: 2, message: expect.stringContaining(path) }),
    )
  })
})

describe('figures that a threshold may name', () => {
  it.each([
    ['hop', summarizeHop([], MACHINE)],
    ['pipeline', summarizePipeline([], MACHINE)],
    ['mirror', summarizeMirror(NO_MIRROR)],
    ['refill', summarizeRefill([], { rate: 1_000, journaled: 1 })],
    ['startup', summarizeStartup([], MACHINE)],
  ] as const)('are in the summary of %s', (name, empty) => {
    expect(Object.keys(empty)).toEqual(expect.arrayContaining([...FIGURES[name]]))
  })
})

describe('CSV', () => {
  it('has a line a case, nested figures as columns, and quotes what needs it', () => {
    const cases = [
      { bench: 'hop', note: 'a "b", c', p50_us: null, hops: { decision: { p50_us: 3 } } },
      { bench: 'hop', note: 'd', p50_us: 4.5, of: [1, 2] },
    ]
    expect(toCsv(cases)).toBe(
      'bench,note,p50_us,hops.decision.p50_us,of\r\nhop,"a ""b"", c",,3,\r\nhop,d,4.5,,1 2\r\n',
    )
  })

  it('of no case is empty', () => {
    expect(toCsv([])).toBe('\r\n')
  })
})
