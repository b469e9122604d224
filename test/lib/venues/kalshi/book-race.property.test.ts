/**
 * Two connections raced against each other, each with its own losses, delays and deaths: what is shown of a market and
 * believed is one connection's book as of the last message it read, it never goes back, and once the trouble is over
 * it is the venue's. A quiet death of one is not seen when the other is level.
 */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { BookRace, type RaceResult } from '../../../../src/lib/venues/kalshi/book-race.js'
import { parseFrame } from '../../../../src/lib/venues/kalshi/frames.js'
import { BookSession } from '../../../../src/lib/venues/kalshi/session.js'
import type { SessionEffect } from '../../../../src/lib/venues/kalshi/session-effects.js'
import { ReferenceVenue, type SentFrame } from './reference-venue.js'
import { DELTAS, firstSeed } from './deltas.js'
import { venueLevels } from './venue-levels.js'

const TICKERS = ['A', 'B']
const OPTIONS = {
  snapshotTimeoutMs: 2000,
  quietMs: 5000,
  silenceAnswerMs: 2000,
  commandTimeoutMs: 5000,
}

type Link = 0 | 1
type Step =
  | {
      readonly op: 'rest'
      readonly ticker: string
      readonly side: 'yes' | 'no'
      readonly cents: number
      readonly size: number
      readonly ms: number
    }
  | { readonly op: 'burst'; readonly seed: number }
  | { readonly op: 'read' | 'serve'; readonly link: Link; readonly count: number }
  | {
      readonly op: 'lose' | 'repeat' | 'die' | 'terminal' | 'doubt' | 'hurry' | 'refuse'
      readonly link: Link
    }
  | { readonly op: 'follow'; readonly tickers: readonly string[] }
  | { readonly op: 'wait'; readonly ms: number }

const link = fc.constantFrom<Link>(0, 1)
const rest = fc.record({
  op: fc.constant('rest' as const),
  ticker: fc.constantFrom(...TICKERS),
  side: fc.constantFrom('yes' as const, 'no' as const),
  cents: fc.integer({ min: 40, max: 42 }),
  size: fc.constantFrom(0, 1, 250, 300),
  // Most changes share a millisecond with others.
  ms: fc.constantFrom(0, 0, 0, 1, 5),
})
const trouble = fc.oneof(
  fc.record({ op: fc.constantFrom('lose', 'lose', 'repeat', 'die', 'terminal', 'doubt', 'hurry'), link }),
  fc.record({ op: fc.constant('wait' as const), ms: fc.constantFrom(100, 600, 2100) }),
  fc.record({ op: fc.constant('follow' as const), tickers: fc.subarray(TICKERS) }),
)
const flow = fc.record({
  op: fc.constantFrom('read', 'read', 'serve'),
  link,
  count: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constant(60)),
})
const burst = fc.record({ op: fc.constant('burst' as const), seed: fc.nat(10_000) })
/** A market that is wanted again, and whose addition is refused until long after a snapshot was due. */
const refusedAddition = link.map((at): readonly Step[] => [
  { op: 'follow', tickers: ['A'] },
  { op: 'serve', link: at, count: 60 },
  { op: 'read', link: at, count: 60 },
  { op: 'refuse', link: at },
  { op: 'follow', tickers: TICKERS },
  { op: 'serve', link: at, count: 60 },
  { op: 'read', link: at, count: 60 },
  { op: 'wait', ms: 2100 },
  { op: 'serve', link: at, count: 60 },
  { op: 'read', link: at, count: 60 },
])
const steps = fc
  .array(
    fc.oneof(
      { weight: 1, arbitrary: refusedAddition },
      { weight: 6, arbitrary: rest },
      { weight: 6, arbitrary: flow },
      { weight: 2, arbitrary: burst },
      { weight: 2, arbitrary: trouble },
    ),
    { minLength: 20, maxLength: 150 },
  )
  .map((list): Step[] => list.flat())

/** One connection with the venue behind it; both venues are told the same. */
class Side {
  readonly venue = new ReferenceVenue(TICKERS)
  session: BookSession
  commands: Parameters<ReferenceVenue['serve']>[0][] = []
  inFlight: SentFrame[] = []
  lastRead: SentFrame | undefined
  /** The last message read of the subscription that stands. */
  asOf: SentFrame | undefined
  sid: number | undefined
  subscribeId: number | undefined

  constructor(private readonly useYesPrice: boolean) {
    this.session = this.createSession()
  }

  createSession(): BookSession {
    return new BookSession({ ...OPTIONS, useYesPrice: this.useYesPrice })
  }
}

