/**
 * Random walks of a venue's book over a line that drops, repeats, swaps, spoils, freezes and cuts. Whatever happens, a
 * book published LIVE equals the venue's as of the newest message that arrived (or the REST book that proved it); and
 * once the venue says nothing more, within the time that the compares take, the venue's own.
 */

import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { TIMINGS } from '../../../../src/lib/venues/polymarket/connection.js'
import { HashInputs } from '../../../../src/lib/venues/polymarket/hash-inputs.js'
import { DELTAS, firstSeed } from '../kalshi/deltas.js'
import { catalogMarket, Harness } from './harness.js'
import {
  asLevels,
  copySides,
  MARKET,
  ReferenceVenue,
  type BookFrame,
  type ChangeFrame,
  type RefSide,
  type Sides,
} from './reference-venue.js'

type Fate = 'deliver' | 'drop' | 'repeat' | 'repeat later' | 'swap' | Spoil

/** What a frame is spoiled into on the line: it arrives, and cannot be used. */
const SPOILS = {
  'bad side': (frame: ChangeFrame) => spoiledEntry(frame, 0, { side: 7 }),
  'bad second entry': (frame: ChangeFrame) => spoiledEntry(frame, 1, { price: '2' }),
  'foreign token': (frame: ChangeFrame) => spoiledEntry(frame, 1, { asset_id: '999' }),
  'no market': (frame: ChangeFrame) => JSON.stringify({ ...frame, market: undefined }),
  'no timestamp': (frame: ChangeFrame) => JSON.stringify({ ...frame, timestamp: '' }),
  'half a frame': (frame: ChangeFrame) => JSON.stringify(frame).slice(0, -9),
  'nothing legible': () => '[[]]',
}
type Spoil = keyof typeof SPOILS

function spoiledEntry(frame: ChangeFrame, index: number, field: object): string {
  const price_changes = frame.price_changes.map((entry, at) =>
    at === index ? { ...entry, ...field } : entry,
  )
  return JSON.stringify({ ...frame, price_changes })
}

const isSpoil = (fate: Fate): fate is Spoil => fate in SPOILS

type Step =
  | {
      kind: 'change'
      side: RefSide
      e4: number
      size: string
      fate: Fate
      sameMs: boolean
      best: 'none' | 'before' | 'after'
    }
  | { kind: 'trade'; side: RefSide; size: string; order: 'trade first' | 'book first'; dropBook: boolean }
  | { kind: 'tick'; lost: 'nothing' | 'tick' | 'books' | 'all' }
  | { kind: 'best'; no: boolean }
  | { kind: 'reconnect'; dumps: 'both' | 'none' | 'twice' }
  /** Nothing comes any more: of the whole connection, or of the walked market alone. */
  | { kind: 'freeze'; all: boolean }
  | { kind: 'thaw' }
  | { kind: 'rest' }
  | { kind: 'wait'; ms: number }

const size = fc.constantFrom('0', '0', '0.001', '1', '5.5', '20', '300.25')
const side = fc.constantFrom<RefSide>('bids', 'asks')
const change = fc
  .record({
    side,
    distance: fc.integer({ min: 0, max: 5 }),
    size,
    fate: fc.oneof(
      { weight: 8, arbitrary: fc.constant<Fate>('deliver') },
      { weight: 3, arbitrary: fc.constantFrom<Fate>('drop', 'repeat', 'repeat later', 'swap') },
      { weight: 2, arbitrary: fc.constantFrom(...(Object.keys(SPOILS) as Spoil[])) },
    ),
    sameMs: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
    best: fc.constantFrom('none' as const, 'none' as const, 'before' as const, 'after' as const),
  })
  .map(({ distance, ...rest }): Step => {
    const e4 = rest.side === 'bids' ? 4900 - distance * 100 : 5000 + distance * 100
    return { kind: 'change', e4, ...rest }
  })
const trade = fc
  .record({
    side,
    size: fc.constantFrom('0', '0.5', '2'),
    order: fc.constantFrom('trade first' as const, 'book first' as const),
    dropBook: fc.boolean(),
  })
  .map((rest): Step => ({ kind: 'trade', ...rest }))
