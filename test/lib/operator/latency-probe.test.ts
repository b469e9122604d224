import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/lib/core/clock.js'
import { runProbe } from '../../../src/lib/operator/latency-probe.js'
import type { Echo, ProbeOptions } from '../../../src/lib/operator/latency-probe.js'
import { until } from '../poll.js'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0).reverse()) close()
})

/** Somebody who answers when told to. */
function slowEcho(name = 'slow') {
  const waiting: ((answered: boolean) => void)[] = []
  const echo: Echo = {
    hop: 'echo',
    name,
    ask: () => new Promise((resolve) => waiting.push(resolve)),
  }
  const answer = (answered = true) => waiting.shift()?.(answered)
  return { echo, answer, waiting }
}

/** A schedule whose ticks are made by hand. */
function handTicks() {
  let tick: (dueUs: number) => void = () => undefined
  let isOver = false
  const ticks: ProbeOptions['ticks'] = (onTick) => {
    tick = onTick
    return () => (isOver = true)
  }
  return { ticks, tick: (dueUs: number) => tick(dueUs), isOver: () => isOver }
}

function probe(options: Partial<ProbeOptions> & Pick<ProbeOptions, 'ticks'>) {
  const stop = new AbortController()
  closers.push(() => stop.abort())
  const talk: string[] = []
  const ended = runProbe({
    clock: systemClock,
    grouping: 'role',
    intervalMs: 60_000,
    onInterval: () => undefined,
    echoes: [],
    gauges: [],
    signal: stop.signal,
    talk: (line) => talk.push(line),
    ...options,
  })
  return { ended, stop, talk }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('a probe', () => {
  it('counts a stall for everybody who would have asked meanwhile, from when each was due', async () => {
    const { echo, answer, waiting } = slowEcho()
    const { ticks, tick } = handTicks()
    const { ended, stop } = probe({ echoes: [echo], ticks })
    answer()
    await turn()
    const startUs = systemClock.monoUs()
    // One question is answered after a second: nine more were due in that second, ten seconds ago and less.
    for (let i = 10; i > 0; i--) tick(startUs - i * 1_000_000)
    expect(waiting).toHaveLength(1)
    answer()
    await turn()
    // Those that waited are asked for at once, by one question.
    expect(waiting).toHaveLength(1)
    answer()
    await turn()
    expect(waiting).toHaveLength(0)
    stop.abort()
    const { rows, messages } = await ended
    expect(messages).toBe(2)
    const { n, min, p50, max } = rows[0]!.histogram.summary()
    expect(n).toBe(10)
    expect(min).toBeGreaterThanOrEqual(1_000_000)
    expect(p50).toBeGreaterThan(4_900_000)
    expect(max).toBeGreaterThanOrEqual(10_000_000)
  })

  it('that ends during a stall counts it with the time so far', async () => {
    const { echo, answer } = slowEcho()
    const { ticks, tick } = handTicks()
    const { ended, stop } = probe({ echoes: [echo], ticks })
    answer()
    await turn()
    tick(systemClock.monoUs())
    answer()
    await turn()
    tick(systemClock.monoUs() - 5_000_000)
    tick(systemClock.monoUs() - 4_000_000)
    stop.abort()
    const { rows } = await ended
    expect(rows[0]!.histogram.count).toBe(3)
    expect(rows[0]!.histogram.summary().max).toBeGreaterThanOrEqual(5_000_000)
  })

  it('counts what is not answered, and the time it took, as late', async () => {
    const { echo, answer } = slowEcho()
    const { ticks, tick } = handTicks()
    const { ended, stop } = probe({ echoes: [echo], ticks })
    answer()
    await turn()
    tick(systemClock.monoUs())
    answer()
    await turn()
    tick(systemClock.monoUs() - 3_000_000)
    answer(false)
    await turn()
    stop.abort()
    const { rows, problems, messages } = await ended
    expect(problems).toEqual({ 'no_answer:slow': 1 })
    expect(messages).toBe(1)
    expect(rows[0]!.histogram.summary()).toMatchObject({ n: 2 })
    expect(rows[0]!.histogram.summary().max).toBeGreaterThanOrEqual(3_000_000)
  })

  it('has no row for who never answered, and says so', async () => {
    const dead: Echo = { hop: 'echo', name: 'exec', ask: () => Promise.resolve(false) }
    const live: Echo = { hop: 'echo', name: 'kalshi', ask: () => Promise.resolve(true) }
    const { ticks, tick } = handTicks()
    const { ended, talk } = probe({ echoes: [dead, live], ticks, count: 2 })
    await until(() => {
      tick(systemClock.monoUs())
      return closers.length === 0 || talk.length > 0
    }, 'the probe has ended')
    const { rows, problems, ended: why } = await ended
    expect(why).toBe('count')
    expect(rows.map(({ by }) => by)).toEqual(['kalshi'])
    expect(Object.keys(problems)).toEqual(['no_answer:exec'])
    expect(talk).toEqual(['no answer from exec'])
  })

  it('measures this process at each tick, beside whoever answers', async () => {
    const { ticks, tick } = handTicks()
    const gauge = { hop: 'loop_turn', measure: (tell: (us: number) => void) => tell(42) } as const
    const live: Echo = { hop: 'echo', name: 'kalshi', ask: () => Promise.resolve(true) }
    const { ended, stop } = probe({ echoes: [live], gauges: [gauge], ticks, grouping: 'hop' })
    await turn()
    tick(systemClock.monoUs())
    await turn()
    stop.abort()
    const { rows } = await ended
    expect(rows.map(({ hop }) => hop)).toEqual(['echo', 'loop_turn'])
    expect(rows[1]?.histogram.summary()).toMatchObject({ p50: 42, n: 1 })
  })

  it('ends its schedule with itself, and breaks with it', async () => {
    const { ticks, isOver } = handTicks()
    const { ended, stop } = probe({ ticks })
    await turn()
    stop.abort()
    await ended
    expect(isOver()).toBe(true)
    const broken = probe({ ticks: (_, onBroken) => (onBroken(new Error('no metronome')), () => undefined) })
    await expect(broken.ended).rejects.toThrow('no metronome')
  })
})