interface Shown {
  readonly link: Link
  readonly version: number
}

class Harness {
  deltas = 0
  private readonly sides: readonly [Side, Side]
  private readonly race = new BookRace<Link>()
  private nowUs = 1_000_000
  private venueMs = 1
  private wanted: readonly string[] = TICKERS
  private readonly shown = new Map<string, Shown | 'lost'>()
  private readonly newest = new Map<string, number>()

  /** With `anyWins` whatever arrives is shown, as one does who only looks whether a message is new. */
  constructor(
    useYesPrice: boolean,
    private readonly anyWins = false,
  ) {
    this.sides = [new Side(useYesPrice), new Side(useYesPrice)]
    for (const each of [0, 1] as const)
      this.perform(each, this.sides[each].session.follow(TICKERS, this.nowUs))
  }

  step(step: Step): void {
    this.nowUs += 10
    switch (step.op) {
      case 'rest':
        this.venueMs += step.ms
        for (const { venue } of this.sides)
          venue.rest(step.ticker, step.side, step.cents * 100, step.size, this.venueMs)
        break
      case 'burst':
        for (let index = 0; index < 50; index++) {
          // Whatever, so that it is the same for the same seed.
          const dice = (step.seed * 7919 + index * 104_729) % 10_007
          this.venueMs += dice % 5 === 0 ? 1 : 0
          const [ticker, side] = [TICKERS[dice % 2]!, dice % 3 === 0 ? 'yes' : 'no'] as const
          for (const { venue } of this.sides)
            venue.rest(ticker, side, 4000 + (dice % 4) * 100, (dice % 7) * 100, this.venueMs)
        }
        break
      case 'serve':
        for (const command of this.sides[step.link].commands.splice(0, step.count))
          this.sides[step.link].venue.serve(command)
        break
      case 'read':
        for (let count = 0; count < step.count; count++) this.read(step.link)
        break
      case 'lose':
        this.sides[step.link].inFlight.shift()
        break
      case 'repeat':
        this.feed(step.link, this.sides[step.link].lastRead)
        break
      case 'die':
        this.die(step.link)
        break
      case 'terminal':
        this.sides[step.link].venue.kill('error')
        break
      case 'hurry':
        this.sides[step.link].venue.tooFast = 1
        break
      case 'refuse':
        this.sides[step.link].venue.refusedAdditions = 2
        break
      case 'doubt':
        this.apply(this.race.handOver(step.link, this.nowUs))
        break
      case 'follow':
        for (const ticker of this.wanted) {
          if (step.tickers.includes(ticker)) continue
          this.race.forget(ticker)
          this.shown.delete(ticker)
          this.newest.delete(ticker)
        }
        this.wanted = step.tickers
        for (const each of [0, 1] as const)
          this.perform(each, this.sides[each].session.follow(this.wanted, this.nowUs))
        break
      case 'wait':
        this.nowUs += step.ms * 1000
        for (const each of [0, 1] as const) {
          const { session } = this.sides[each]
          this.perform(each, session.onTime(this.nowUs))
          this.perform(each, session.ask(this.race.notLevel(each, this.nowUs - 500_000), this.nowUs))
        }
        break
    }
    for (const side of this.sides) side.inFlight.push(...side.venue.takeSent())
    this.check()
  }

  settle(): void {
    this.calm(40)
    for (const ticker of this.wanted) {
      const leader = this.race.leaderOf(ticker)
      expect(leader, `${ticker} is led at the end`).toBeDefined()
      const { book, state } = this.race.standingOf(ticker, leader!)!
      expect(state).toMatch(/LIVE|EMPTY/)
      expect(venueLevels(book)).toEqual(this.sides[0].venue.now().get(ticker))
    }
    // Both quiet and level: a death is not seen.
    const before = new Map(this.shown)
    this.die(1)
    for (const [ticker, shown] of before) {
      if (shown !== 'lost') expect(this.shown.get(ticker), `${ticker} of the other`).not.toBe('lost')
    }
    // Both dead: what the first one left behind is no book.
    this.die(0)
    for (const [ticker, shown] of this.shown) expect(shown, `${ticker} of the dead`).toBe('lost')
  }

  /** Everything is served and read, for so many rounds; the last of them without a change. */
  private calm(rounds: number): void {
    for (let round = 0; round < rounds; round++) {
      if (round < rounds - 8)
        for (const ticker of TICKERS)
          this.step({ op: 'rest', ticker, side: 'no', cents: 39, size: 1 + (round % 2), ms: 1 })
      for (const each of [0, 1] as const) {
        this.step({ op: 'serve', link: each, count: Infinity })
        while (this.sides[each].inFlight.length > 0) this.step({ op: 'read', link: each, count: 1 })
      }
      this.step({ op: 'wait', ms: 300 })
    }
  }