const step = fc.oneof(
  { weight: 20, arbitrary: change },
  { weight: 2, arbitrary: trade },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('nothing' as const, 'tick' as const, 'books' as const, 'all' as const)
      .map((lost): Step => ({ kind: 'tick', lost })),
  },
  { weight: 1, arbitrary: fc.boolean().map((no): Step => ({ kind: 'best', no })) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('both' as const, 'none' as const, 'twice' as const)
      .map((dumps): Step => ({ kind: 'reconnect', dumps })),
  },
  { weight: 1, arbitrary: fc.boolean().map((all): Step => ({ kind: 'freeze', all })) },
  { weight: 2, arbitrary: fc.constant<Step>({ kind: 'thaw' }) },
  { weight: 2, arbitrary: fc.constant<Step>({ kind: 'rest' }) },
  { weight: 2, arbitrary: fc.constantFrom(50, 300, 900, 2500).map((ms): Step => ({ kind: 'wait', ms })) },
)

/** How a dump that was asked for comes: at once, or made now and delivered behind the next message. */
const steps = fc.array(fc.tuple(step, fc.constantFrom('now' as const, 'behind' as const)), {
  minLength: 10,
  maxLength: 200,
  size: 'max',
})

interface Frame {
  readonly body: ChangeFrame | BookFrame
  readonly version: number
  readonly sides: Sides
}

/** Another market of the connection, whose changes come however the walked one fares. */
const OTHER = { market: `0x${'cd'.repeat(32)}`, yes: '77', no: '78' }
const FOLLOWED = [catalogMarket(), catalogMarket({ marketId: OTHER.market, tokenIds: [OTHER.yes, OTHER.no] })]
/** Several ticks of a connection at once. */
const PASS_MS = 4 * TIMINGS.tickMs
/** Every book compared, the one that differs once more, with a pass for each and the answers' way. */
const SETTLE_MS = TIMINGS.auditEveryMs + TIMINGS.compareGapMs + 4 * PASS_MS

class Line {
  readonly venue = new ReferenceVenue()
  readonly harness = new Harness(FOLLOWED, {
    resyncTimeoutUs: TIMINGS.resyncTimeoutUs,
    resyncGapUs: TIMINGS.resyncGapUs,
  })
  wrongLive = 0
  liveChecks = 0
  spoiled = 0
  deltas = 0
  /** A book that was LIVE, or EMPTY, right after a frame of its own could not be used. */
  liveSpoiled = 0
  private readonly other = new ReferenceVenue(OTHER)
  private version = 0
  private newest: { version: number; sides: Sides } | undefined
  private restSides: Sides | undefined
  private held: (Frame & { readonly swapped: boolean })[] = []
  private answered = 0
  private reconnected = 0
  private frozen: 'not' | 'market' | 'all' = 'not'
  private askedUs = 0
  private auditedUs = 0
  /** No two messages before and after it are of one millisecond. */
  private hasWaited = false

  constructor() {
    this.venue.put('bids', 4900, '10')
    this.venue.put('asks', 5000, '10')
    this.connect('both')
  }

  run(all: readonly (readonly [Step, 'now' | 'behind'])[]): this {
    for (const [one, dumps] of all) {
      this.apply(one)
      this.answerResync(dumps)
    }
    return this
  }

  /** The venue says nothing new, whatever is frozen stays so, and REST answers: what is believed in the end is true. */
  settle(): this {
    this.apply({ kind: 'wait', ms: SETTLE_MS })
    const { state, levels } = this.shown
    const isTrue = JSON.stringify(levels) === JSON.stringify(asLevels(this.venue.sides))
    if ((state === 'LIVE' || state === 'EMPTY') && !isTrue) this.wrongLive += 1
    return this
  }

  private apply(one: Step): void {
    switch (one.kind) {
      case 'change':
        return this.change(one)
      case 'trade':
        return this.trade(one)
      case 'tick':
        return this.tick(one.lost)
      case 'best':
        if (this.frozen === 'not') this.harness.frame(this.venue.best(one.no))
        return this.check()
      case 'reconnect':
        this.harness.disconnect()
        return this.connect(one.dumps)
      case 'freeze':
        this.hasWaited = true
        this.frozen = one.all ? 'all' : 'market'
        return
      case 'thaw':
        this.frozen = 'not'
        return
      case 'rest':
        return this.rest(true)
      case 'wait':
        this.hasWaited = true
        for (let passedMs = 0; passedMs < one.ms; passedMs += PASS_MS) this.pass()
    }
  }

