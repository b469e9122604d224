import { mkdtempSync, rmSync } from 'node:fs'
import { connect as tcpConnect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Dealer, Publisher as RawPublisher, Subscriber as RawSubscriber } from 'zeromq'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { BusKeys } from '../../../src/lib/bus/curve.js'
import { serverOptions } from '../../../src/lib/bus/curve.js'
import { assertBindAllowed, sourcesOf } from '../../../src/lib/bus/endpoints.js'
import { KeyFolder } from '../../../src/lib/bus/key-files.js'
import { KeyRing } from '../../../src/lib/bus/key-ring.js'
import { Publisher } from '../../../src/lib/bus/publisher.js'
import { RecoveryClient } from '../../../src/lib/bus/recovery/recovery-client.js'
import { RecoveryServer } from '../../../src/lib/bus/recovery/recovery-server.js'
import { Subscriber } from '../../../src/lib/bus/subscriber.js'
import { ZapHandler } from '../../../src/lib/bus/zap.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import { encode } from '../../../src/lib/messages/codec.js'
import * as samples from '../messages/samples.js'
import { until } from '../poll.js'
import { freePort } from '../redis/support.js'

const dir = mkdtempSync(join(tmpdir(), 'arbees-curve-'))
const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup()
})

/** One process has one handler: it judges for the publisher of the test that runs. */
let policy: KeyRing | undefined
const strangers: string[] = []
let zap: ZapHandler
const startZap = () =>
  ZapHandler.start({
    allows: (key) => policy?.allows(key) ?? false,
    onRefused: (key) => strangers.push(key),
  })
beforeAll(async () => {
  zap = await startZap()
})
afterAll(() => {
  zap.close()
  rmSync(dir, { recursive: true, force: true })
})

type Counts = Record<string, number>

/** The keys of one host, with every refusal by reason. */
function host(name: string, role: string): { folder: KeyFolder; ring: KeyRing; refused: Counts } {
  const folder = new KeyFolder(join(dir, `${name}-${Math.random().toString(36).slice(2)}`))
  folder.generate(role)
  const refused: Counts = {}
  const ring = new KeyRing(folder, role, (reason) => (refused[reason] = (refused[reason] ?? 0) + 1))
  return { folder, ring, refused }
}

/** A publisher and a reader on two hosts that know each other's public keys. */
function twoHosts() {
  const server = host('server', 'kalshi')
  const client = host('client', 'exec')
  server.folder.allow('exec', client.ring.own.publicKey)
  client.folder.allow('kalshi', server.ring.own.publicKey)
  server.ring.reload()
  client.ring.reload()
  policy = server.ring
  return { server, client }
}

async function publish(keys: BusKeys) {
  const publisher = await Publisher.bind({
    name: 'kalshi',
    url: 'tcp://127.0.0.1:*',
    recoveryUrl: 'tcp://127.0.0.1:*',
    env: 'sim',
    clock: systemClock,
    sources: sourcesOf('kalshi'),
    keys,
  })
  const channel = publisher.channel('kalshi.prices')
  const timer = setInterval(() => channel.publish('prices.kalshi.A', samples.prices), 10)
  cleanups.push(() => {
    clearInterval(timer)
    publisher.close()
  })
  return publisher
}

