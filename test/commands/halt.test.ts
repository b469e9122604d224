import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { latchPath, readLatch, writeLatch } from '../../src/lib/execution/halt-files.js'
import type { HaltReport } from '../../src/lib/operator/halt.js'
import type { ResumeReport } from '../../src/lib/operator/resume.js'
import { createPlace, launch } from '../e2e/launch.js'
import type { Place, Run } from '../e2e/launch.js'
import { until } from '../lib/poll.js'
import { TestRedis } from '../lib/redis/support.js'
import { CommandProcess } from './command-process.js'

const NO_REDIS = 'redis://127.0.0.1:1'

let server: TestRedis
let place: Place
/** Where what ends by itself is run. */
let commands: CommandProcess
const roles: Run[] = []
beforeAll(async () => {
  server = await TestRedis.start([])
  commands = new CommandProcess()
})
afterAll(async () => {
  expect(await commands.end()).toBe(0)
  await server.stop()
})
beforeEach(async () => {
  place = await createPlace()
})
afterEach(async () => {
  for (const role of roles.splice(0)) {
    role.child.kill('SIGKILL')
    await role.ended
  }
  await server.look.del('demo:arbees:halt', 'sim:arbees:halt')
  place.remove()
})

type Environment = Readonly<Record<string, string>>
const demo = (more: Environment): Environment => ({
  ...{ ...place.environment, ARBEES_ENV: 'demo', ARBEES_REDIS_URL: server.url },
  ...more,
})

/** exec on paper, alone. */
async function exec(more: Environment = {}): Promise<Run> {
  const run = launch(['exec', '--log-format', 'json'], demo(more))
  roles.push(run)
  await until(() => run.stderr().includes('exec is ready'), 'exec is ready', 20_000)
  return run
}

async function run<Report>(args: readonly string[], more: Environment = {}) {
  const command = commands.launch([...args, '--json'], demo(more))
  const code = await command.ended
  return { code, report: JSON.parse(command.stdout()) as Report, err: command.stderr() }
}
const halt = (args: readonly string[] = [], more: Environment = {}) =>
  run<HaltReport>(['halt', ...args], more)
const resume = (more: Environment = {}) => run<ResumeReport>(['resume', '--reason', 'checked by hand'], more)

const resultsOf = ({ steps }: { readonly steps: HaltReport['steps'] }) =>
  Object.fromEntries(steps.map(({ step, result }) => [step, result]))
const latchFile = () => join(place.dir, 'exec-demo-paper.halted')