  /** Ticks of the connection, and its compare, as `connection.ts` has them. */
  private pass(): void {
    const { harness } = this
    if (this.frozen !== 'all')
      harness.frame(this.other.change('bids', 4000, String(1 + (this.other.now % 9))))
    harness.tick(PASS_MS)
    this.followReconnects()
    const { nowUs, mapper } = harness
    const sinceUs = nowUs - this.askedUs
    const unprovedUs = nowUs - (mapper.provedUs ?? 0)
    const all =
      unprovedUs >= TIMINGS.proofAfterMs * 1000 || nowUs - this.auditedUs >= TIMINGS.auditEveryMs * 1000
    if ((all || mapper.doubts > 0) && sinceUs >= TIMINGS.compareGapMs * 1000) this.rest(all)
    this.answerResync('now')
    this.check()
  }

  private rest(all: boolean): void {
    const { harness } = this
    this.askedUs = harness.nowUs
    if (all) this.auditedUs = harness.nowUs
    for (const token of harness.toCompare(all)) {
      const { proofs } = harness
      harness.rest((token === OTHER.yes ? this.other : this.venue).rest(), this.askedUs)
      // One answer that differs is not believed yet: REST may be ahead of the socket.
      if (token !== OTHER.yes && harness.proofs > proofs) this.restSides = copySides(this.venue.sides)
    }
    this.followReconnects()
    this.check()
  }

  /** What the mapper gives up is gone at once; the next connection is not frozen. */
  private followReconnects(): void {
    if (this.harness.reconnects.length === this.reconnected) return
    this.reconnected = this.harness.reconnects.length
    this.harness.disconnect()
    this.frozen = 'not'
    this.connect('both')
  }

  private connect(dumps: 'both' | 'none' | 'twice'): void {
    this.newest = undefined
    this.restSides = undefined
    this.held = []
    this.harness.connect()
    this.answered = this.harness.resyncs
    this.harness.frame(this.other.dump())
    for (let times = { none: 0, both: 1, twice: 2 }[dumps]; times > 0; times--) {
      this.deliver(this.frame(this.venue.dump()))
      this.deliver(this.frame(this.venue.dump(true)))
    }
  }

  private change({ side, e4, size, fate, sameMs, best }: Extract<Step, { kind: 'change' }>): void {
    // Two messages of one millisecond that come swapped look like two that were sent so: no content tells them
    // apart, the socket's own order does. Repeats within a millisecond are told apart, and are walked.
    if (sameMs && !this.hasWaited && !this.held.some(({ swapped }) => swapped)) this.venue.now -= 1
    this.hasWaited = false
    this.version += 1
    const frame = this.frame(this.venue.change(side, e4, size))
    if (best === 'before' && this.frozen === 'not') this.harness.frame(this.venue.best())
    if (fate === 'drop') return
    if (isSpoil(fate)) return this.spoil(frame, SPOILS[fate](frame.body as ChangeFrame))
    if (fate === 'swap' || fate === 'repeat later') this.held.push({ ...frame, swapped: fate === 'swap' })
    if (fate !== 'swap') this.deliver(frame)
    if (fate === 'repeat') this.deliver(frame)
    if (fate === 'deliver') for (const late of this.held.splice(0)) this.deliver(late)
    if (best === 'after' && this.frozen === 'not') this.harness.frame(this.venue.best(true))
    this.check()
  }

  private trade({ side, size, order, dropBook }: Extract<Step, { kind: 'trade' }>): void {
    if (this.venue.sides[side].size === 0) return
    this.version += 1
    const trade = this.venue.trade(side, size)
    const books = dropBook ? [] : [this.frame(this.venue.bare()), this.frame(this.venue.bare(true))]
    if (order === 'trade first') this.say(trade)
    for (const book of books) this.deliver(book)
    if (order === 'book first') this.say(trade)
    this.check()
  }

  private tick(lost: Extract<Step, { kind: 'tick' }>['lost']): void {
    this.version += 1
    const changes = this.venue.changeTick(this.venue.tick === '0.01' ? '0.001' : '0.01')
    if (lost !== 'tick' && lost !== 'all') for (const frame of changes) this.say(frame)
    if (lost !== 'books' && lost !== 'all') this.deliver(this.frame(this.venue.bare()))
    this.check()
  }

  /** What tells nothing of levels. */
  private say(frame: unknown): void {
    if (this.frozen === 'not') this.harness.frame(frame)
  }

  private answerResync(how: 'now' | 'behind'): void {
    if (this.harness.resyncs === this.answered) return
    this.answered = this.harness.resyncs
    this.harness.frame(this.other.dump())
    const dump = this.frame(this.venue.dump())
    if (how === 'now') this.deliver(dump)
    else this.held.push({ ...dump, swapped: true })
  }

