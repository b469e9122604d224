import { describe, expect, it } from 'vitest'
import { loadSettings } from '../../../src/lib/core/config.js'
import { renderSettings, settingRows } from '../../../src/lib/operator/config-view.js'

describe('config show', () => {
  const rows = settingRows(
    loadSettings({
      flags: { redis_url: 'redis://ann:pa:ss@wo@rd@10.0.0.5:6379/2' },
      environment: { ARBEES_SHARDS: '3' },
      up: { env: 'demo', 'endpoints.shards': 'tcp://127.0.0.1:1,tcp://127.0.0.1:2' },
    }),
  )
  const row = (key: string) => rows.find((each) => each.key === key)

  it('says where each value came from', () => {
    expect(row('shards')).toMatchObject({ value: '3', origin: 'environment ARBEES_SHARDS' })
    expect(row('env')).toMatchObject({ value: 'demo', origin: 'up.json' })
    expect(row('endpoints.shards')).toMatchObject({ value: 'tcp://127.0.0.1:1,tcp://127.0.0.1:2' })
    expect(row('log_level')).toMatchObject({ value: 'info', origin: 'default' })
  })

  it('masks the password of a URL, whatever it contains', () => {
    expect(row('redis_url')?.value).toBe('redis://ann:****@10.0.0.5:6379/2')
  })

  it('drops its explanations on a narrow terminal, never the origin', () => {
    const narrow = renderSettings(rows, { width: 80, color: false })
    expect(narrow.split('\n')[0]).toMatch(/setting +value +from$/)
    expect(narrow.split('\n').every((line) => line.length <= 80)).toBe(true)
    expect(renderSettings(rows, { width: 200, color: false })).toContain('where the data come from')
  })
})
