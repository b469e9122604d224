import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EXIT } from '../../../src/lib/core/errors.js'
import { checkRedis } from '../../../src/lib/redis/connection.js'
import { TestAuthority } from './certificates.js'
import { MASTER, TestSentinel } from './sentinels.js'
import { TestRedis, freePort } from './support.js'

const WATCH = { quorum: 1, downAfterMs: 60_000 }

const cleanups: (() => void | Promise<void>)[] = []
const started = async <T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
  const one = await starting
  cleanups.push(() => one.stop())
  return one
}
let master: TestRedis
let sentinel: TestSentinel
beforeAll(async () => {
  master = await started(TestRedis.start())
  sentinel = await started(TestSentinel.start(master.port, WATCH))
})
afterAll(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const failureOf = (url: string, timeoutMs = 2_000) =>
  checkRedis(url, timeoutMs).then(
    () => expect.unreachable(),
    (error: unknown) => error,
  )

describe('a Redis behind Sentinels', () => {
  it('is the master that they name, whoever of them is not there', async () => {
    const url = `redis+sentinel://127.0.0.1:${await freePort()},127.0.0.1:${sentinel.port}/${MASTER}`
    expect((await checkRedis(url)).pid).toBe(master.pid)
  })

  it('is found past a Sentinel that hangs', async () => {
    const hung = await started(TestSentinel.start(master.port, WATCH))
    process.kill(hung.pid, 'SIGSTOP')
    const url = `redis+sentinel://127.0.0.1:${hung.port},127.0.0.1:${sentinel.port}/${MASTER}`
    expect((await checkRedis(url, 10_000)).pid).toBe(master.pid)
  })

  it('nobody who names it is NO_REDIS_MASTER, with the reason and what to look at', async () => {
    const nobody = await failureOf(`redis+sentinel://127.0.0.1:${await freePort()}/${MASTER}`, 300)
    expect(nobody).toMatchObject({ code: 'NO_REDIS_MASTER', exit: EXIT.UNREACHABLE })
    expect(String(nobody)).toContain('Connection is closed')
    const unknown = await failureOf(`redis+sentinel://127.0.0.1:${sentinel.port}/other`, 300)
    expect(unknown).toMatchObject({ code: 'NO_REDIS_MASTER', exit: EXIT.UNREACHABLE })
    expect(String(unknown)).toContain('No such master with that name')
  })

  it('a Sentinel that is taken for a Redis says so', async () => {
    expect(await failureOf(`redis://127.0.0.1:${sentinel.port}`)).toMatchObject({
      code: 'REDIS_IS_SENTINEL',
      exit: EXIT.CONFIG,
    })
  })

  it('Sentinels that ask for a password get it when they are said to, and no error repeats it', async () => {
    const [right, wrong] = ['quokka-right', 'quokka-wrong']
    const locked = await started(TestRedis.start(['--requirepass', right], right))
    const lines = [`sentinel auth-pass ${MASTER} ${right}`]
    const guard = await started(TestSentinel.start(locked.port, { ...WATCH, lines }, right))
    const place = `127.0.0.1:${guard.port}/${MASTER}`
    const { pid } = await checkRedis(`redis+sentinel://:${right}@${place}?sentinel_auth=same`)
    expect(pid).toBe(locked.pid)
    for (const url of [
      `redis+sentinel://:${right}@${place}`,
      `redis+sentinel://:${wrong}@${place}?sentinel_auth=same`,
    ]) {
      const error = await failureOf(url)
      expect(error).toMatchObject({ code: 'REDIS_AUTH', exit: EXIT.CONFIG })
      expect(String(error)).not.toContain('quokka')
    }
  })

  it('speaks TLS to both where the URL says rediss', async () => {
    const authority = new TestAuthority()
    cleanups.push(() => authority.remove())
    const { cert, key } = authority.issue('server', 'IP:127.0.0.1')
    const files = { 'tls-cert-file': cert, 'tls-key-file': key, 'tls-ca-cert-file': authority.cert }
    const tls = Object.entries({ ...files, 'tls-auth-clients': 'no', 'tls-replication': 'yes' })
    const [serverPort, sentinelPort] = [await freePort(), await freePort()]
    const options = tls.flatMap(([name, value]) => [`--${name}`, value])
    const server = await started(TestRedis.start(['--tls-port', String(serverPort), ...options]))
    const lines = [`tls-port ${sentinelPort}`, ...tls.map(([name, value]) => `${name} ${value}`)]
    await started(TestSentinel.start(serverPort, { ...WATCH, lines }))
    const place = `127.0.0.1:${sentinelPort}/${MASTER}`
    const { pid } = await checkRedis(`rediss+sentinel://${place}?cacert=${authority.cert}`)
    expect(pid).toBe(server.pid)
    expect(await failureOf(`rediss+sentinel://${place}`, 300)).toMatchObject({ code: 'NO_REDIS_MASTER' })
  })
})
