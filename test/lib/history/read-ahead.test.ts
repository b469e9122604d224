import { describe, expect, it } from 'vitest'
import { readAhead } from '../../../src/lib/history/read-ahead.js'
import type { PastPages } from '../../../src/lib/history/past.js'
import { until } from '../poll.js'
import { all, past, told } from './past-samples.js'

function counted(pages: number) {
  const state = { read: 0, isLetGo: false }
  async function* read(): PastPages {
    try {
      for (let seq = 1; seq <= pages; seq++) {
        await new Promise((resolve) => setImmediate(resolve))
        state.read = seq
        yield [past(seq)]
      }
    } finally {
      state.isLetGo = true
    }
  }
  return { state, read }
}

/** A page of one small message weighs so much, about. */
const PAGE_BYTES = 210

describe('reading ahead', () => {
  it('reads on while nobody takes anything, as far as there is room', async () => {
    const { state, read } = counted(100)
    const pages = readAhead(read(), 10 * PAGE_BYTES)
    expect(told((await pages.next()).value ?? [])).toEqual(['7/1'])
    await until(() => state.read >= 10, 'it has read ahead')
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(state.read).toBeLessThanOrEqual(11)
    const rest = await all(pages)
    expect(told(rest)).toEqual(Array.from({ length: 99 }, (_, i) => `7/${i + 2}`))
  })

  it('goes on with a page that is larger than all the room', async () => {
    const { read } = counted(5)
    expect(await all(readAhead(read(), 1))).toHaveLength(5)
  })

  it('hands on what was read before a failure, then the failure', async () => {
    async function* failing(): PastPages {
      yield [past(1)]
      throw new Error('of its own')
    }
    const pages = readAhead(failing(), 10_000)
    expect(told((await pages.next()).value ?? [])).toEqual(['7/1'])
    await expect(pages.next()).rejects.toThrow('of its own')
  })

  it('lets go of what it reads when nobody wants more', async () => {
    const { state, read } = counted(1_000)
    for await (const page of readAhead(read(), 3 * PAGE_BYTES)) if (page.length > 0) break
    expect(state.isLetGo).toBe(true)
    expect(state.read).toBeLessThan(20)
  })
})
