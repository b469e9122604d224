import { afterEach, describe, expect, it } from 'vitest'
import { Publisher as PubSocket } from 'zeromq'
import { generateKeyPair } from '../../../src/lib/bus/curve.js'
import type { BusKeys } from '../../../src/lib/bus/curve.js'
import { Publisher } from '../../../src/lib/bus/publisher.js'
import { sourcesOf } from '../../../src/lib/bus/endpoints.js'
import type { PublisherEndpoint } from '../../../src/lib/bus/endpoints.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import { TapDesk } from '../../../src/lib/operator/tap-desk.js'
import type { TapDeskOptions } from '../../../src/lib/operator/tap-desk.js'
import { createJsonFormat } from '../../../src/lib/operator/tap-format.js'
import { summaryText } from '../../../src/lib/operator/tap-summary.js'
import { runTap } from '../../../src/lib/operator/tap.js'
import type { TapOptions } from '../../../src/lib/operator/tap.js'
import { until } from '../poll.js'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0).reverse()) close()
})

async function bindKalshi(keys?: BusKeys) {
  const publisher = await Publisher.bind({
    name: 'kalshi',
    url: 'tcp://127.0.0.1:*',
    env: 'sim',
    clock: systemClock,
    sources: sourcesOf('kalshi'),
    keys,
  })
  closers.push(() => publisher.close())
  const endpoint: PublisherEndpoint = {
    publisher: 'kalshi',
    url: publisher.url,
    sources: sourcesOf('kalshi'),
  }
  const price = (id = 'KX', bid = 0.41) =>
    publisher.channel('kalshi.prices').publish(`prices.kalshi.${id}`, {
      venue: 'kalshi',
      market_id: id,
      selection: 'MIA',
      state: 'LIVE',
      yes_bid: bid,
      yes_ask: 0.43,
      book_seq: 1,
    })
  return { endpoint, price }
}

/** A bare ZeroMQ publisher: whatever a stranger may send. */
async function bindRaw() {
  const socket = new PubSocket({ sendTimeout: 0, linger: 0 })
  await socket.bind('tcp://127.0.0.1:*')
  closers.push(() => socket.close())
  return { url: socket.lastEndpoint ?? '', send: (...frames: string[]) => void socket.send(frames) }
}

/** What the tests read of a JSON line; of a gap's line only `gap`. */
interface Line {
  readonly topic: string
  readonly source: string
  readonly seq: number
  readonly payload: Record<string, unknown>
}

function tap(
  options: Partial<TapOptions> & Pick<TapOptions, 'endpoints'>,
  deskOptions: Partial<TapDeskOptions> = {},
) {
  const out: string[] = []
  const talk: string[] = []
  const stop = new AbortController()
  closers.push(() => stop.abort())
  const { prefixes = ['prices.'] } = options
  const shared = { clock: systemClock, talk: (line: string) => void talk.push(line) }
  const desk = new TapDesk({
    ...shared,
    selection: { prefixes },
    format: createJsonFormat({ forTerminal: false }),
    output: { line: (make) => void out.push(make()), dropped: 0 },
    ...deskOptions,
  })
  const ended = runTap({ prefixes, env: 'sim', ...shared, desk, signal: stop.signal, ...options }).then(
    (reason) => {
      desk.close()
      return { ended: reason, ...desk.summary() }
    },
  )
  return { out, talk, stop, ended, objects: () => out.map((line) => JSON.parse(line) as Line) }
}

