import { join } from 'node:path'
import { appendFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Journal } from '../../src/lib/bus/journal/journal.js'
import { FileStorage } from '../../src/lib/bus/journal/storage.js'
import { segmentName } from '../../src/lib/bus/journal/segment-name.js'
import { systemClock } from '../../src/lib/core/clock.js'
import { bootId } from '../../src/lib/core/ids.js'
import { createPlace, launch } from '../e2e/launch.js'

describe('arbees journal', () => {
  it('lists, verifies and prints a journal, and exits 8 once it is damaged', async () => {
    const place = await createPlace()
    const { dir, environment } = place
    const path = join(dir, 'journal', 'sim', 'kalshi.prices')
    const source = 'kalshi.prices'
    const journal = Journal.open({
      storage: new FileStorage(path),
      ...{ source, clock: systemClock, retainBytes: 1_000_000, bootId: bootId(), onNotice: () => undefined },
    })
    for (let seq = 1; seq <= 3; seq++) {
      journal.stage(seq, 1_000 + seq, Buffer.from('prices.kalshi.KX'), `{"payload":{"n":${seq}}}`)
    }
    journal.close()
    const run = async (...args: string[]) => {
      const child = launch(['journal', ...args], environment)
      const code = await child.ended
      return {
        code,
        lines: child
          .stdout()
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line || '{}') as unknown),
      }
    }
    const epochs = [{ epoch: journal.epoch, published: 3, first: 1, last: 3, end: 'known' }]
    expect(await run('ls')).toMatchObject({
      code: 0,
      lines: [{ journals: [{ source, writer: null, epochs }] }],
    })
    expect(await run('verify', source)).toMatchObject({ code: 0, lines: [{ ok: true }] })
    expect(await run('cat', source, '--from', '2', '-n', '1', '--json')).toMatchObject({
      code: 0,
      lines: [{ topic: 'prices.kalshi.KX', source, seq: 2, timestamp_ms: 1_002, payload: { n: 2 } }],
    })
    expect(await run('cat', source, '--epoch', '7')).toMatchObject({ code: 5 })
    appendFileSync(join(path, segmentName(journal.epoch, 1)), Buffer.alloc(50, 7))
    expect(await run('verify')).toMatchObject({ code: 8, lines: [{ ok: false }] })
    writeFileSync(join(path, 'epochs'), 'nothing that anybody wrote\n')
    expect(await run('ls')).toMatchObject({ code: 0, lines: [{ journals: [{ source }] }] })
    expect(await run('ls', join(dir, 'nowhere'))).toMatchObject({ code: 2 })
    place.remove()
  })
})