describe('arbees halt', () => {
  it('reaches exec by every way, which stays halted over kills, until it is resumed', async () => {
    const first = await exec()
    const halted = await halt(['--reason', 'odd \u001b[31mfills'])
    expect(halted.code).toBe(0)
    expect(halted.report.halted).toBe('entries')
    expect(resultsOf(halted.report)).toEqual({ file: 'done', exec: 'done', redis: 'done', latch: 'done' })
    expect(halted.report.exec).toBe('demo paper')
    expect(halted.report.steps[1]!.detail).toBe('halted (entries), says exec of demo paper trading')
    for (const { ms } of halted.report.steps) expect(ms).toBeGreaterThan(0)
    await until(() => first.stderr().includes('odd \\\\u001b[31mfills'), 'its log says why, escaped')
    first.child.kill('SIGKILL')
    await first.ended
    const second = await exec()
    expect(second.stderr()).toContain('starts halted (entries)')
    const status = await run<{ problems: { role: string; problem: string }[] }>(['status'])
    expect(status.code).toBe(3)
    expect(status.report.problems).toContainEqual(
      expect.objectContaining({ role: 'exec', problem: expect.stringContaining('halted') as string }),
    )
    const resumed = await resume()
    expect([resumed.code, resumed.report.state]).toEqual([0, 'resumed'])
    expect(resumed.report).toMatchObject({ env: 'demo', mode: 'paper', hint: null })
    expect(resumed.report.steps.map(({ step, result }) => `${step} ${result}`)).toEqual([
      'latch done',
      'file done',
      'redis done',
      'latch done',
    ])
    expect(resumed.report.steps[1]!.detail).toMatch(/^removed: halt \(entries\) by .*odd \\u001b\[31mfills$/)
    expect(second.stderr()).toContain('checked by hand')
    expect(existsSync(latchFile())).toBe(false)
    expect((await resume()).report.state).toBe('not_halted')
  })

  it.each<[string, Environment, object]>([
    ['with Redis down', { ARBEES_REDIS_URL: NO_REDIS }, { redis: 'failed', exec: 'done' }],
    ['with the bus down', { ARBEES_RECOVERY__EXEC: 'tcp://127.0.0.1:1' }, { redis: 'done', exec: 'failed' }],
  ])('works %s', async (_, more, ways) => {
    await exec({ ARBEES_REDIS_URL: more['ARBEES_REDIS_URL'] ?? server.url })
    const { code, report } = await halt(['--all'], more)
    expect([code, report.halted]).toEqual([0, 'all'])
    expect(resultsOf(report)).toEqual({ file: 'done', latch: 'done', ...ways })
  })

  it('reaches an exec that runs elsewhere by its socket, or by Redis alone', async () => {
    await exec()
    const elsewhere = { ARBEES_DATA_DIR: join(place.dir, 'none') }
    const told = await halt([], elsewhere)
    expect([told.code, resultsOf(told.report)]).toEqual([
      0,
      { file: 'skipped', exec: 'done', redis: 'done', latch: 'skipped' },
    ])
    const latch = readFileSync(latchFile(), 'utf8')
    expect(latch).toContain('"level":"entries"')
    const alone = await halt(['--all'], { ...elsewhere, ARBEES_RECOVERY__EXEC: 'tcp://127.0.0.1:1' })
    expect([alone.code, alone.report.halted]).toEqual([3, null])
    expect(alone.err).toContain('no exec said that it stopped')
    await until(() => readFileSync(latchFile(), 'utf8').includes('"level":"all"'), 'it reads the key')
    const refused = await run<{ error: { code: string; exit: number } }>(
      ['resume', '--reason', 'x'],
      elsewhere,
    )
    expect([refused.code, refused.report.error.code]).toEqual([4, 'NO_DATA_DIR'])
  })

  it('halts the exec that starts later, by its key too; resume touches nothing before one answers', async () => {
    const early = await halt([], { ARBEES_RECOVERY__EXEC: 'tcp://127.0.0.1:1' })
    expect(early.code).toBe(3)
    rmSync(join(place.dir, 'halt'))
    const late = await exec()
    expect(late.stderr()).toContain('halted (entries)')
    late.child.kill('SIGKILL')
    await late.ended
    const unanswered = await resume()
    expect([unanswered.code, unanswered.report.state]).toEqual([3, 'unanswered'])
    expect(unanswered.err).toContain('start exec of demo here')
    expect(await server.look.get('demo:arbees:halt')).not.toBeNull()
    expect(readFileSync(latchFile(), 'utf8')).not.toContain('resume')
    const next = await exec()
    expect(next.stderr()).toContain('starts halted (entries)')
    expect((await resume()).report.state).toBe('resumed')
  })

  it('halts though the settings cannot be read, or would refuse to trade', async () => {
    await exec()
    const broken = join(place.dir, 'broken.yaml')
    writeFileSync(broken, 'no_such_setting: 1\n')
    const { err } = await halt(['--config', broken])
    expect(err).toContain('no_such_setting')
    await until(() => existsSync(latchFile()), 'the file in the data dir was enough')
    rmSync(join(place.dir, 'halt'))
    const armed = await halt(['--all'], { ARBEES_KALSHI__TRADING_CREDENTIALS_FILE: 'key.json' })
    expect([armed.code, armed.report.halted]).toEqual([0, 'all'])
  })

  it('never lowers what stands, and voids a request to go on that nobody took up', async () => {
    const nobody = { ARBEES_RECOVERY__EXEC: 'tcp://127.0.0.1:1' }
    const first = await exec()
    await halt(['--all'])
    first.child.kill('SIGKILL')
    await first.ended
    const asked = { reason: 'checked', by: 'ops@host' }
    writeLatch(latchFile(), { ...readLatch(latchFile())!, resume: asked })
    await halt(['--all'], nobody)
    await halt([], nobody)
    expect(readFileSync(join(place.dir, 'halt'), 'utf8')).toContain('"level":"all"')
    expect(await server.look.get('demo:arbees:halt')).toContain('"level":"all"')
    expect(readFileSync(latchFile(), 'utf8')).not.toContain('resume')
  })

  it('fails when there is no way at all', async () => {
    const nowhere = {
      ARBEES_DATA_DIR: join(place.dir, 'none'),
      ARBEES_REDIS_URL: NO_REDIS,
      ARBEES_RECOVERY__EXEC: 'tcp://127.0.0.1:1',
    }
    const { code, report, err } = await halt([], nowhere)
    expect([code, report.halted]).toEqual([6, null])
    expect(err).toContain('stop exec itself')
  })
})

describe('arbees resume', () => {
  it.each([
    ['without a reason', ['resume'], 2],
    ['with an empty one', ['resume', '--reason', '  '], 2],
  ])('is refused %s', async (_, args, expected) => {
    const { code } = await run<unknown>(args)
    expect(code).toBe(expected)
  })

  it('is refused while Redis keeps the key: exec says so', async () => {
    await exec()
    await halt()
    // The key stays: this command does not reach Redis, exec does.
    const { code, report } = await resume({ ARBEES_REDIS_URL: NO_REDIS })
    expect([code, report.state]).toEqual([7, 'refused'])
    expect(report.steps.at(-1)!.detail).toContain('the halt key in Redis')
    expect((await resume()).report.state).toBe('resumed')
  })

  it('touches nothing when it is another env that is halted, and says what stays halted when it lifts its own', async () => {
    const prod = latchPath(place.dir, 'prod', 'paper')
    writeLatch(prod, { level: 'all', reason: 'their own', by: 'desk@host', atMs: 1 })
    await exec()
    writeFileSync(join(place.dir, 'halt'), '')
    await until(() => existsSync(latchFile()), 'exec has seen the file')
    const wrong = await resume({ ARBEES_ENV: 'sim' })
    expect([wrong.code, wrong.report.state]).toEqual([7, 'refused'])
    expect(wrong.report.hint).toContain(
      'nothing of sim live trading is halted here; what is: arbees resume --env demo',
    )
    expect([existsSync(join(place.dir, 'halt')), readLatch(latchFile())?.resume]).toEqual([true, undefined])
    const own = await resume()
    expect([own.code, own.report.state]).toEqual([0, 'resumed'])
    expect(own.report.steps.at(-1)).toMatchObject({
      result: 'skipped',
      detail: 'exec of prod paper trading stays halted (all) by desk@host: their own',
    })
    expect(readLatch(prod)).toMatchObject({ level: 'all', reason: 'their own' })
    // Nobody answers for it here.
    const none = await resume({ ARBEES_ENV: 'prod' })
    expect([none.code, none.report.state]).toEqual([3, 'unanswered'])
    expect(readLatch(prod)).toMatchObject({ atMs: 1 })
    expect(readLatch(prod)?.resume).toBeUndefined()
    // The exec that listens there is none of sim: that of sim is not halted, whatever this one says.
    const other = await halt([], { ARBEES_ENV: 'sim' })
    expect([other.code, other.report.halted, other.report.exec]).toEqual([3, null, 'demo paper'])
    expect(other.report.steps.find(({ step }) => step === 'exec')).toMatchObject({
      result: 'failed',
      detail: expect.stringMatching(/says exec of demo paper trading: that of sim was not reached/),
    })
  })
})
