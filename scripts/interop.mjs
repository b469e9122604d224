/**
 * `npm run interop`: our roles beside peers that are not ours, in Python over libzmq's own binding. It shows, and fails
 * unless, (a) senders of the first design are accepted where they are marked legacy, and counted unguarded; (b) a reader
 * of the first design reads our prices from ZeroMQ and from Redis; (c) a squatter's messages are refused and shown.
 */

import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { aptInstall, root, setUp } from './setup.mjs'

/** Debian's: another python3 may stand first on PATH. */
const PYTHON = '/usr/bin/python3'
const MODULES = { zmq: 'python3-zmq', redis: 'python3-redis' }
const PEERS = join(root, 'test', 'interop')
const ARBEES = join(root, 'bin', 'run.js')
const PRICES = 50

setUp()
installPython()
const { startPrivateRedis } = await import('../dist/lib/redis/private-server.js')
const { connectRedis } = await import('../dist/lib/redis/connection.js')

const cleanups = []
let failures = 0
const scratch = mkdtempSync(join(tmpdir(), 'arbees-interop-'))
cleanups.push(() => rmSync(scratch, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => void finish(1))

try {
  await run()
} catch (error) {
  failures++
  say(`failed: ${error.message}`)
}
await finish(failures > 0 ? 1 : 0)

async function run() {
  const redis = await startPrivateRedis({ dir: join(scratch, 'redis'), onNotice: say })
  cleanups.push(() => redis.stop())
  const ports = await freePorts(11)
  const tcp = (index) => `tcp://127.0.0.1:${ports[index]}`
  const [kalshi, poly, bare, envelope] = [tcp(0), tcp(1), tcp(9), tcp(10)]
  const environment = {
    ...process.env,
    NO_COLOR: '1',
    ARBEES_ENV: 'sim',
    ARBEES_DATA_DIR: join(scratch, 'data'),
    ARBEES_REDIS_URL: redis.url,
    ARBEES_ENDPOINTS__KALSHI: kalshi,
    ARBEES_ENDPOINTS__POLY: poly,
    ARBEES_ENDPOINTS__ORCHESTRATOR: tcp(2),
    ARBEES_ENDPOINTS__SHARDS: tcp(3),
    ARBEES_ENDPOINTS__EXEC: tcp(4),
    ARBEES_LEGACY_ENDPOINTS: `${bare},${envelope}`,
    ARBEES_KALSHI__REST_URL: `http://127.0.0.1:${ports[5]}/trade-api/v2`,
    ARBEES_KALSHI__WS_URL: `ws://127.0.0.1:${ports[5]}/trade-api/ws/v2`,
    ARBEES_POLYMARKET__CLOB_URL: `http://127.0.0.1:${ports[6]}`,
    ARBEES_POLYMARKET__WS_URL: `ws://127.0.0.1:${ports[6]}/ws/market`,
    ARBEES_POLYMARKET__GAMMA_URL: `http://127.0.0.1:${ports[7]}`,
    ARBEES_ESPN__URL: `http://127.0.0.1:${ports[8]}`,
  }
  await startRole('sim', ['sim'], environment)
  const mirror = await startRole('mirror', ['mirror'], environment)
  const shard = await startRole('shard', ['shard'], environment)
  await startRole('monitor', ['monitor', 'kalshi'], environment)
  const link = await connectRedis(redis.url, 'interop')
  cleanups.push(() => link.close())

  await firstDesignReader(kalshi, redis.url)
  await firstDesignSender('bare', bare, { shard, mirror }, link.redis)
  await firstDesignSender('envelope', envelope, { shard, mirror }, link.redis)
  await squatter(poly, { shard, mirror }, link.redis, environment)
}

/** (b) A Python SUB on our monitor, and the Redis stream, with `msg["ticker"]`. */
async function firstDesignReader(endpoint, redisUrl) {
  const peer = startPeer('first_design_subscriber.py', [endpoint, redisUrl, 'sim:prices:kalshi', PRICES])
  const found = JSON.parse(await peer.line())
  const { ticker, yes_bid, yes_ask, timestamp_ms } = found.sample
  check(
    found.from_zeromq >= PRICES,
    `(b) read ${found.from_zeromq} prices from ZeroMQ by prices.kalshi., the last: ${ticker} ${yes_bid}/${yes_ask} at ${timestamp_ms}`,
  )
  check(
    found.same_bytes_in_redis === found.from_zeromq + found.one_sided && found.from_redis >= PRICES,
    `(b) found ${found.same_bytes_in_redis} of ${found.from_zeromq + found.one_sided} of them byte for byte in the Redis stream's data, and read ${found.from_redis} there`,
  )
}

/** (a) A Python PUB of one first-design form, against the shard's and the mirror's own counts. */
async function firstDesignSender(form, endpoint, { shard, mirror }, redis) {
  const before = { shard: count(shard, 'unguarded'), mirror: count(mirror, 'unguarded_mirrored') }
  const ticker = `KXFIRSTDESIGN-${form.toUpperCase()}`
  const peer = startPeer('legacy_publisher.py', [endpoint, form, ticker])
  await peer.line()
  const taken = () => ({
    shard: count(shard, 'unguarded') - before.shard,
    mirror: count(mirror, 'unguarded_mirrored') - before.mirror,
  })
  await until(
    () => taken().shard >= PRICES && taken().mirror >= PRICES,
    () => `shard and mirror count ${PRICES} first-design prices: ${JSON.stringify(taken())}`,
  )
  peer.end()
  const { sent, first_ms: firstMs, last } = JSON.parse(await peer.line())
  const inRedis = async () =>
    (await redis.xrange('sim:prices:kalshi', '-', '+'))
      .map(([, fields]) => Object.fromEntries(pairs(fields)))
      .filter(({ topic }) => topic === `prices.kalshi.${ticker}`)
  // It lost what was sent before the readers had joined, and nothing after.
  await until(
    async () => (await inRedis()).at(-1)?.data === last,
    () => `the last of ${sent} stands in Redis`,
  )
  const entries = await inRedis()
  await until(
    () => taken().mirror === entries.length && taken().shard >= PRICES,
    () => `the mirror's count: ${JSON.stringify(taken())}`,
  )
  const times = entries.map(({ data }) => JSON.parse(data).timestamp_ms - firstMs)
  check(
    times.every((time, index) => index === 0 || time === times[index - 1] + 1) && times.at(-1) === sent,
    `(a) ${form}: mirror wrote ${entries.length} of ${sent} in order without a hole from the first that it heard, the last byte for byte`,
  )
  const source = `legacy.${endpoint.replace('tcp://', '').replace(':', '-')}`
  check(
    entries.every((entry) => entry.source === source),
    `(a) ${form}: recorded as ${source}`,
  )
  const { shard: shown } = taken()
  check(shown >= PRICES && shown <= sent, `(a) ${form}: shard accepted ${shown} and counts them unguarded`)
  const refused = ['parse_errors', 'legacy_refused'].map((name) => total(shard, name) + total(mirror, name))
  check(
    refused.every((each) => each === 0),
    `(a) ${form}: nothing was refused`,
  )
}

/** (c) A Python PUB on the Polymarket monitor's endpoint that claims to be Kalshi's prices. */
async function squatter(endpoint, { shard, mirror }, redis, environment) {
  const peer = startPeer('squatter.py', [endpoint, 'kalshi.prices'])
  await peer.line()
  const refused = () => ({ shard: count(shard, 'wrong_source'), mirror: count(mirror, 'wrong_source') })
  await until(
    () => refused().shard >= PRICES && refused().mirror >= PRICES,
    () => `the squatter is refused: ${JSON.stringify(refused())}`,
  )
  const { shard: atShard, mirror: atMirror } = refused()
  check(
    atShard >= PRICES && atMirror >= PRICES,
    `(c) refused: shard counts wrong_source ${atShard}, mirror ${atMirror}`,
  )
  const entries = await redis.xrange('sim:prices:kalshi', '-', '+')
  check(!JSON.stringify(entries).includes('KXSQUATTED'), '(c) nothing of it is in Redis')
  const status = spawnSync(process.execPath, [ARBEES, 'status', '--json'], {
    env: environment,
    encoding: 'utf8',
  })
  const shown = JSON.parse(status.stdout).problems.filter(({ problem }) => problem.includes('(wrong_source)'))
  check(
    status.status === 3 && ['shard-0', 'mirror'].every((name) => shown.some(({ role }) => role === name)),
    `(c) status exits ${status.status} and shows: ${shown.map(({ role, problem }) => `${role}: ${problem}`).join('; ')}`,
  )
  peer.end()
}

/** Starts a role of ours from the build; resolves when it says that it is ready. */
async function startRole(name, args, environment) {
  const child = spawn(process.execPath, [ARBEES, ...args], {
    env: environment,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  const role = { name, counts: {}, ready: false, ended: false }
  let log = ''
  child.stderr.on('data', (chunk) => (log = `${log}${chunk}`.slice(-4000)))
  child.on('message', (message) => {
    if (message.type === 'ready') role.ready = true
    else role.counts = message.report.counts
  })
  const gone = new Promise((resolve) =>
    child.on('exit', () => {
      role.ended = true
      resolve()
    }),
  )
  cleanups.push(async () => {
    if (child.connected) child.disconnect()
    const deadline = setTimeout(() => child.kill('SIGKILL'), 12_000)
    await gone
    clearTimeout(deadline)
  })
  await until(
    () => {
      if (role.ended) throw new Error(`${name} ended by itself:\n${log}`)
      return role.ready
    },
    () => `${name} is ready:\n${log}`,
  )
  say(`${name} is ready (pid ${child.pid})`)
  return role
}

/** Starts a Python peer; `line` is its next line of output, `end` closes its stdin. */
function startPeer(script, args) {
  const child = spawn(PYTHON, [join(PEERS, script), ...args.map(String)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  // A peer that died has said why on stderr.
  child.stdin.on('error', () => undefined)
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  cleanups.push(() => child.kill('SIGKILL'))
  return {
    line: async () => {
      const { value, done } = await lines.next()
      if (done) throw new Error(`${script} ended without an answer`)
      return value
    },
    end: () => child.stdin.end(),
  }
}

function installPython() {
  const missing = () =>
    Object.entries(MODULES)
      .filter(([name]) => spawnSync(PYTHON, ['-c', `import ${name}`], { stdio: 'ignore' }).status !== 0)
      .map(([, debianPackage]) => debianPackage)
  const wanted = existsSync(PYTHON) ? missing() : ['python3', ...Object.values(MODULES)]
  if (wanted.length === 0) return
  say(`installing ${wanted.join(' ')} …`)
  if (!aptInstall(wanted) || missing().length > 0) {
    say(`needs ${wanted.join(' and ')} for ${PYTHON}: as root, run: apt-get install ${wanted.join(' ')}`)
    process.exit(1)
  }
}

async function freePorts(amount) {
  const servers = await Promise.all(
    Array.from({ length: amount }, async () => {
      const server = createServer()
      await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
      return server
    }),
  )
  const ports = servers.map((server) => server.address().port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

async function until(condition, describe, ms = 30_000) {
  const deadline = Date.now() + ms
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`timed out waiting until ${describe()}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

function count({ counts }, name) {
  return counts[name] ?? 0
}

function total({ counts }, name) {
  return Object.entries(counts)
    .filter(([key]) => key === name || key.startsWith(`${name}:`))
    .reduce((sum, [, value]) => sum + value, 0)
}

function pairs(list) {
  return list.flatMap((value, index) => (index % 2 === 0 ? [[value, list[index + 1]]] : []))
}

function check(holds, text) {
  if (!holds) failures++
  process.stdout.write(`${holds ? 'ok    ' : 'FAILED'} ${text}\n`)
}

async function finish(code) {
  for (const cleanup of cleanups.splice(0).reverse()) {
    try {
      await cleanup()
    } catch (error) {
      say(`while stopping: ${error.message}`)
    }
  }
  process.stdout.write(code === 0 ? 'interop: all shown\n' : 'interop: FAILED\n')
  process.exit(code)
}

function say(text) {
  process.stderr.write(`interop: ${text}\n`)
}