  private frame(body: ChangeFrame | BookFrame): Frame {
    return { body, version: this.version, sides: copySides(this.venue.sides) }
  }

  private deliver({ body, version, sides }: Frame): void {
    if (this.frozen !== 'not') return
    if (this.newest === undefined || version >= this.newest.version) {
      this.newest = { version, sides }
      this.restSides = undefined
    }
    if (body.event_type === 'price_change') this.deltas += 1
    this.harness.frame(body)
    this.check()
  }

  private spoil({ version, sides }: Frame, text: string): void {
    if (this.frozen !== 'not') return
    this.newest = { version, sides }
    this.restSides = undefined
    this.spoiled += 1
    this.harness.text(text)
    if (!['BROKEN', 'STALE', undefined].includes(this.shown.state)) this.liveSpoiled += 1
    this.check()
  }

  private get shown() {
    return { state: this.harness.stateOf(MARKET), levels: this.harness.levelsOf(MARKET) }
  }

  private check(): void {
    const { state, levels } = this.shown
    if (state !== 'LIVE' && state !== 'EMPTY') return
    this.liveChecks += 1
    const text = JSON.stringify(levels)
    const isTrue = [this.newest?.sides, this.restSides].some((sides) => sides && textOf(sides) === text)
    if (!isTrue) this.wrongLive += 1
  }
}

const texts = new WeakMap<Sides, string>()

/** Of sides that change no more. */
function textOf(sides: Sides): string {
  let text = texts.get(sides)
  if (text === undefined) texts.set(sides, (text = JSON.stringify(asLevels(sides))))
  return text
}

afterEach(() => void vi.restoreAllMocks())

/** The clocks of a frozen line make a walk long: `npm test` has a quarter. */
const WALKED = process.env['PROPERTY_RUNS'] === undefined ? DELTAS / 4 : DELTAS

describe('a LIVE Polymarket book', () => {
  it(`is never wrong in ${WALKED} deltas, whatever the line loses, repeats, swaps, spoils or freezes`, () => {
    const seen = { deltas: 0, liveChecks: 0, spoiled: 0 }
    for (let seed = firstSeed(); seen.deltas < WALKED; seed++) {
      const property = fc.property(steps, (all) => {
        const line = new Line().run(all).settle()
        seen.deltas += line.deltas
        seen.liveChecks += line.liveChecks
        seen.spoiled += line.spoiled
        expect([line.wrongLive, line.liveSpoiled]).toEqual([0, 0])
      })
      fc.assert(property, { seed, numRuns: 20 })
    }
    // The property would hold of a mapper that never says LIVE.
    expect(seen.liveChecks).toBeGreaterThan(WALKED)
    expect(seen.spoiled).toBeGreaterThan(WALKED / 50)
  })

  it('is LIVE after every message of a line that loses nothing', () => {
    const clean = fc.array(
      change.map((one) => ({ ...one, fate: 'deliver', sameMs: false, best: 'after' }) as Step),
      { maxLength: 40 },
    )
    fc.assert(
      fc.property(clean, (all) => {
        const line = new Line().run(all.map((one) => [one, 'now']))
        expect([line.wrongLive, line.harness.resyncs, line.harness.mapper.doubts]).toEqual([0, 0, 0])
        expect(line.harness.states.filter((state) => state !== 'LIVE' && state !== 'EMPTY')).toEqual([])
      }),
      { numRuns: 50 },
    )
  })

  it('control: with the hash check switched off the same walk finds a wrong LIVE book', () => {
    vi.spyOn(HashInputs.prototype, 'match').mockReturnValue(true)
    const result = fc.check(
      fc.property(steps, (all) => {
        expect(new Line().run(all).wrongLive, 'wrong and LIVE').toBe(0)
      }),
      { numRuns: 100, seed: 7, endOnFailure: true },
    )
    expect(String(result.errorInstance)).toContain('wrong and LIVE')
  })

  it('control: without the compares a frozen line is believed in the end', () => {
    vi.spyOn(Harness.prototype, 'rest').mockReturnThis()
    const frozen: Step[] = [
      { kind: 'freeze', all: false },
      { kind: 'change', side: 'bids', e4: 4800, size: '7', fate: 'deliver', sameMs: false, best: 'none' },
    ]
    expect(new Line().run(frozen.map((one) => [one, 'now'])).settle().wrongLive).toBe(1)
  })
})
