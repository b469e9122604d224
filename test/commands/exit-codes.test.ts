import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Config } from '@oclif/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { inputsDir } from '../../src/lib/bus/journal/paths.js'
import { parseSegmentName } from '../../src/lib/bus/journal/segment-name.js'
import { FileStorage } from '../../src/lib/bus/journal/storage.js'
import { Publisher } from '../../src/lib/bus/publisher.js'
import type { PublisherOptions } from '../../src/lib/bus/publisher.js'
import { sourcesOf } from '../../src/lib/bus/endpoints.js'
import { systemClock } from '../../src/lib/core/clock.js'
import { EXIT } from '../../src/lib/core/errors.js'
import { latchPath, writeLatch } from '../../src/lib/execution/halt-files.js'
import { Ledger } from '../../src/lib/execution/ledger.js'
import { createPlace } from '../e2e/launch.js'
import type { Place } from '../e2e/launch.js'
import { TestRedis } from '../lib/redis/support.js'
import {
  ALONE,
  AMONG_OTHERS,
  INTERRUPTED,
  IN_A_PIPE,
  LEAST,
  NO_COMMANDS,
  SUCCEEDS_IN,
  WITHOUT_SETTINGS,
} from './exit-code-rows.js'
import type { Environment, Row } from './exit-code-rows.js'
import { CommandProcess } from './command-process.js'
import type { Answered } from './command-child.js'

const { OK, USAGE, CONFIG } = EXIT

const words = (line: string): string[] =>
  [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '')

/** Most of what they do is to wait. */
const PROCESSES = 3

const cleanups: (() => unknown)[] = []
const processes: CommandProcess[] = []
let ids: string[]
let withJson: ReadonlySet<string>
let place: Place
/** Where nobody is. */
let empty: Place
/** Where commands are run: broken settings, journals whole and damaged. */
let cwd: string
let redis: TestRedis
let count = 0

/** Somebody who publishes prices of two markets: as many as are told, or again and again. */
async function publishPrices(more: Partial<PublisherOptions>, count = Infinity): Promise<void> {
  const publisher = await Publisher.bind({
    ...{ name: 'poly', env: 'sim', clock: systemClock, sources: sourcesOf('poly'), url: 'tcp://127.0.0.1:*' },
    ...more,
  })
  const publish = (seq: number) => {
    const market_id = seq % 2 === 0 ? 'even' : 'odd'
    const payload = { venue: 'poly', market_id, selection: '', state: 'EMPTY', book_seq: seq }
    const stamps = { recv: systemClock.monoUs() }
    publisher.channel('poly.prices').publish(`prices.poly.${market_id}`, payload, { stamps })
  }
  if (count < Infinity) {
    for (let seq = 1; seq <= count; seq++) publish(seq)
    return publisher.close()
  }
  let seq = 0
  const timer = setInterval(() => publish(++seq), 10)
  cleanups.push(() => {
    clearInterval(timer)
    publisher.close()
  })
}

/** Flips a bit in the middle of a journal of one segment. */
function damage(path: string): void {
  const segment = join(
    path,
    readdirSync(path).find((name) => parseSegmentName(name) !== undefined)!,
  )
  const bytes = readFileSync(segment)
  bytes[bytes.length >> 1]! ^= 1
  writeFileSync(segment, bytes)
}

async function furnish(): Promise<void> {
  cwd = mkdtempSync(join(tmpdir(), 'arbees-exit-'))
  const made = cwd
  cleanups.push(() => rmSync(made, { recursive: true, force: true }))
  writeFileSync(join(cwd, 'broken.yaml'), 'a: [\n')
  writeFileSync(join(cwd, 'empty.yaml'), '')
  writeFileSync(join(cwd, 'wallet.key'), '11'.repeat(32), { mode: 0o600 })
  writeFileSync(join(cwd, 'unknown.yaml'), 'limits:\n  oder_usd: 1\n')
  await publishPrices({ journal: { root: join(cwd, 'journals'), retainBytes: 1_000_000 } }, 3)
  for (const copy of ['damaged', 'held']) cpSync(join(cwd, 'journals'), join(cwd, copy), { recursive: true })
  damage(join(cwd, 'damaged', 'poly.prices'))
  const held = new FileStorage(join(cwd, 'held', 'poly.prices'))
  held.lock()
  cleanups.push(() => held.close())
  const inputs = inputsDir({ data_dir: join(cwd, 'inputs'), env: 'sim' }, 'shard-0.inputs')
  cpSync(join(cwd, 'journals', 'poly.prices'), inputs, { recursive: true })
  for (const name of ['halted', 'idle']) mkdirSync(join(cwd, name))
  const order = { level: 'entries', by: 'file', reason: 'a test', atMs: 1 } as const
  writeLatch(latchPath(join(cwd, 'halted'), 'sim', 'live'), order)
  const ledger = Ledger.open({ dataDir: join(cwd, 'ledger'), env: 'demo', mode: 'paper', clock: systemClock })
  cleanups.push(() => ledger.close())
}