describe('a tap', () => {
  it('shows so many messages with their exact payload and not one more', async () => {
    const { endpoint, price } = await bindKalshi()
    const { ended, objects } = tap({ endpoints: [endpoint], count: 3 })
    const timer = setInterval(() => {
      for (let i = 0; i < 50; i++) price()
    }, 5)
    closers.push(() => clearInterval(timer))
    const summary = await ended
    expect(summary).toMatchObject({ ended: 'count', messages: 3, gaps: 0, duplicates: 0, problems: {} })
    expect(objects()).toHaveLength(3)
    expect(objects()[0]).toMatchObject({
      topic: 'prices.kalshi.KX',
      source: 'kalshi.prices',
      payload: { venue: 'kalshi', market_id: 'KX', yes_bid: 0.41 },
    })
    expect(objects().map(({ seq }) => seq - objects()[0]!.seq)).toEqual([0, 1, 2])
    expect(summary.ageP50Us).toBeGreaterThan(0)
    expect(summary.ratePerSecond).toBeGreaterThan(0)
  })

  it('takes only what begins with its prefixes', async () => {
    const { endpoint, price } = await bindKalshi()
    const { ended, objects } = tap({ endpoints: [endpoint], prefixes: ['prices.kalshi.B'], count: 2 })
    const timer = setInterval(() => {
      price('A')
      price('B1')
      price('B2')
    }, 5)
    closers.push(() => clearInterval(timer))
    const summary = await ended
    expect(objects().map(({ topic }) => topic.slice(0, -1))).toEqual(['prices.kalshi.B', 'prices.kalshi.B'])
    expect(summary.gaps).toBe(0)
  })

  it('marks a gap where messages are missing', async () => {
    const { url, send } = await bindRaw()
    const endpoint = { publisher: 'kalshi', url, sources: sourcesOf('kalshi') }
    const { ended, objects, out } = tap({ endpoints: [endpoint], count: 3 })
    const envelope = (seq: number) =>
      `{"v":1,"env":"sim","source":"kalshi.prices","epoch":5,"seq":${seq},"timestamp_ms":1,"host":"elsewhere","trace":"t","stamps":{},"payload":{"venue":"kalshi","market_id":"KX","selection":"","state":"EMPTY","book_seq":1}}`
    await until(() => {
      send('prices.kalshi.KX', envelope(1))
      return out.length > 0
    }, 'the tap has joined')
    send('prices.kalshi.KX', envelope(2))
    send('prices.kalshi.KX', envelope(9))
    const summary = await ended
    expect(objects().slice(-3)).toMatchObject([
      { seq: 2 },
      { gap: { source: 'kalshi.prices', epoch: 5, from: 3, to: 8, reason: 'missed' } },
      { seq: 9 },
    ])
    expect(summary).toMatchObject({ messages: 3, gaps: 1, missing: 6 })
    expect(summaryText(summary)).toMatch(/^3 messages, [\d,]+\/s, 1 gap \(6 missing\)/)
  })

  it('tells of refused input at most three times, counts all of it, and goes on', async () => {
    const { url, send } = await bindRaw()
    const endpoint = { publisher: 'kalshi', url, sources: sourcesOf('kalshi') }
    const { ended, talk, stop } = tap({ endpoints: [endpoint] })
    await until(() => {
      send('prices.kalshi.KX', 'not json')
      return talk.length >= 3
    }, 'the refusals are told')
    const foreign = `{"v":1,"env":"sim","source":"poly.prices","epoch":5,"seq":1,"timestamp_ms":1,"host":"h","trace":"t","stamps":{},"payload":{"venue":"poly","market_id":"KX","selection":"","state":"EMPTY","book_seq":1}}`
    send('prices.poly.KX', foreign)
    send('prices.kalshi.KX', '{"ticker":"KX","yes_ask":0.5,"yes_bid":0.4,"timestamp_ms":1}')
    await until(() => talk.length >= 5, 'the squatter and the first-design body are told')
    stop.abort()
    const { problems, messages } = await ended
    expect(messages).toBe(0)
    expect(talk.slice(0, 3).every((line) => line.startsWith('parse_error not_json'))).toBe(true)
    expect(talk[2]).toContain('more of these are only counted')
    expect(talk.slice(3).join('\n')).toMatch(
      /wrong_source: poly\.prices.*\nlegacy_refused: prices\.kalshi\.KX/,
    )
    expect(problems).toMatchObject({ wrong_source: 1, legacy_refused: 1 })
    expect(problems['parse_error:not_json']).toBeGreaterThanOrEqual(3)
  })

  it('shows first-design bodies from an endpoint that is marked legacy', async () => {
    const { url, send } = await bindRaw()
    const endpoint = { publisher: 'legacy', url, sources: [], legacy: true }
    const { ended, objects } = tap({ endpoints: [endpoint], count: 1 })
    const timer = setInterval(() => send('prices.kalshi.KX', '{"ticker":"KX","yes_bid":0.40}'), 10)
    closers.push(() => clearInterval(timer))
    await ended
    expect(objects()[0]).toMatchObject({ epoch: null, seq: null, payload: { ticker: 'KX' } })
    expect(objects()[0]!.source).toMatch(/^legacy\.127\.0\.0\.1-\d+$/)
  })

  it('shows heartbeats under health. and only there', async () => {
    const { endpoint } = await bindKalshi()
    const { ended, objects } = tap({ endpoints: [endpoint], prefixes: ['health.'], count: 2 })
    await ended
    expect(objects()[0]).toMatchObject({
      topic: 'health.kalshi',
      source: 'kalshi',
      seq: null,
      payload: { publisher: 'kalshi' },
    })
    const quiet = tap({ endpoints: [endpoint], idleMs: 500 })
    expect(await quiet.ended).toMatchObject({ ended: 'idle', messages: 0 })
  })

  it('says after a silence who is up and where there is traffic', async () => {
    const { endpoint, price } = await bindKalshi()
    const absent = { publisher: 'exec', url: 'tcp://127.0.0.1:1', sources: sourcesOf('exec') }
    const { ended, talk, stop } = tap({
      endpoints: [endpoint, absent],
      prefixes: ['signals.'],
      silenceMs: 700,
    })
    const timer = setInterval(() => price(), 20)
    closers.push(() => clearInterval(timer))
    await until(() => talk.length >= 4, 'the silence is told')
    stop.abort()
    await ended
    expect(talk[0]).toBe('nothing on signals. for 0.7 s')
    expect(talk[1]).toBe(`  heartbeats from: kalshi (${endpoint.url})`)
    expect(talk[2]).toBe('  no heartbeat from: exec (tcp://127.0.0.1:1)')
    expect(talk[3]).toMatch(/^ {2}traffic: prices\.kalshi\. \(\d+ messages\)$/)
  })

  it('says after a silence that the bus may have keys, where it has none itself', async () => {
    const { endpoint } = await bindKalshi({ own: generateKeyPair(), serverKeyOf: () => undefined })
    const plain = await bindKalshi()
    const poly = { ...plain.endpoint, publisher: 'poly', url: 'tcp://127.0.0.1:1' }
    const { ended, talk, stop } = tap({ endpoints: [endpoint, poly], silenceMs: 700 })
    await until(() => talk.length >= 5, 'the silence is told')
    stop.abort()
    await ended
    expect(talk.slice(3, 5)).toEqual([
      `  the handshake fails with: kalshi (${endpoint.url})`,
      '    its bus may have keys, and here are none: set keys_dir, or ARBEES_KEYS_DIR',
    ])
    const heard = tap({ endpoints: [plain.endpoint], silenceMs: 700 })
    await until(() => heard.talk.length >= 2, 'the silence is told')
    heard.stop.abort()
    await heard.ended
    expect(heard.talk.join()).not.toContain('handshake')
  })
})
