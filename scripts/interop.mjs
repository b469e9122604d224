/**
 * `npm run interop`: our roles beside peers that are not ours, in Python over libzmq's own binding. It shows, and fails
 * unless, (a) senders of the first design are accepted where they are marked legacy, and counted unguarded; (b) a reader
 * of the first design reads our prices from ZeroMQ and from Redis; (c) a squatter's messages are refused and shown;
 * (d) redis-cli and python3-redis find in Redis what the manual says, under the users that `arbees redis acl` makes, and
 * the bytes that a foreign subscriber heard; (e) the median of each hop that `arbees latency` tells follows from the
 * stamps of the same messages, as somebody else reads them.
 */

import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
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
  await peersOnTheBus()
  // All but the scratch folder.
  await cleanUp(1)
  await clientsOfRedis()
  await cleanUp(1)
  await hopLatencies()
}

async function peersOnTheBus() {
  const redis = await startPrivateRedis({ dir: join(scratch, 'redis'), onNotice: say })
  cleanups.push(() => redis.stop())
  const { environment, endpoints } = await fleet('data', redis.url)
  const [kalshi, poly] = endpoints
  const [bare, envelope] = (await freePorts(2)).map((port) => `tcp://127.0.0.1:${port}`)
  environment.ARBEES_LEGACY_ENDPOINTS = `${bare},${envelope}`
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

/** (d) A whole fleet, heard by Python on ZeroMQ; then what its mirror wrote, read by Python and by redis-cli. */
async function clientsOfRedis() {
  const redis = await startPrivateRedis({ dir: join(scratch, 'redis-window'), onNotice: say })
  cleanups.push(() => redis.stop())
  const { port } = new URL(redis.url)
  const cli = (args, input) =>
    spawnSync('redis-cli', ['-p', port, ...args], { encoding: 'utf8', input }).stdout
  const { environment, endpoints } = await fleet('window', redis.url)
  const acl = spawnSync(process.execPath, [ARBEES, 'redis', 'acl'], { env: environment, encoding: 'utf8' })
  cli([], acl.stdout)
  const urlOf = (role) => {
    cli(['ACL', 'SETUSER', `arbees-sim-${role}`, '>interop'])
    return `redis://arbees-sim-${role}:interop@127.0.0.1:${port}`
  }

  const peer = startPeer('redis_window.py', [urlOf('operator'), 'sim', ...endpoints])
  await peer.line()
  const look = async (what) => {
    peer.say(what)
    for (const [holds, text] of JSON.parse(await peer.line())) check(holds, `(d) ${text}`)
  }
  const up = spawn(process.execPath, [ARBEES, 'up', '--for', '30s', '--keep', '--json'], {
    env: { ...environment, ARBEES_REDIS_URL: urlOf('up') },
    stdio: 'ignore',
  })
  cleanups.push(() => up.kill('SIGTERM'))
  const ended = new Promise((resolve) => up.once('close', resolve))
  await until(
    () => Number(cli(['XLEN', 'sim:trades:history'])) > 0,
    () => 'the fleet trades',
    60_000,
  )
  await look('health')
  say('the fleet runs for half a minute …')
  const code = await ended
  check(code === 0, `(d) the fleet worked as arbees-sim-up and ended with ${code}`)
  await look('window')
  for (const stream of ['prices:kalshi', 'orderbook:poly', 'signals:trades', 'orders:history']) {
    await sameByRedisCli(cli, redis.url, `sim:${stream}`)
  }
  const checkpoint = cli(['HGETALL', 'sim:arbees:checkpoint:kalshi.prices']).trim().split('\n')
  check(
    checkpoint.filter((_, index) => index % 2 === 0).join() === 'epoch,seq,closed',
    `(d) redis-cli: a checkpoint of ${checkpoint.join(' ')}`,
  )

  cli(['FLUSHALL'])
  const [run] = readdirSync(join(environment.ARBEES_DATA_DIR, 'sim'))
  const journal = join(environment.ARBEES_DATA_DIR, 'sim', run, 'journal', 'sim')
  const drain = spawnSync(process.execPath, [ARBEES, 'journal', 'drain', journal, '--env', 'sim'], {
    env: { ...environment, ARBEES_REDIS_URL: urlOf('mirror'), ARBEES_MIRROR__PRICES_MAXLEN: '200' },
  })
  check(
    drain.status === 8,
    `(d) a drain that may keep 200 as arbees-sim-mirror leaves gaps: exit ${drain.status}`,
  )
  await look('gaps')
  const refused = cli(['ACL', 'LOG']).trim()
  check(refused === '', `(d) Redis refused nothing to any of these users: ${refused || 'nothing'}`)
  peer.end()
}

/** (e) A whole fleet, measured by `arbees latency` and by Python from the same messages. */
async function hopLatencies() {
  const redis = await startPrivateRedis({ dir: join(scratch, 'redis-latency'), onNotice: say })
  cleanups.push(() => redis.stop())
  const { environment, endpoints } = await fleet('latency', redis.url)
  const up = spawn(process.execPath, [ARBEES, 'up'], { env: environment, stdio: 'ignore' })
  const ended = new Promise((resolve) => up.once('close', resolve))
  cleanups.push(async () => {
    up.kill('SIGTERM')
    await ended
  })
  const peer = startPeer('hop_latencies.py', endpoints)
  check((await peer.line()) === 'joined', `(e) Python hears ${endpoints.length} publishers`)
  const link = await connectRedis(redis.url, 'interop')
  cleanups.push(() => link.close())
  await until(
    async () => (await link.redis.xlen('sim:trades:history')) > 0,
    () => 'the fleet trades',
    60_000,
  )
  const latency = spawn(process.execPath, [ARBEES, 'latency', '--for', '10s', '--json'], {
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let report = ''
  latency.stdout.on('data', (chunk) => (report += chunk))
  const code = await new Promise((resolve) => latency.once('close', resolve))
  check(code === 0, `(e) arbees latency --for 10s --json ended with ${code}`)
  const { clock, hops } = JSON.parse(report)
  check(
    clock.error_us < 10 && clock.backwards === 0,
    `(e) two threads read the clock at most ${clock.error_us} us apart (${clock.rounds} comparisons), nothing ran backwards`,
  )
  const lag = hops.find(({ hop }) => hop === 'mirror_lag')
  check(lag?.n > 0, `(e) mirror lag: p50 ${lag?.p50_us} us, p99 ${lag?.p99_us} us of ${lag?.n}`)
  peer.say(report.trim())
  for (const [holds, text] of JSON.parse(await peer.line())) check(holds, `(e) ${text}`)
  peer.end()
}

/** What redis-cli prints of the first entries, against what came over our own connection. */
async function sameByRedisCli(cli, url, stream) {
  const link = await connectRedis(url, 'interop')
  const entries = await link.redis.xrange(stream, '-', '+', 'COUNT', 100)
  link.close()
  const lines = cli(['--raw', 'XRANGE', stream, '-', '+', 'COUNT', '100']).trimEnd().split('\n')
  check(
    entries.length > 0 && lines.join('\n') === entries.flat(2).join('\n'),
    `(d) redis-cli prints the first ${entries.length} of ${stream} line for line`,
  )
}

/** Settings of a fleet on free ports with a folder of its own, and where its publishers are. */
async function fleet(name, redisUrl) {
  const ports = await freePorts(14)
  const publishers = ['KALSHI', 'POLY', 'ORCHESTRATOR', 'SHARDS', 'EXEC']
  const tcp = (index) => `tcp://127.0.0.1:${ports[index]}`
  const [kalshi, poly, gamma, espn] = ports.slice(10)
  const environment = {
    ...process.env,
    NO_COLOR: '1',
    ARBEES_ENV: 'sim',
    ARBEES_DATA_DIR: join(scratch, name),
    ARBEES_REDIS_URL: redisUrl,
    ARBEES_KALSHI__REST_URL: `http://127.0.0.1:${kalshi}/trade-api/v2`,
    ARBEES_KALSHI__WS_URL: `ws://127.0.0.1:${kalshi}/trade-api/ws/v2`,
    ARBEES_POLYMARKET__CLOB_URL: `http://127.0.0.1:${poly}`,
    ARBEES_POLYMARKET__WS_URL: `ws://127.0.0.1:${poly}/ws/market`,
    ARBEES_POLYMARKET__GAMMA_URL: `http://127.0.0.1:${gamma}`,
    ARBEES_ESPN__URL: `http://127.0.0.1:${espn}`,
  }
  publishers.forEach((publisher, index) => {
    environment[`ARBEES_ENDPOINTS__${publisher}`] = tcp(index)
    environment[`ARBEES_RECOVERY__${publisher}`] = tcp(index + 5)
  })
  return { environment, endpoints: publishers.map((_, index) => tcp(index)) }
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

/** Starts a Python peer; `line` is its next line of output, `say` one of input, `end` closes its stdin. */
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
    say: (text) => child.stdin.write(`${text}\n`),
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

/** Ends what was started, the latest first, but for the first `kept`. */
async function cleanUp(kept) {
  for (const cleanup of cleanups.splice(kept).reverse()) {
    try {
      await cleanup()
    } catch (error) {
      say(`while stopping: ${error.message}`)
    }
  }
}

async function finish(code) {
  await cleanUp(0)
  process.stdout.write(code === 0 ? 'interop: all shown\n' : 'interop: FAILED\n')
  process.exit(code)
}

function say(text) {
  process.stderr.write(`interop: ${text}\n`)
}