beforeAll(async () => {
  const config = await Config.load(resolve(import.meta.dirname, '../..'))
  const own = config.commands.filter(({ pluginName, hidden }) => pluginName === config.name && !hidden)
  ids = own.map(({ id }) => id.replaceAll(':', ' '))
  withJson = new Set(own.filter(({ flags }) => 'json' in flags).map(({ id }) => id.replaceAll(':', ' ')))
  place = await createPlace()
  empty = await createPlace()
  redis = await TestRedis.start(['--appendonly', 'yes'])
  await publishPrices({
    url: place.environment['ARBEES_ENDPOINTS__POLY']!,
    recoveryUrl: place.environment['ARBEES_RECOVERY__POLY']!,
  })
  for (let i = 0; i < PROCESSES; i++) processes.push(new CommandProcess())
})
afterAll(async () => {
  for (const each of processes) each.kill()
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  await redis.stop()
  place.remove()
  empty.remove()
})

/** With a data dir of its own. */
const worldOf = (of: Place): Environment => ({
  ...of.environment,
  ARBEES_REDIS_URL: redis.url,
  ARBEES_DATA_DIR: join(cwd, `data-${++count}`),
})
const alone = (): Environment => worldOf(empty)

const linesOf = (text: string): unknown[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as unknown)

/** What is wrong with an answer; undefined where it is as told. */
function faultOf(answer: Answered, exit: number, told: string, isJson: boolean): string | undefined {
  const { stdout, stderr } = answer
  if (answer.exit !== exit) return `exit ${answer.exit}`
  if (/^\s+at .*:\d+:\d+\)?$/m.test(stderr)) return 'a stack trace on stderr'
  if (stdout !== '' && !stdout.endsWith('\n')) return 'half a line on stdout'
  const isError = /^[A-Z_]+$/.test(told)
  if (isError && !isJson) {
    return stdout !== ''
      ? 'an error, and something on stdout'
      : /^error: .+$/m.test(stderr)
        ? undefined
        : 'no error'
  }
  if (told === 'text') return stdout === '' ? 'nothing on stdout' : undefined
  if (told === 'empty') return stdout === '' ? undefined : 'something on stdout'
  let lines: unknown[]
  try {
    lines = linesOf(stdout)
  } catch {
    return 'stdout is no JSON, a line each'
  }
  if (isError) {
    const error = (lines[0] as { error?: { code: string; message: string; exit: number } } | undefined)?.error
    if (lines.length !== 1 || error?.code !== told || error.exit !== exit) return `not the one error ${told}`
    return error.message === '' || /[\n\u001b]/.test(error.message) ? 'no message on one line' : undefined
  }
  if (told === 'document') return lines.length === 1 ? undefined : `${lines.length} lines`
  return lines.length > 0 ? undefined : 'no lines'
}

interface Run {
  readonly line: string
  readonly exit: number
  readonly told: string
  readonly environment: Environment
  readonly interrupt?: boolean
}

/** What is done one after the other, as somebody would. */
type Job = readonly Run[]

/** Shares jobs among the processes; what is wrong, a line each. */
async function faults(jobs: readonly Job[]): Promise<string[]> {
  const found: string[] = []
  const waiting = [...jobs]
  const work = async (by: CommandProcess): Promise<void> => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
      for (const { line, exit, told, ...how } of job) {
        const answer = await by.run({ argv: words(line), cwd, ...how })
        const fault = faultOf(answer, exit, told, line.includes('--json'))
        if (fault !== undefined) found.push(`arbees ${line}: ${fault}\n${answer.stdout}${answer.stderr}`)
      }
    }
  }
  await Promise.all(processes.map(work))
  return found
}

