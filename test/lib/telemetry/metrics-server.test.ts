import { connect } from 'node:net'
import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import { serveMetrics } from '../../../src/lib/telemetry/metrics-server.js'
import type { MetricsServer } from '../../../src/lib/telemetry/metrics-server.js'

const servers: MetricsServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})
async function serve(render: () => string = () => 'a 1\n', port = 0): Promise<MetricsServer> {
  const server = await serveMetrics({ host: '127.0.0.1', port, render })
  servers.push(server)
  return server
}

describe('the metrics over HTTP', () => {
  it('are rendered anew for each request', async () => {
    let asked = 0
    const { url } = await serve(() => `a ${++asked}\n`)
    const first = await fetch(url)
    expect(first.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(await first.text()).toBe('a 1\n')
    expect(await (await fetch(`${url}?x=1`)).text()).toBe('a 2\n')
    const head = await fetch(url, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '4', ''])
  })

  it.each([
    ['GET', '/', 404],
    ['GET', '/metricsx', 404],
    ['POST', '/metrics', 405],
    ['DELETE', '/metrics', 405],
  ])('%s %s is %i', async (method, path, status) => {
    const { url } = await serve()
    const response = await fetch(new URL(path, url), { method })
    expect(response.status).toBe(status)
  })

  it('a failure of ours is 500, and the next request is answered', async () => {
    let fails = true
    const { url } = await serve(() => {
      if (fails) throw new Error('not now')
      return 'a 1\n'
    })
    const refused = await fetch(url)
    expect([refused.status, await refused.text()]).toEqual([500, 'not now\n'])
    fails = false
    expect((await fetch(url)).status).toBe(200)
  })

  it('a port in use is named with the setting that moves it', async () => {
    const { url } = await serve()
    const port = Number(new URL(url).port)
    await expect(serveMetrics({ host: '127.0.0.1', port, render: () => '' })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringContaining(String(port)) as string,
      hint: expect.stringContaining('metrics_port') as string,
    })
  })

  it('whoever keeps a connection open does not keep the role from ending', async () => {
    const server = await serve()
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    socket.write('GET /metrics HTTP/1.1\r\nhost: x\r\n')
    const closed = new Promise((done) => socket.on('close', done))
    await server.close()
    await closed
    await expect(fetch(server.url)).rejects.toThrow()
  })
})
