/**
 * `npm run replay-soak`: `arbees replay --follow` over a million messages, from Redis into what happens now, while
 * mirrors are killed. Every message must come, once, in order.
 */

import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { sleep } from '../../src/lib/core/backoff.js'
import { redisKeys } from '../../src/lib/redis/keys.js'
import { Actor, Programs } from '../faults/actor.js'
import { SOURCE } from '../faults/market-load.js'
import type { PublisherConfig } from '../faults/publisher-child.js'
import { RedisProcess } from '../faults/redis-process.js'
import { until } from '../lib/poll.js'
import { freePort } from '../lib/redis/support.js'

const HELP = `usage: npm run replay-soak -- [--messages N]

  --messages N   published in all (1000000): the first half before the replay begins, the rest while it follows

A mirror is killed 2 s before the replay begins and once for each tenth that is published after that, each for 2 s.
Exit 0 when every message came once and in order, 1 when not.
`

const { values } = parseArgs({
  options: { messages: { type: 'string', default: '1000000' }, help: { type: 'boolean', short: 'h' } },
})
const total = Number(values.messages)
if (values.help === true || !Number.isInteger(total) || total < 1_000) {
  process.stdout.write(HELP)
  process.exit(values.help === true ? 0 : 2)
}

const BURST = 2_000
const PATIENCE_MS = 120_000
const say = (text: string): void => void process.stderr.write(`replay-soak: ${text}\n`)

const dir = mkdtempSync(join(tmpdir(), 'arbees-replay-soak-'))
const programs = new Programs()
const [redisPort, port, recoveryPort] = [await freePort(), await freePort(), await freePort()]
const redis = new RedisProcess({ name: 'redis', dir, host: '127.0.0.1', port: redisPort })
const url = `tcp://127.0.0.1:${port}`
const recoveryUrl = `tcp://127.0.0.1:${recoveryPort}`
const nowhere = 'tcp://127.0.0.1:9'
const environment = {
  ARBEES_ENV: 'sim',
  ARBEES_DATA_DIR: dir,
  ARBEES_LOG_LEVEL: 'warn',
  ARBEES_REDIS_URL: `redis://127.0.0.1:${redisPort}`,
  ARBEES_ENDPOINTS__KALSHI: url,
  ARBEES_RECOVERY__KALSHI: recoveryUrl,
  ARBEES_ENDPOINTS__POLY: nowhere,
  ARBEES_ENDPOINTS__ORCHESTRATOR: nowhere,
  ARBEES_ENDPOINTS__SHARDS: nowhere,
  ARBEES_ENDPOINTS__EXEC: nowhere,
  ARBEES_MIRROR__PRICES_MAXLEN: String(2 * total),
}
const journalRoot = join(dir, 'journal', 'sim')
mkdirSync(journalRoot, { recursive: true })
const config: PublisherConfig = {
  ...{ url, recoveryUrl, journalRoot, retainBytes: 4 * 1024 ** 3 },
  ...{ notes: join(dir, 'publisher.notes'), markets: 40 },
}
const publisher = new Actor({ programs, dir, name: 'publisher', program: 'publisher-child', config })
const mirror = new Actor({ programs, dir, name: 'mirror', program: 'mirror-child', config: {}, environment })

/** What the replay printed, judged line by line. */
class Reading {
  came = 0
  wrong = 0
  readonly gaps: string[] = []
  private last = 0

  take(line: string): void {
    const { seq, gap } = JSON.parse(line) as { readonly seq?: number; readonly gap?: object }
    if (gap !== undefined) this.gaps.push(line)
    if (seq === undefined) return
    this.came++
    if (seq !== this.last + 1 && ++this.wrong <= 5) say(`${seq} behind ${this.last}`)
    this.last = seq
  }
}

let published = 0
async function publish(count: number): Promise<void> {
  for (const end = published + count; published < end;) {
    const burst = Math.min(BURST, end - published)
    const sent = publisher.next('sent', PATIENCE_MS)
    publisher.tell({ op: 'burst', count: burst })
    await sent
    published += burst
  }
}

async function restartMirror(): Promise<void> {
  await mirror.kill()
  await sleep(2_000)
  await mirror.start()
}

const mirrored = async (): Promise<number> =>
  Number(await redis.look.hget(redisKeys('sim').checkpoint(SOURCE), 'seq'))

async function run(): Promise<boolean> {
  await redis.start()
  await publisher.start()
  await mirror.start()
  await publish(Math.floor(total / 2))
  const restarted = restartMirror()
  await publish(BURST)
  await restarted
  await until(async () => (await mirrored()) >= total / 2, 'half of it is mirrored', PATIENCE_MS)
  say(`${published} published, ${await mirrored()} in Redis: the replay begins`)

  const binary = resolve(import.meta.dirname, '../../bin/run.js')
  const child = spawn(process.execPath, [binary, 'replay', '--from-redis', 'prices:kalshi', '--follow'], {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<number | null>((done) => child.once('exit', done))
  const reading = new Reading()
  createInterface({ input: child.stdout }).on('line', (line) => reading.take(line))
  let mending: Promise<void> = Promise.resolve()
  for (let tenth = 0; published < total; tenth++) {
    await mending
    mending = restartMirror()
    await publish(Math.min(Math.ceil(total / 10), total - published))
    say(`${published} published, ${reading.came} replayed`)
  }
  await mending
  await until(() => reading.came >= total || reading.wrong > 0, 'all was replayed', PATIENCE_MS)
  child.kill('SIGINT')
  const code = await ended
  const isGood = reading.came === total && reading.wrong === 0 && reading.gaps.length === 0 && code === 0
  const { came: replayed, wrong, gaps } = reading
  process.stdout.write(
    `${JSON.stringify({ published, replayed, wrong, gaps: gaps.length, code, ok: isGood })}\n`,
  )
  return isGood
}

let isGood = false
try {
  isGood = await run()
} finally {
  await Promise.all([mirror.end(), publisher.end()])
  await redis.kill()
  programs.remove()
  rmSync(dir, { recursive: true, force: true })
}
process.exit(isGood ? 0 : 1)
