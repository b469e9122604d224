import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { NatsClient } from '../../../src/lib/bench/nats-client.js'
import { startNats } from '../../../src/lib/bench/nats-server.js'
import { buildLibzmq, startNatsBroker } from '../../../src/lib/bench/references.js'
import { messageOf } from '../../../src/lib/core/errors.js'
import { Lifecycle } from '../../../src/lib/core/lifecycle.js'
import { until } from '../poll.js'

const scratch = mkdtempSync(join(tmpdir(), 'arbees-test-'))
const startHere = () => startNats(mkdtempSync(join(scratch, 'nats-')))
const hasNats = await startHere().then(
  async (server) => {
    await server.stop()
    return true
  },
  () => false,
)

afterAll(() => rmSync(scratch, { recursive: true, force: true }))

describe('what the bus is compared with', () => {
  const lifecycle = new Lifecycle()
  const path = process.env['PATH']
  beforeEach(() => {
    process.env['PATH'] = path
  })
  afterEach(async () => {
    process.env['PATH'] = path
    await lifecycle.close()
  })

  it('is left out with a line that says why where it is not installed', async () => {
    process.env['PATH'] = scratch
    const said: string[] = []
    const options = { lifecycle, say: (line: string) => void said.push(line) }
    expect(await buildLibzmq(options)).toBeUndefined()
    expect(await startNatsBroker(options)).toEqual([])
    expect(said).toEqual([
      expect.stringMatching(
        /^not compared with: the C program cannot be built: .*ENOENT.* \(apt-get install /,
      ),
      'not compared with: nats-server is not on PATH',
    ])
  })
})

describe('the client of NATS', () => {
  it.skipIf(!hasNats)('publishes to a server and hears it, in order and byte for byte', async () => {
    const server = await startHere()
    const [one, two] = [await NatsClient.connect(server.port), await NatsClient.connect(server.port)]
    const heard: string[] = []
    await two.subscribe(['prices.>', 'games.>'], (subject, body) =>
      heard.push(`${subject} ${body.toString()}`),
    )
    const sent = Array.from({ length: 500 }, (_, index) => ['prices.kalshi.A', `${index} é\r\n`] as const)
    for (const [subject, text] of sent) one.publish(subject, text)
    one.publish('signals.trade.x', 'nobody asked')
    one.publish('games.nba.1', 'last')
    await one.flushed()
    await until(() => heard.length > 500, 'all are heard')
    expect(heard).toEqual([...sent.map((each) => each.join(' ')), 'games.nba.1 last'])
    one.close()
    two.close()
    await server.stop()
  })

  it('puts together what the network cuts anywhere, and answers a ping', async () => {
    const wire =
      'INFO {}\r\nPONG\r\nPING\r\nMSG a.b 0 4\r\n\r\nMS\r\nMSG a.c 0 0\r\n\r\nMSG a.d 0 2\r\nzz\r\n'
    let answered = ''
    const server = createServer((socket) => {
      socket.setNoDelay()
      socket.on('data', (chunk) => (answered += chunk.toString()))
      void (async () => {
        for (const byte of wire) {
          socket.write(byte)
          await new Promise((done) => setImmediate(done))
        }
      })().catch(() => undefined)
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const client = await NatsClient.connect((server.address() as AddressInfo).port)
    const heard: [string, string][] = []
    void client.subscribe(['a.>'], (subject, body) => heard.push([subject, body.toString()]))
    await until(() => heard.length === 3, 'three are heard')
    expect(heard).toEqual([
      ['a.b', '\r\nMS'],
      ['a.c', ''],
      ['a.d', 'zz'],
    ])
    await until(() => answered.includes('PONG\r\n'), 'the ping is answered')
    client.close()
    server.close()
  })

  it('names the port that nobody listens on', async () => {
    expect(await NatsClient.connect(1).catch(messageOf)).toMatch(/NATS at port 1: .*ECONNREFUSED/)
  })
})