const commandOf = (line: string): string =>
  ids
    .filter((id) => `${line} `.startsWith(`${id} `))
    .sort()
    .at(-1) ?? ''

const asItIs = ([line, exit, told, environment = {}]: Row, world: () => Environment): Run => ({
  ...{ line, exit, told, environment: { ...world(), ...environment } },
})

function underJson(row: Row, world: () => Environment): Run[] {
  const run = asItIs(row, world)
  if (!withJson.has(commandOf(run.line)) || run.line.includes('--json')) return [run]
  const json = { ...run, line: `${run.line} --json` }
  return run.exit === USAGE || run.exit === CONFIG ? [run, json] : [json]
}

/** The test that is told of launches it, and wants exit 0 behind that. */
function isShownElsewhere(id: string): boolean {
  const [file, launch, success] = SUCCEEDS_IN[id] ?? []
  if (file === undefined || launch === undefined || success === undefined) return false
  const text = readFileSync(resolve(import.meta.dirname, '../..', file), 'utf8')
  const from = text.indexOf(launch)
  return from >= 0 && text.includes(success, from)
}

/** Flags and settings that no command has, and values that none takes. */
function mistyped(id: string): Run[] {
  const json = withJson.has(id) ? ' --json' : ''
  const run = (more: string, exit: number, code: string, environment: Environment = {}): Run => ({
    line: `${LEAST[id] ?? id}${more}${json}`,
    ...{ exit, told: json === '' ? 'empty' : code, environment: { ...alone(), ...environment } },
  })
  const usage = [' --bogus', ' --log-level loud', ' --data-dir'].map((more) => run(more, USAGE, 'USAGE'))
  if (WITHOUT_SETTINGS.has(id)) return usage
  return [
    ...usage,
    run(' -c nofile.yaml', CONFIG, 'NO_CONFIG'),
    run(' -c broken.yaml', CONFIG, 'BAD_CONFIG'),
    run(' -c unknown.yaml', CONFIG, 'UNKNOWN_SETTING'),
    run('', CONFIG, 'UNKNOWN_SETTING', { ARBEES_ODER_USD: '1' }),
    run('', CONFIG, 'BAD_CONFIG', { ARBEES_LOG_LEVEL: 'loud' }),
  ]
}

describe('the exit code and what is on stdout', () => {
  it('are told here of every command, for a success and for each failure', () => {
    expect(Object.keys(ALONE).sort()).toEqual([...ids].sort())
    for (const [id, rows] of Object.entries(ALONE)) {
      for (const [line] of rows) expect([line, commandOf(line)]).toEqual([line, id])
      const isShown = [...rows, ...AMONG_OTHERS].some(([line, exit]) => exit === OK && commandOf(line) === id)
      expect([id, isShown || isShownElsewhere(id)]).toEqual([id, true])
    }
  })

  it('are as told', async () => {
    await furnish()
    const failing = Object.values(ALONE).map((rows) => rows.flatMap((row) => underJson(row, alone)))
    const succeeding = AMONG_OTHERS.map((row) => underJson(row, () => worldOf(place)))
    const interrupted = INTERRUPTED.flatMap((row) =>
      underJson(row, () => worldOf(place)).map((run) => [{ ...run, interrupt: true }]),
    )
    const unknown = NO_COMMANDS.map((row) => [asItIs(row, alone)])
    // What `keys generate` made, `keys show` shows.
    const topics = new Set(IN_A_PIPE.map(([line]) => words(line)[0]))
    const piped = [...topics].map((topic) =>
      IN_A_PIPE.filter(([line]) => words(line)[0] === topic).map((row) => asItIs(row, alone)),
    )
    expect(
      await faults([...failing, ...succeeding, ...piped, ...interrupted, ...unknown, ...ids.map(mistyped)]),
    ).toEqual([])
  })

  it('leaves nothing running behind', async () => {
    expect(await Promise.all(processes.map((each) => each.end()))).toEqual(processes.map(() => 0))
  })
})