  private read(at: Link): void {
    const side = this.sides[at]
    const frame = side.inFlight.shift()
    if (frame === undefined) return
    if (frame.type === 'orderbook_delta') this.deltas++
    side.lastRead = frame
    if (frame.type === 'subscribed' && frame.id === side.subscribeId)
      side.sid = (JSON.parse(frame.text) as { msg: { sid: number } }).msg.sid
    if (frame.sid !== undefined && frame.sid === side.sid) side.asOf = frame
    this.feed(at, frame)
  }

  private feed(at: Link, frame: SentFrame | undefined): void {
    if (frame !== undefined)
      this.perform(at, this.sides[at].session.onFrame(parseFrame(frame.text), this.nowUs))
  }

  private die(at: Link): void {
    const side = this.sides[at]
    side.venue.disconnect()
    side.session = side.createSession()
    side.commands = []
    side.inFlight = []
    side.lastRead = side.asOf = side.sid = undefined
    this.apply(this.race.drop(at, this.nowUs))
    this.nowUs += 10
    this.perform(at, side.session.follow(this.wanted, this.nowUs))
  }

  private perform(at: Link, effects: readonly SessionEffect[]): void {
    const side = this.sides[at]
    for (const effect of effects) {
      if (effect.kind === 'book' && this.wanted.includes(effect.ticker)) {
        const { ticker } = effect
        const result = this.race.update(ticker, at, effect, this.nowUs)
        this.apply([
          [ticker, this.anyWins && effect.state !== 'BROKEN' ? { kind: 'shown', link: at } : result],
        ])
      }
      if (effect.kind === 'send') {
        const { command } = effect
        if (command.cmd === 'subscribe') {
          side.subscribeId = command.id
          side.sid = undefined
        }
        side.commands.push(command)
      }
      if (effect.kind === 'reconnect') return this.die(at)
    }
  }

  private apply(results: Iterable<readonly [string, RaceResult<Link>]>): void {
    for (const [ticker, result] of results) {
      if (result.kind === 'lost') this.shown.set(ticker, 'lost')
      if (result.kind !== 'shown') continue
      const version = this.sides[result.link].asOf?.versions.get(ticker) ?? 0
      expect(version, `${ticker} goes back`).toBeGreaterThanOrEqual(this.newest.get(ticker) ?? 0)
      this.newest.set(ticker, version)
      this.shown.set(ticker, { link: result.link, version })
    }
  }

  private check(): void {
    if (this.anyWins) return
    for (const [ticker, shown] of this.shown) {
      if (shown === 'lost') continue
      const { asOf } = this.sides[shown.link]
      const standing = this.race.standingOf(ticker, shown.link)
      expect(asOf, `${ticker} without a subscription`).toBeDefined()
      expect(standing?.state, `${ticker} of a connection that does not believe it`).toMatch(/LIVE|EMPTY/)
      expect(venueLevels(standing!.book), `${ticker} is shown`).toEqual(asOf!.books.get(ticker))
    }
  }
}

const play = (list: readonly Step[], harness: Harness): Harness => {
  for (const step of list) harness.step(step)
  return harness
}

describe('two Kalshi connections in a race', () => {
  it("what is shown is a connection's own book, and never goes back", () => {
    fc.assert(
      fc.property(steps, fc.boolean(), (list, form) => void play(list, new Harness(form))),
      { numRuns: 120 },
    )
  })

  it('every book is shown again when the trouble is over, and one death is not seen', () => {
    fc.assert(
      fc.property(steps, fc.boolean(), (list, form) => play(list, new Harness(form)).settle()),
      { numRuns: 30 },
    )
  })

  it(`${DELTAS} deltas: never a book that goes back, or is not the venue's`, () => {
    let deltas = 0
    for (let seed = firstSeed(); deltas < DELTAS; seed++) {
      const property = fc.property(steps, fc.boolean(), (list, form) => {
        deltas += play(list, new Harness(form)).deltas
      })
      fc.assert(property, { seed, numRuns: 20 })
    }
  })

  it('control: when any arrival wins, the same test finds a book that goes back', () => {
    const result = fc.check(
      fc.property(steps, (list) => void play(list, new Harness(true, true))),
      { numRuns: 120, seed: 7, endOnFailure: true },
    )
    expect(result.failed).toBe(true)
    expect(String(result.errorInstance)).toMatch(/goes back/)
  })
})