/** One of our readers: what it heard on the bus and whether the recovery socket answered. */
function read(url: string, keys: BusKeys | undefined, recoveryUrl = 'tcp://127.0.0.1:1') {
  const heard = { messages: 0, heartbeats: 0, answers: 0 }
  const endpoint = { publisher: 'kalshi', sources: sourcesOf('kalshi'), url, recoveryUrl }
  const subscriber = new Subscriber({
    endpoints: [endpoint],
    prefixes: ['prices.'],
    env: 'sim',
    clock: systemClock,
    keys,
    onMessage: () => heard.messages++,
    onHeartbeat: () => heard.heartbeats++,
  })
  const client = new RecoveryClient({ endpoint, clock: systemClock, keys, timeoutMs: 400 })
  let stopped = false
  const ask = async (): Promise<void> => {
    while (!stopped) {
      if (await client.ping()) heard.answers++
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  void ask()
  cleanups.push(() => {
    stopped = true
    subscriber.close()
    client.close()
  })
  return heard
}

const nothing = { messages: 0, heartbeats: 0, answers: 0 }

/** By now whatever could get in would have: one who may has heard that much since. */
async function whileOthersHear(publisher: Publisher, keys: BusKeys): Promise<void> {
  const control = read(publisher.url, keys, publisher.recoveryUrl)
  await until(
    () => control.messages > 20 && control.heartbeats > 2 && control.answers > 2,
    'those with keys talk',
  )
}

describe('two roles with keys', () => {
  it('talk, on the bus and on the recovery socket', async () => {
    const { server, client } = twoHosts()
    const publisher = await publish(server.ring)
    await whileOthersHear(publisher, client.ring)
    expect(server.refused).toEqual({})
    expect(client.refused).toEqual({})
  })

  it('bind beyond loopback, where without keys they may not', () => {
    const { server } = twoHosts()
    expect(() => assertBindAllowed('tcp://0.0.0.0:5555', false)).toThrowError(
      expect.objectContaining({ code: 'PLAIN_BIND_REFUSED', exit: 7 }),
    )
    expect(() => assertBindAllowed('tcp://0.0.0.0:5555', false, server.ring)).not.toThrow()
  })
})

describe('a publisher with keys', () => {
  it('lets nobody in without a key, and counts it on both sockets', async () => {
    const { server, client } = twoHosts()
    const publisher = await publish(server.ring)
    const plain = read(publisher.url, undefined, publisher.recoveryUrl)
    await until(() => (server.refused['no_curve'] ?? 0) >= 2, 'it is refused at both')
    await whileOthersHear(publisher, client.ring)
    expect(plain).toEqual(nothing)
  })

  it.each([
    ['NULL', {}],
    ['PLAIN', { plainUsername: 'exec', plainPassword: 'exec' }],
  ])('lets no raw %s socket in', async (_, options) => {
    const { server, client } = twoHosts()
    const publisher = await publish(server.ring)
    let got = 0
    const socket = new RawSubscriber({ linger: 0, ...options })
    socket.subscribe('')
    const dealer = new Dealer({ linger: 0, ...options })
    cleanups.push(
      () => socket.close(),
      () => dealer.close(),
    )
    const drain = async (from: RawSubscriber | Dealer) => {
      for await (const _frames of from) got++
    }
    void drain(socket)
    void drain(dealer)
    socket.connect(publisher.url)
    dealer.connect(publisher.recoveryUrl!)
    void dealer.send('{"v":1,"id":1,"op":"ping"}').catch(() => undefined)
    await until(() => (server.refused['no_curve'] ?? 0) >= 2, 'both are refused')
    await whileOthersHear(publisher, client.ring)
    expect(got).toBe(0)
  })

  it('lets no key in that is not on its list, says which, and tells its holder', async () => {
    const { server, client } = twoHosts()
    const stranger = host('stranger', 'exec')
    stranger.folder.allow('kalshi', server.ring.own.publicKey)
    stranger.ring.reload()
    const publisher = await publish(server.ring)
    const heard = read(publisher.url, stranger.ring, publisher.recoveryUrl)
    await until(() => (server.refused['unlisted_key'] ?? 0) >= 2, 'it is refused at both')
    await until(() => (stranger.refused['not_allowed_there'] ?? 0) >= 2, 'it knows')
    await whileOthersHear(publisher, client.ring)
    expect(heard).toEqual(nothing)
    expect(strangers).toContain(stranger.ring.own.publicKey)
    expect(Object.keys(server.refused)).toEqual(['unlisted_key'])
  })

  it('hears nobody who takes it for another', async () => {
    const { server, client } = twoHosts()
    const mistaken = host('mistaken', 'exec')
    server.folder.allow('mistaken', mistaken.ring.own.publicKey)
    server.ring.reload()
    mistaken.folder.allow('kalshi', client.ring.own.publicKey)
    mistaken.ring.reload()
    const publisher = await publish(server.ring)
    const heard = read(publisher.url, mistaken.ring, publisher.recoveryUrl)
    await until(() => (server.refused['wrong_server_key'] ?? 0) >= 2, 'it is refused')
    await until(() => (mistaken.refused['server_key_not_proved'] ?? 0) >= 2, 'it knows')
    await whileOthersHear(publisher, client.ring)
    expect(heard).toEqual(nothing)
  })

  it('cuts off who says nothing, and goes on after garbage', async () => {
    const { server, client } = twoHosts()
    const publisher = await publish(server.ring)
    const port = Number(publisher.url.split(':').at(-1))
    for (const bytes of ['', 'GET / HTTP/1.1\r\n\r\n', Buffer.alloc(3000, 0xff)]) {
      const socket = tcpConnect(port, '127.0.0.1')
      socket.on('error', () => undefined)
      if (bytes !== '') socket.write(bytes)
      cleanups.push(() => socket.destroy())
    }
    await until(() => (server.refused['unfinished'] ?? 0) > 0, 'the silent one is cut')
    await whileOthersHear(publisher, client.ring)
  })

  it('lets a new key in after its list was read again, and an old one no more', async () => {
    const { server, client } = twoHosts()
    const late = host('late', 'mirror')
    late.folder.allow('kalshi', server.ring.own.publicKey)
    late.ring.reload()
    const publisher = await publish(server.ring)
    const heard = read(publisher.url, late.ring, publisher.recoveryUrl)
    await until(() => (server.refused['unlisted_key'] ?? 0) > 0, 'it is refused')
    server.folder.allow('mirror', late.ring.own.publicKey)
    server.ring.reload()
    await until(() => heard.messages > 0 && heard.answers > 0, 'it is let in by itself')
    const again = host('again', 'mirror')
    server.folder.allow('mirror', again.ring.own.publicKey)
    server.ring.reload()
    const before = server.refused['unlisted_key'] ?? 0
    const returning = read(publisher.url, late.ring, publisher.recoveryUrl)
    await until(() => (server.refused['unlisted_key'] ?? 0) >= before + 2, 'it is refused again')
    await whileOthersHear(publisher, client.ring)
    expect(returning).toEqual(nothing)
  }, 20_000)

  it('asks a publisher that has a new key by that key, once its list was read again', async () => {
    const { server, client } = twoHosts()
    const port = await freePort()
    const url = `tcp://127.0.0.1:${port}`
    const answers = async (keys: BusKeys) => {
      const router = await RecoveryServer.bind({ url, clock: systemClock, keys })
      router.serve(new Map())
      return router
    }
    policy = server.ring
    const first = await answers(server.ring)
    const endpoint = { publisher: 'kalshi', sources: sourcesOf('kalshi'), url, recoveryUrl: url }
    const asking = new RecoveryClient({ endpoint, clock: systemClock, keys: client.ring, timeoutMs: 400 })
    cleanups.push(() => asking.close())
    await until(() => asking.ping(), 'the old key is believed')
    first.close()
    const renewed = host('renewed', 'kalshi')
    renewed.folder.allow('exec', client.ring.own.publicKey)
    renewed.ring.reload()
    policy = renewed.ring
    let second: RecoveryServer | undefined
    await until(async () => {
      second = await answers(renewed.ring).catch(() => undefined)
      return second !== undefined
    }, 'the port is free')
    cleanups.push(() => second?.close())
    expect(await asking.ping()).toBe(false)
    client.folder.allow('kalshi', renewed.ring.own.publicKey)
    client.ring.reload()
    await until(() => asking.ping(), 'the new key is believed')
  }, 20_000)

  it('lets nobody in while nothing judges', async () => {
    const { server, client } = twoHosts()
    zap.close()
    const publisher = await publish(server.ring)
    const heard = read(publisher.url, client.ring, publisher.recoveryUrl)
    await until(() => Object.values(client.refused).some((count) => count >= 1), 'it is refused')
    expect(heard).toEqual(nothing)
    zap = await startZap()
    await until(() => heard.messages > 0 && heard.answers > 0, 'it is let in once somebody does')
  }, 20_000)
})

describe('a reader with keys', () => {
  const message = encode(
    { env: 'sim', source: 'kalshi.prices', epoch: 1, seq: 1, timestampMs: 1, host: 'h', stamps: {} },
    samples.prices,
  )

  /** Squats on a port and publishes what the reader would take from the real one. */
  async function squat(options: object): Promise<string> {
    const socket = new RawPublisher({ linger: 0, sendTimeout: 0, ...options })
    await socket.bind('tcp://127.0.0.1:*')
    const timer = setInterval(() => void socket.send(['prices.kalshi.A', message]).catch(() => undefined), 10)
    cleanups.push(() => {
      clearInterval(timer)
      socket.close()
    })
    return socket.lastEndpoint!
  }

  it('takes from a squatter what it says when it has no keys, so that these tests can fail', async () => {
    const heard = read(await squat({}), undefined)
    await until(() => heard.messages > 0, 'the squatter is believed')
  })

  it('hears nothing from a squatter without keys, and counts it', async () => {
    const { client } = twoHosts()
    const heard = read(await squat({}), client.ring)
    await until(() => (client.refused['no_curve'] ?? 0) > 1, 'it is refused, and at the next try too')
    expect(heard).toEqual(nothing)
  })

  it.each([
    ['with a key of its own', 'squatter'],
    ['that is another publisher of this deployment', 'poly'],
  ])('hears nothing from a squatter %s', async (_, role) => {
    const { client } = twoHosts()
    const squatter = host('squatter', role)
    squatter.folder.allow('exec', client.ring.own.publicKey)
    squatter.ring.reload()
    client.folder.allow(role, squatter.ring.own.publicKey)
    client.ring.reload()
    policy = squatter.ring
    const heard = read(await squat(serverOptions(squatter.ring)), client.ring)
    await until(() => (client.refused['server_key_not_proved'] ?? 0) > 1, 'it is refused')
    expect(heard).toEqual(nothing)
  })

  it('counts what is no ZeroMQ at all', async () => {
    const { client } = twoHosts()
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.write('220 mail.example.com ESMTP, who are you then?\r\n'.repeat(4))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    cleanups.push(() => server.close())
    const heard = read(`tcp://127.0.0.1:${(server.address() as AddressInfo).port}`, client.ring)
    await until(() => (client.refused['server_key_not_proved'] ?? 0) > 0, 'it is refused')
    expect(heard).toEqual(nothing)
  })

  it('does not start towards a publisher whose key it does not know', () => {
    const { server } = twoHosts()
    const stranger = host('stranger', 'exec')
    expect(server.ring.serverKeyOf('kalshi')).toBeDefined()
    expect(() => read('tcp://127.0.0.1:1', stranger.ring)).toThrowError(
      expect.objectContaining({
        code: 'UNKNOWN_KEY',
        exit: 4,
        hint: expect.stringContaining('keys allow kalshi'),
      }),
    )
  })
})
