import { describe, expect, it } from 'vitest'
import { publisherNames } from '../../../src/lib/bus/endpoints.js'
import { loadSettings } from '../../../src/lib/core/config.js'
import { metricsPortOf, metricsPorts } from '../../../src/lib/roles/up-ports.js'

const ROLES = [...publisherNames(64), 'mirror', 'sim']
const load = (flags: Parameters<typeof loadSettings>[0]['flags']) => loadSettings({ flags: flags! }).settings

describe('the ports of metrics', () => {
  it('are one each under up, from the one that was given on', () => {
    const ports = ROLES.map((role) => metricsPortOf('9100', role))
    expect(new Set(ports).size).toBe(ROLES.length)
    expect([...ports].map(Number).sort((a, b) => a - b)[0]).toBe(9100)
    expect(metricsPorts(load({ metrics_port: '9100' }), ['kalshi', 'mirror'])).toEqual([
      { role: 'kalshi', host: '127.0.0.1', port: 9100, setting: 'ARBEES_METRICS_PORT' },
      { role: 'mirror', host: '127.0.0.1', port: 9104, setting: 'ARBEES_METRICS_PORT' },
    ])
  })

  it('are none without the setting, and left to each role with 0', () => {
    expect(load({}).metrics_port).toBe('')
    for (const base of ['', '0']) {
      expect(metricsPorts(load({ metrics_port: base }), ROLES)).toEqual([])
      expect(metricsPortOf(base, 'mirror')).toBe(base)
    }
  })

  it('name the role that is left without one', () => {
    expect(() => metricsPorts(load({ metrics_port: '65533' }), ROLES)).toThrowError(
      expect.objectContaining({
        code: 'BAD_CONFIG',
        message: expect.stringContaining('shard-0: 65539') as string,
      }),
    )
  })

  it.each([
    ['metrics_port', '70000'],
    ['metrics_port', 'http'],
    ['metrics_port', '0.0.0.0:9100'],
    ['metrics_host', ''],
    ['metrics_host', ' '],
  ] as const)('refuse %s %j: beyond loopback only by a host that somebody named', (key, value) => {
    expect(() => load({ [key]: value })).toThrowError(
      expect.objectContaining({ code: 'BAD_CONFIG', exit: 4 }),
    )
  })
})
